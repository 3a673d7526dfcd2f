// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Enrollment
import Glibc
import GrantStore
import HostSystemd
import Logging
import RefreshEngine
import ReplyJournal
import ServiceLifecycle
import SocketServer
import TokenCore
import TokenEndpoint
import UnixSignals
import WebPages

/// The daemon from start to stop: loads, answers, says so to the service manager, and drains when asked to end.
struct Daemon: Sendable {
    /// How long callers may go on waiting once no refresh is under way any more: nothing comes for them.
    private static let farewell: Duration = .milliseconds(100)
    /// The longest silence of the alarm where no watchdog wants it shorter (architecture.md, decision 3).
    private static let alarmInterval: Duration = .seconds(30)

    /// How long the configuration may take to be read again.
    private static let readingTime: Duration = .seconds(20)

    private let assembly: Assembly
    private let reloader: ConfigurationReloader
    private let hangups: HangupSignals
    private let notifier: ServiceNotifier
    private let watchdogTimeout: Duration?
    private let clock: ClockReading
    private let logger: Logger

    /// Puts the parts together; nothing runs yet.
    ///
    /// - Parameters:
    ///   - loaded: the configuration.
    ///   - invocation: reads the configuration again; what the service manager says of its sockets and its watchdog is in
    ///     its environment.
    ///   - hangups: each has it read again.
    ///   - version: the product's.
    ///   - level: what is written of the log; changed at a reload.
    ///   - logger: for all parts.
    /// - Throws: what keeps the daemon from being put together, with its exit status.
    init(
        _ loaded: LoadedConfiguration,
        invocation: Invocation,
        hangups: HangupSignals,
        version: String,
        level: LogThreshold,
        logger: Logger
    ) throws(DaemonFailure) {
        let (environment, clock) = (invocation.environment, invocation.clock)
        let sockets: InheritedSockets
        do {
            sockets = try InheritedSockets(environment: environment, processID: getpid())
            let address = try environment["NOTIFY_SOCKET"].map { text throws(HostFailure) in try NotifyAddress(text) }
            notifier = ServiceNotifier(address: address, logger: logger)
            watchdogTimeout = try WatchdogTimeout.read(from: environment, processID: getpid())
        } catch {
            throw .configuration("\(error)")
        }
        let assembly = try Assembly(
            loaded.configuration,
            sockets: sockets,
            environment: environment,
            version: version,
            clock: clock,
            logger: logger
        )
        let reading = BlockingCall(name: "configuration")
        reloader = ConfigurationReloader(loaded, logger: logger) {
            await invocation.configuration(within: Self.readingTime, on: reading)
        } objection: { configuration, change in
            assembly.objection(to: configuration, change)
        } apply: { configuration, change in
            level.level = configuration.log.level
            await assembly.apply(configuration, change)
        }
        self.assembly = assembly
        self.hangups = hangups
        self.clock = clock
        self.logger = logger
    }

    /// Runs until SIGTERM or SIGINT, or until something ends that the daemon cannot do without.
    ///
    /// - Throws: why it ended without having been asked to.
    func run() async throws(DaemonFailure) {
        // A caller who hangs up while a reply is written is his own affair.
        signal(SIGPIPE, SIG_IGN)
        let work = DaemonWork(daemon: self)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: work, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        do {
            try await group.run()
        } catch let failure as DaemonFailure {
            throw failure
        } catch {
            throw .system("\(error)")
        }
    }

    fileprivate func work() async throws {
        let scheduler = WatchdogPart("scheduler")
        let heartbeat = heartbeat(scheduler)
        let alarm = DispatchAlarm(
            on: assembly.executor.queue,
            atLeastEvery: min(Self.alarmInterval, watchdogTimeout.map { $0 / 4 } ?? Self.alarmInterval)
        ) { [engine = assembly.engine] in
            engine.assumeIsolated { $0.alarmRang() }
        }
        defer { alarm.cancel() }
        do throws(SocketServerError) {
            try await assembly.server.start(at: assembly.place)
        } catch {
            await close()
            throw DaemonFailure(error)
        }
        async let _: Void = reloadAtHangups(heartbeat)
        async let _: Void? = assembly.metricsServer?.run()
        async let _: Void? = assembly.pages?.run()
        await assembly.engine.start(alarm) { [clock] in heartbeat.beat($0, now: clock().boot) }
        let end = await outcome(heartbeat)
        await close()
        try end.get()
    }

