// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Logging
import Synchronization
package import TokenCore

/// A part of the daemon that must keep moving for the watchdog to be fed: the scheduler, the store, the acceptor.
package final class WatchdogPart: Sendable {
    /// What the part is called in a warning.
    package let name: String
    private let counter = Atomic<UInt64>(0)
    private let nudge: @Sendable (WatchdogPart) -> Void

    /// Names a part. `nudge` is called at every tick and must return at once: a part that may be idle for long hands an
    /// empty job to its own queue or loop there, whose running is the progress. A stuck loop never runs it.
    package init(_ name: String, nudge: @escaping @Sendable (WatchdogPart) -> Void = { _ in }) {
        self.name = name
        self.nudge = nudge
    }

    /// The part did something; from any thread.
    package func advance() {
        counter.wrappingAdd(1, ordering: .relaxed)
    }

    /// How often it did.
    var count: UInt64 { counter.load(ordering: .relaxed) }

    /// Asks an idle part to prove that it can move.
    func ask() { nudge(self) }
}

/// Feeds the service manager's watchdog from the progress of the parts, never from a timer of its own.
package final class Watchdog: Sendable {
    private let parts: [WatchdogPart]
    private let notifier: ServiceNotifier
    private let logger: Logger
    private let state: Mutex<State>

    fileprivate struct State {
        var ledger: WatchdogLedger
        var lastFed: BootTime?
        var lastAsked: BootTime?
        var reported: [Int] = []
    }

    /// Watches the parts for a manager that waits for `timeout`.
    package init(timeout: Duration, parts: [WatchdogPart], notifier: ServiceNotifier, logger: Logger) {
        self.parts = parts
        self.notifier = notifier
        self.logger = logger
        self.state = Mutex(State(ledger: WatchdogLedger(timeout: timeout, counters: parts.map(\.count))))
    }

    /// How often ``tick(now:)`` must be called at least.
    package var interval: Duration { state.withLock { $0.ledger.interval } }

    /// Pets if it is time and every part moved; then asks each part to move again. Called by the daemon's one timer.
    package func tick(now: BootTime) {
        let counters = parts.map(\.count)
        let (verdict, asks, stalled) = state.withLock { state in
            let verdict = state.ledger.decide(counters: counters, at: now)
            return (verdict, state.mayAsk(after: verdict, at: now), state.complaint(about: verdict, at: now))
        }
        if verdict == .pet { notifier.petWatchdog() }
        report(stalled)
        if asks { parts.forEach { $0.ask() } }
    }

    private func report(_ stalled: [Int]) {
        guard !stalled.isEmpty else { return }
        let names = stalled.map { parts[$0].name }.joined(separator: ",")
        logger.error("watchdog is not fed: parts do not move", metadata: ["parts": "\(names)"])
    }
}

extension Watchdog.State {
    /// Whether the parts are to be asked to move. While some do not, they are asked once in an interval only: what a stuck
    /// part is asked piles up in its queue.
    fileprivate mutating func mayAsk(after verdict: WatchdogLedger.Verdict, at now: BootTime) -> Bool {
        switch verdict {
        case .tooSoon: return false
        case .held: if let lastAsked, now - lastAsked < ledger.interval { return false }
        case .pet: break
        }
        lastAsked = now
        return true
    }

    /// Which parts to complain about: those that have held the watchdog back for half of its timeout, once.
    fileprivate mutating func complaint(about verdict: WatchdogLedger.Verdict, at now: BootTime) -> [Int] {
        switch verdict {
        case .tooSoon:
            return []
        case .pet:
            lastFed = now
            reported = []
            return []
        case .held(let stalled):
            // Before the first time, patience begins with the first look.
            let since = lastFed ?? now
            lastFed = since
            guard now - since >= ledger.timeout / 2, stalled != reported else { return [] }
            reported = stalled
            return stalled
        }
    }
}
