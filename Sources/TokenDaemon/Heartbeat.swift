// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import HostSystemd
import SocketServer
import Synchronization
import TokenCore

/// What the daemon tells the service manager while it runs, at the pace of the engine's own alarm: its status in words,
/// and signs of life from the parts that moved.
final class Heartbeat: Sendable {
    private struct State {
        var phase = Phase.loading
        var isConfigurationRefused = false
        var lastStatus = ""
        var lastStatusAt: BootTime?
        var lastRoundAt: BootTime?
    }

    /// What the status speaks of.
    enum Phase: Sendable {
        /// Accounts are not loaded yet.
        case loading
        /// At work.
        case running
        /// Asked to end.
        case stopping
    }

    /// More often than this nobody reads a status, and nothing is looked after.
    private static let pause: Duration = .seconds(1)

    private let scheduler: WatchdogPart
    private let watchdog: Watchdog?
    private let notifier: ServiceNotifier
    private let stopTakes: Duration
    private let database: @Sendable () -> ServiceFacts.Database
    private let round: @Sendable () -> Void
    private let state = Mutex(State())

    /// Beats for a daemon that is loading.
    ///
    /// - Parameters:
    ///   - scheduler: the engine's part; each beat is its progress.
    ///   - watchdog: fed at each beat if all parts moved; nil if nobody watches.
    ///   - notifier: speaks to the service manager.
    ///   - stopTakes: how long a stop may take; the service manager is asked for that much patience.
    ///   - database: how it stands, at the time of the call.
    ///   - round: looks after what nobody else tells of; called at a beat, once a second at most, and must not block.
    init(
        scheduler: WatchdogPart,
        watchdog: Watchdog?,
        notifier: ServiceNotifier,
        stopTakes: Duration,
        database: @escaping @Sendable () -> ServiceFacts.Database,
        round: @escaping @Sendable () -> Void
    ) {
        self.scheduler = scheduler
        self.watchdog = watchdog
        self.notifier = notifier
        self.stopTakes = stopTakes
        self.database = database
        self.round = round
    }

    /// The alarm rang.
    func beat(_ tally: AccountTally, now: BootTime) {
        scheduler.advance()
        watchdog?.tick(now: now)
        if isTimeForRound(now) { round() }
        guard let news = news(tally, now) else { return }
        notifier.status(news)
    }

    /// The accounts are loaded and the socket answers.
    func ready(_ tally: AccountTally) {
        let database = database()
        let status: String? = state.withLock { state in
            // A stop may have been asked for while the last rows were loaded.
            guard state.phase == .loading else { return nil }
            state.phase = .running
            state.lastStatus = Self.words(tally, database, state)
            return state.lastStatus
        }
        if let status { notifier.ready(status: status) }
    }

    /// The configuration is read again from now on. Before the accounts are loaded the service manager is not told: the end of
    /// a reload would tell it that the daemon is ready.
    func reloading(monotonicMicroseconds now: UInt64) {
        guard state.withLock({ $0.phase == .running }) else { return }
        notifier.reloading(monotonicMicroseconds: now, status: StatusWords.reloading)
    }

    /// The configuration was read, and taken or refused; nil: neither. The service manager takes the end of a reload for its
    /// success, so that the status has to say it.
    func reloaded(_ tally: AccountTally, isTaken: Bool?) {
        let database = database()
        let status: String? = state.withLock { state in
            if let isTaken { state.isConfigurationRefused = !isTaken }
            guard state.phase == .running else { return nil }
            state.lastStatus = Self.words(tally, database, state)
            return state.lastStatus
        }
        if let status { notifier.ready(status: status) }
    }

    private static func words(_ tally: AccountTally, _ database: ServiceFacts.Database, _ state: State) -> String {
        StatusWords.running(tally, database: database, isConfigurationRefused: state.isConfigurationRefused)
    }

    /// The daemon was asked to end.
    func stopping() {
        state.withLock { $0.phase = .stopping }
        notifier.stopping(status: StatusWords.stopping)
        notifier.extendTimeout(by: stopTakes)
    }

    private func isTimeForRound(_ now: BootTime) -> Bool {
        state.withLock { state in
            if let last = state.lastRoundAt, now - last < Self.pause { return false }
            state.lastRoundAt = now
            return state.phase != .stopping
        }
    }

    /// The status, if it is another than the last one and that is not too fresh.
    private func news(_ tally: AccountTally, _ now: BootTime) -> String? {
        let database = database()
        return state.withLock { state in
            if let last = state.lastStatusAt, now - last < Self.pause { return nil }
            let status: String
            switch state.phase {
            case .loading: status = StatusWords.loading(databaseTrouble: database.trouble)
            case .running: status = Self.words(tally, database, state)
            case .stopping: return nil
            }
            guard status != state.lastStatus else { return nil }
            state.lastStatus = status
            state.lastStatusAt = now
            return status
        }
    }
}
