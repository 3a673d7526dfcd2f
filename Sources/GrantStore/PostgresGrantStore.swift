// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Logging
import Synchronization
package import TokenCore

/// The accounts in PostgreSQL: the application's table, and the daemon's own state beside it.
///
/// A few connections, each on a lane of its own: one for passes over the whole table, one for what is read by id, one
/// for what is written, one where writes wait for rows that others hold, one that listens. So a long pass, or a row that an
/// application keeps locked, holds up only its own kind.
package final class PostgresGrantStore: GrantStoring {
    let configuration: StoreConfiguration
    let passes: PostgresSession
    let reads: PostgresSession
    let writes: PostgresSession
    let waits: PostgresSession

    let listening: PostgresSession
    let changeFeed = ChangeFeedBoard()
    let listenSettings: ChangeListener.Settings

    /// The key of which this daemon said that it seals by it; nil if none, or that is to be said again.
    let announcedKey = Mutex<String?>(nil)

    /// The time, by which deadlines and backoff go.
    let clock: ClockReading
    let serverClock = Mutex<ServerClock?>(nil)
    private let plan = Mutex<StorePlan?>(nil)
    private let isPassUnderWay = Mutex(false)
    /// How many rows the last pass left alone because of their ids.
    let illegible = Atomic<Int>(0)
    /// Whether the schema was brought up to date, as far as the role may: at start, and never against `migrate --remove`.
    private let hasMigrated = Atomic<Bool>(false)
    /// Whether the schema was ever there: then nothing is refreshed as if no other daemon could be.
    let hadSchema = Atomic<Bool>(false)
    /// Why accounts could not be claimed the last time; nil if they could.
    let claimTrouble = Mutex<String?>(nil)

    /// Makes a store; nothing is opened until ``open()`` or the first call.
    ///
    /// - Parameters:
    ///   - configuration: where the database is, and how its table is made.
    ///   - clock: the time; its boot clock decides deadlines and backoff.
    ///   - random: jitter for the backoff.
    ///   - logger: told of outages.
    package init(
        configuration: StoreConfiguration,
        clock: @escaping ClockReading,
        random: @escaping RandomShare,
        logger: Logger
    ) {
        var settings = PostgresSession.Settings(
            url: configuration.url,
            connectDeadline: configuration.connectDeadline,
            clock: clock,
            random: random,
            logger: logger
        )
        self.configuration = configuration
        self.clock = clock
        self.passes = PostgresSession(name: "passes", settings)
        self.reads = PostgresSession(name: "reads", settings)
        self.writes = PostgresSession(name: "writes", settings)
        self.waits = PostgresSession(name: "waits", settings)
        if let url = configuration.listenURL { (settings.url, settings.key) = (url, "database.listenUrl") }
        self.listening = PostgresSession(name: "listening", settings)
        self.listenSettings = ChangeListener.Settings(
            checkEvery: configuration.listenCheckEvery,
            proofDeadline: configuration.proofDeadline,
            draw: random,
            logger: logger,
            owner: configuration.owner
        )
    }

    /// How the store stands; readable from any thread.
    package var health: StoreHealth {
        let health = StoreHealth(of: [passes, reads, writes, waits].map(\.health))
        guard health.lastFailure == nil, let trouble = claimTrouble.withLock({ $0 }) else { return health }
        return StoreHealth(
            isConnected: health.isConnected,
            lastFailure: trouble,
            nextAttemptAt: health.nextAttemptAt
        )
    }

    /// What was found at the last look; nil before the first.
    package var report: StoreReport? { plan.withLock { $0?.report } }

    /// The statements that fit what was found; nil before the first look.
    var queries: GrantQueries? { plan.withLock { $0?.queries } }

    /// Connects, looks at the application's table, and, the first time, brings the daemon's own schema up to date where the
    /// role may. It may be called again at any time, to look anew.
    ///
    /// - Throws: `unavailable` or `timeout` where another try makes sense, `misconfigured` where a person must act.
    @discardableResult
    package func open() async throws(StoreFailure) -> StoreReport {
        try await look().report
    }

    /// Closes the connections once the statements under way have ended. A later call opens them again.
    package func close() {
        for session in [passes, reads, writes, waits, listening] { session.close() }
    }

    /// Makes a call with the statements that fit the table. Where the database then says that they do not fit any more
    /// (a schema was removed or made, a column renamed), it is looked at anew, and the call made once more.
    func withPlan<Value: Sendable>(
        _ call: (StorePlan) async throws(StoreFailure) -> Value
    ) async throws(StoreFailure) -> Value {
        let known = plan.withLock { $0 }
        guard let known else { return try await call(look()) }
        do throws(StoreFailure) {
            return try await call(known)
        } catch {
            guard error.kind == .misconfigured else { throw error }
            let renewed = try await look()
            guard renewed.report != known.report else { throw error }
            return try await call(renewed)
        }
    }

    /// Has later passes leave rows alone that hold the character that a statement failed for.
    ///
    /// - Returns: whether that was news.
    func learn(from failure: StoreFailure) -> Bool {
        plan.withLock { plan in
            guard let encoding = plan?.columns.encoding.learning(from: failure) else { return false }
            plan = plan?.with(encoding)
            return true
        }
    }

    /// Lets one pass over the table run at a time, since all of them share a connection.
    func withOnlyPass<Outcome: Sendable>(
        _ pass: () async throws(StoreFailure) -> Outcome
    ) async throws(StoreFailure) -> Outcome {
        let isFirst = isPassUnderWay.withLock { isUnderWay in
            defer { isUnderWay = true }
            return !isUnderWay
        }
        guard isFirst else {
            throw StoreFailure(.unavailable, text: "Another pass over the table is under way.")
        }
        defer { isPassUnderWay.withLock { $0 = false } }
        return try await pass()
    }

    /// What there is of the schema. A role that may not use it is refused at the start; while at work, answers must get into their rows all
    /// the same.
    private func ownSchema(by migrator: Migrator, mayApply: Bool) throws(StoreError) -> OwnSchema {
        do throws(StoreError) {
            let found = try migrator.run(mayApply: mayApply)
            if found.isPresent { hadSchema.store(true, ordering: .releasing) }
            return found
        } catch  where error.failure.kind == .misconfigured && hadSchema.load(ordering: .acquiring) {
            return .absent(reason: error.failure.text)
        }
    }

    private func look() async throws(StoreFailure) -> StorePlan {
        let configuration = configuration
        // Several statements, and perhaps a migration.
        let limit = configuration.connectDeadline + configuration.statementDeadline
        let mayApply = configuration.migratesAtStart && !hasMigrated.load(ordering: .acquiring)
        let found = try await writes.run(within: limit) { connection, deadline throws(StoreError) in
            let names = try GrantTableNames(configuration.table)
            let finding = try TableInspection.run(names, on: connection, until: deadline)
            let migrator = Migrator(on: connection, until: deadline)
            let ownSchema = try self.ownSchema(by: migrator, mayApply: mayApply)
            let trigger = try ChangeTrigger(finding.columns).status(on: connection, until: deadline)
            try self.askTheTime(on: connection, until: deadline)
            return StorePlan(finding, ownSchema, trigger, configuration.tokens, configuration.hands)
        }
        hasMigrated.store(true, ordering: .releasing)
        return plan.withLock { plan in
            let known = plan?.columns.encoding
            let renewed = known?.name == found.columns.encoding.name ? known.map(found.with) ?? found : found
            plan = renewed
            return renewed
        }
    }
}
