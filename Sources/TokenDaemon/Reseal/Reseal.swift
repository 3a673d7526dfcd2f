// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import GrantStore
import Logging
import TokenCore

/// `tastytokend reseal` from the command line to its report.
package struct Reseal: Sendable {
    /// What is to be done, and how fast.
    package struct Options: Sendable {
        /// Whether nothing is to be changed.
        package var isDryRun = false
        /// Rows written a second.
        package var rate: Double = 500
        /// How long rows that are in use are waited for.
        package var patience: Duration = .seconds(300)
        /// Whether it is done although daemons, or the application, seem to have other settings.
        package var isForced = false

        /// The defaults.
        package init() {}
    }

    /// How long a row is claimed at most. A daemon that wants to refresh it meanwhile waits as long, if this process is killed.
    private static let claimFor: Duration = .seconds(10)

    private let invocation: Invocation
    private let options: Options

    /// Takes what the process was started with.
    package init(_ invocation: Invocation, _ options: Options) {
        self.invocation = invocation
        self.options = options
    }

    /// Does it.
    ///
    /// - Parameter tell: is told how far it is.
    /// - Returns: what was found and done.
    /// - Throws: why it could not be done, or not to the end, with the exit status. What is done stays done.
    package func run(tell: @escaping @Sendable (ResealProgress) -> Void) async throws(DaemonFailure) -> ResealReport {
        let configuration = try invocation.configuration(needsClient: false).configuration
        let encryption = configuration.encryption
        guard encryption.mode != .none else {
            throw .configuration("encryption.mode is none: there is no key to seal with; set jwe or rails")
        }
        let store = store(configuration)
        defer { store.close() }
        let run = ResealRun(
            ResealRun.Table(
                part: { last, rows async throws(StoreFailure) in try await store.sealPart(after: last, rows: rows) },
                reseal: { users async throws(StoreFailure) in try await store.reseal(users) },
                clients: { () async throws(StoreFailure) in try await store.clientSeals() },
                resealClients: { () async throws(StoreFailure) in try await store.resealClients() }
            ),
            ResealRun.Limits(rate: options.rate, patience: options.patience),
            clock: invocation.clock,
            wait: Self.wait,
            tell: tell
        )
        do throws(StoreFailure) {
            try await expectSchema(of: store)
            return try await report(run, store, encryption, in: configuration.tastytrade.environment)
        } catch {
            throw DaemonFailure(error)
        }
    }

    private func report(
        _ run: ResealRun,
        _ store: PostgresGrantStore,
        _ encryption: Configuration.Encryption,
        in environment: TradeEnvironment
    ) async throws(StoreFailure) -> ResealReport {
        var before = try await store.sealers()
        // Whoever reads all values first knows how the application wants them sealed.
        var count = try await run.count()
        var tally = ResealTally()
        if !options.isDryRun, count.wants {
            let obstacle = ResealObstacle.found(encryption.sealing, in: environment, count.rows, before)
            if let obstacle, !options.isForced { throw StoreFailure(misconfigured: obstacle.lines) }
            // First, since they are few, and all accounts of a client hang on one.
            let clients = try await run.resealClients()
            tally = try await run.reseal(of: count.rows.rows)
            tally.clients = clients
            try await store.endSealing()
            before = try await store.sealers()
            count = try await run.count()
        }
        let doubt = try await store.reasonForUnseenValues()
        let sealers = Set(before + (try await store.sealers()))
        return ResealReport(
            count: count,
            isDryRun: options.isDryRun,
            tally: tally,
            keys: KeyStanding.all(of: encryption.sealing.configuredKeys, count.all, doubt: doubt, sealers: sealers),
            inClear: sealers.filter(\.keyID.isEmpty).inOrder,
            isShared: encryption.mode == .rails
        )
    }

    @Sendable private static func wait(_ time: Duration) async {
        await withCheckedContinuation { continuation in
            let deadline = DispatchTime.now() + .nanoseconds(Int(time.nanoseconds))
            DispatchQueue.global().asyncAfter(deadline: deadline) { continuation.resume() }
        }
    }

    private func expectSchema(of store: PostgresGrantStore) async throws(StoreFailure) {
        guard case .absent(let reason) = try await store.open().ownSchema else { return }
        throw StoreFailure(misconfigured: [
            "Nothing is sealed anew without schema tastytokend: daemons claim there.", reason,
        ])
    }

    private func store(_ configuration: Configuration) -> PostgresGrantStore {
        let tokens = TokenColumns(configuration.encryption.sealing, in: configuration.tastytrade.environment)
        // An id of its own: no daemon may take its claims for its own, nor a second run.
        let owner = "reseal-\(UInt64.random(in: .min ... .max))"
        var settings = StoreConfiguration(configuration, owner: owner, tokens)
        settings.claimFor = Self.claimFor
        settings.migratesAtStart = false
        return PostgresGrantStore(
            configuration: settings,
            clock: invocation.clock,
            random: { Double.random(in: 0...1) },
            logger: Logger(label: "tastytokend") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}