    /// Reads the configuration again at each SIGHUP, until the task is cancelled.
    private func reloadAtHangups(_ heartbeat: Heartbeat) async {
        for await _ in hangups.stream {
            heartbeat.reloading(monotonicMicroseconds: SystemClock.monotonicMicroseconds)
            let isTaken = await reloader.reload()
            heartbeat.reloaded(await assembly.engine.tally, isTaken: isTaken)
        }
    }

    /// Runs the engine to its end, and tells the service manager when it is ready and when it is asked to stop.
    private func outcome(_ heartbeat: Heartbeat) async -> Result<Void, DaemonFailure> {
        await withGracefulShutdownHandler {
            async let ready: Void = announce(heartbeat)
            do {
                try await assembly.engine.run()
                await ready
                return .success(())
            } catch let failure as StoreFailure {
                await ready
                return .failure(DaemonFailure(failure))
            } catch {
                await ready
                return .failure(.configuration("\(error)"))
            }
        } onGracefulShutdown: {
            heartbeat.stopping()
            Task { [connector = assembly.connector] in await connector.end() }
        }
    }

    private func announce(_ heartbeat: Heartbeat) async {
        await assembly.engine.untilLoaded()
        guard assembly.engine.isReady else { return }
        tellWhatWasFound()
        heartbeat.ready(await assembly.engine.tally)
    }

    /// What an operator should know of the database, although it works.
    private func tellWhatWasFound() {
        guard let report = assembly.store.report else { return }
        logger.info("table found", metadata: ["table": "\(report.table)", "id.type": "\(report.idType)"])
        for notice in report.notices { logger.warning("table has a flaw", metadata: ["table.notice": "\(notice)"]) }
        if case .absent(let reason) = report.ownSchema {
            logger.warning("schema tastytokend is not used", metadata: ["reason": "\(reason)"])
        }
    }

    private func heartbeat(_ scheduler: WatchdogPart) -> Heartbeat {
        let store = WatchdogPart("store") { [store = assembly.store] part in
            store.comeRound { part.advance() }
        }
        let acceptor = WatchdogPart("acceptor") { [server = assembly.server] part in
            Task {
                await server.comeRound()
                part.advance()
            }
        }
        let watchdog = watchdogTimeout.map {
            Watchdog(timeout: $0, parts: [scheduler, store, acceptor], notifier: notifier, logger: logger)
        }
        return Heartbeat(
            scheduler: scheduler,
            watchdog: watchdog,
            notifier: notifier,
            // Calls of the engine's, and then those of whoever connects an account.
            stopTakes: assembly.drainWithin + assembly.connectingWithin + .seconds(15),
            database: assembly.database
        ) { [server = assembly.server] in
            server.tellOfDeadTokens()
            Task { await server.lookAfterFile() }
        }
    }

    /// Waits for grants that are being proved and codes that are being exchanged, as the engine does for its calls: what TastyTrade gave must
    /// come into its row.
    private func drainConnecting() async {
        let connector = assembly.connector
        await connector.end()
        let deadline = DispatchTime.now() + .nanoseconds(Int(assembly.connectingWithin.nanoseconds))
        DispatchQueue.global().asyncAfter(deadline: deadline) { Task { await connector.letGo() } }
        await connector.untilIdle()
    }

    private func close() async {
        await drainConnecting()
        await assembly.server.stop(within: Self.farewell)
        await assembly.endpoint.shutdown()
        await leaveDatabase()
        assembly.store.close()
        await assembly.journal.close()
        assembly.quarantine.close()
    }

    /// Gives back what other daemons would wait for, and says that this one seals by no key any more. A database that is away is not
    /// waited for: then claims run out by themselves, and `reseal` takes this daemon for one that may come back.
    private func leaveDatabase() async {
        guard assembly.store.health.isConnected else { return }
        await tellEnd { store async throws(StoreFailure) in try await store.releaseClaims() }
        await tellEnd { store async throws(StoreFailure) in try await store.endSealing() }
    }

    private func tellEnd(_ tell: (PostgresGrantStore) async throws(StoreFailure) -> Void) async {
        do throws(StoreFailure) {
            try await tell(assembly.store)
        } catch {
            logger.debug("the database could not be told of the end", metadata: ["error.message": "\(error)"])
        }
    }
}

/// The daemon as the service group runs it; the group logs it by its description.
private struct DaemonWork: Service, CustomStringConvertible {
    let daemon: Daemon
    let description = "tastytokend"

    func run() async throws {
        try await daemon.work()
    }
}
