// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// A board that does what the test says: entries change when told, and waiters are woken as the port promises.
///
/// It checks what it is told: a waiter that was never given out, or is cancelled twice, is a ``violations`` entry.
package final class BoardDouble: TokenServing {
    fileprivate struct State {
        var entries: [UserID: BoardEntry] = [:]
        var reports: [UserID: GrantReport] = [:]
        var waiters: [ChangeWaiter: @Sendable () -> Void] = [:]
        var spent: Set<ChangeWaiter> = []
        var nextNumber: UInt64 = 1
        var refreshes: [UserID] = []
        var orders: [UserID] = []
        var verdicts: [UserID: RefreshVerdict] = [:]
        /// Those whose verdict is held back; nil where none is.
        var held: [CheckedContinuation<Void, Never>]?
        var violations: [String] = []
        var isReady = true
        var beforeReports: (@Sendable () -> Void)?
        var ring = EventRing(run: 1, capacity: 8)
        var eventWaiters: [EventWaiter: @Sendable () -> Void] = [:]
        var watchers: [(condition: @Sendable (Snapshot) -> Bool, resume: CheckedContinuation<Void, Never>)] = []
    }

    /// What a test may wait for.
    package struct Snapshot: Sendable {
        /// Callbacks that are registered now.
        package let waiters: Int
        /// Those who wait for an event.
        package let followers: Int
        /// Users whose refresh was asked for, in order.
        package let refreshes: [UserID]
        /// Users for whom a refresh was ordered, in order.
        package let orders: [UserID]
    }

    private let state = Mutex(State())

    /// A board without accounts.
    package init() {}

    /// Puts an entry on the board under the next version, and wakes whoever waits for a change of it.
    package func publish(_ token: PublishedToken?, _ prospect: RefreshProspect = .possible, for user: UserID) {
        let woken = state.withLock { state -> [@Sendable () -> Void] in
            let version = (state.entries[user]?.version ?? 0) + 1
            state.entries[user] = BoardEntry(token: token, prospect: prospect, version: version)
            return state.takeWaiters(of: user)
        }
        for wake in woken { wake() }
        resumeWatchers()
    }

    /// Takes the account off the board, and wakes whoever waits for a change of it.
    package func remove(_ user: UserID) {
        let woken = state.withLock { state -> [@Sendable () -> Void] in
            state.entries[user] = nil
            return state.takeWaiters(of: user)
        }
        for wake in woken { wake() }
        resumeWatchers()
    }

    /// What ``report(on:)`` tells of an account from now on.
    package func report(_ report: GrantReport) {
        state.withLock { $0.reports[report.user] = report }
    }

    /// What becomes of the next orders of a refresh for the user; without it, one is under way that replaces the token at hand.
    package func decide(_ verdict: RefreshVerdict, for user: UserID) {
        state.withLock { $0.verdicts[user] = verdict }
    }

    /// Holds verdicts on orders back from now on, until ``releaseVerdicts()``, however those who ask lose their patience.
    package func holdVerdicts() {
        state.withLock { $0.held = [] }
    }

    /// Lets the verdicts go that were held back.
    package func releaseVerdicts() {
        let held = state.withLock { $0.held.take() }
        for verdict in held ?? [] { verdict.resume() }
    }

    /// What happens before each answer of ``reports(_:)`` and ``explanation(of:)``: time passes, say.
    package func beforeReports(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.beforeReports = body }
    }

    /// Tells of an event, and wakes who waits for one. The last eight are kept.
    package func tell(_ event: AccountEvent) {
        let woken = state.withLock { state -> [@Sendable () -> Void] in
            state.ring.append(event)
            defer { state.eventWaiters = [:] }
            return Array(state.eventWaiters.values)
        }
        for wake in woken { wake() }
        resumeWatchers()
    }

    /// Whether every account is loaded.
    package func setReady(_ isReady: Bool) {
        state.withLock { $0.isReady = isReady }
    }

    /// What it was told that the port does not allow.
    package var violations: [String] { state.withLock(\.violations) }

    /// How things stand.
    package var snapshot: Snapshot { state.withLock(\.snapshot) }

    /// Comes back as soon as the condition holds.
    package func when(_ condition: @escaping @Sendable (Snapshot) -> Bool) async {
        await withCheckedContinuation { continuation in
            state.withLock { $0.watchers.append((condition, continuation)) }
            resumeWatchers()
        }
    }

    private func resumeWatchers() {
        let due = state.withLock { state in
            let snapshot = state.snapshot
            let due = state.watchers.filter { $0.condition(snapshot) }
            state.watchers.removeAll { $0.condition(snapshot) }
            return due
        }
        for watcher in due { watcher.resume.resume() }
    }
}

extension BoardDouble {
    package func entry(for user: UserID) -> BoardEntry? {
        state.withLock { $0.entries[user] }
    }

    package func onChange(
        of user: UserID,
        after version: UInt64,
        _ wake: @escaping @Sendable () -> Void
    ) -> ChangeWaiter? {
        let waiter = state.withLock { state -> ChangeWaiter? in
            guard state.entries[user]?.version == version else { return nil }
            let waiter = ChangeWaiter(user: user, number: state.nextNumber)
            state.nextNumber += 1
            state.waiters[waiter] = wake
            return waiter
        }
        if waiter == nil { wake() }
        resumeWatchers()
        return waiter
    }

    package func cancel(_ waiter: ChangeWaiter) {
        state.withLock { state in
            // A waiter that was woken may be cancelled once more: the two can cross on their way.
            if state.waiters.removeValue(forKey: waiter) == nil, state.spent.remove(waiter) == nil {
                state.violations.append("cancelled a waiter that is not registered: \(waiter)")
            }
        }
        resumeWatchers()
    }

    package func requestRefresh(of user: UserID) {
        state.withLock { state in
            if state.entries[user] == nil { state.violations.append("asked to refresh \(user), who is unknown") }
            state.refreshes.append(user)
        }
        resumeWatchers()
    }

    package func refresh(
        _ user: UserID,
        if isMeant: @escaping @Sendable (PublishedToken?) -> Bool
    ) async -> RefreshVerdict {
        let verdict = state.withLock { state -> RefreshVerdict in
            guard let entry = state.entries[user] else { return .unknownUser }
            guard isMeant(entry.token) else { return .stale(entry.token) }
            state.orders.append(user)
            return state.verdicts[user] ?? .underWay(replacing: entry.token)
        }
        resumeWatchers()
        await released()
        return verdict
    }

    private func released() async {
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                state.held?.append(continuation)
                return state.held != nil
            }
            if !isHeld { continuation.resume() }
        }
    }

    package func report(on user: UserID) async -> GrantReport? {
        state.withLock { $0.reports[user] }
    }

    /// Three accounts at a time, whatever the limit, so that whoever wants more must ask again.
    package func reports(_ query: ReportQuery) async -> ReportPage {
        state.withLock(\.beforeReports)?()
        let all = state.withLock { state in
            state.reports.values.filter { query.users?.contains($0.user) ?? true }.sorted {
                $0.user.text < $1.user.text
            }
        }
        let end = min(query.start + min(query.limit, 3), all.count)
        guard query.start < end else { return ReportPage(reports: [], next: nil) }
        let reports = all[query.start..<end].filter {
            query.statuses.contains($0.status) && (query.client == nil || query.client == $0.client)
        }
        return ReportPage(reports: reports, next: end < all.count ? end : nil)
    }

    package func explanation(of user: UserID) async -> GrantExplanation? {
        state.withLock(\.beforeReports)?()
        return await report(on: user).map { report in
            GrantExplanation(
                report: report,
                reason: "because",
                remedy: nil,
                next: .init(at: Moment.newYear.wall, why: "then"),
                attempts: [
                    RefreshAttempt(at: Moment.newYear.wall, milliseconds: 12, failure: .throttled),
                    RefreshAttempt(at: Moment.newYear.wall, milliseconds: 3, failure: nil),
                ]
            )
        }
    }

    package func summary() async -> EngineSummary {
        EngineSummary(
            accounts: AccountTally(healthy: 1, failing: 2, needingAPerson: 3, withoutGrant: 4),
            inLine: 5,
            inFlight: 6,
            unstored: 7,
            capacity: 8,
            stoppedFor: "because"
        )
    }

    package var isReady: Bool { state.withLock(\.isReady) }

    package var eventsEnd: EventPosition { state.withLock { $0.ring.end } }

    package func events(from start: EventPosition, atMost limit: Int) -> EventPage {
        state.withLock { $0.ring.page(from: start, atMost: limit) }
    }

    package func onEvent(after position: EventPosition, _ wake: @escaping @Sendable () -> Void) -> EventWaiter? {
        let waiter = state.withLock { state -> EventWaiter? in
            guard state.ring.end == position else { return nil }
            let waiter = EventWaiter(number: state.nextNumber)
            state.nextNumber += 1
            state.eventWaiters[waiter] = wake
            return waiter
        }
        if waiter == nil { wake() }
        resumeWatchers()
        return waiter
    }

    package func cancel(_ waiter: EventWaiter) {
        state.withLock { $0.eventWaiters[waiter] = nil }
        resumeWatchers()
    }
}

extension BoardDouble.State {
    fileprivate var snapshot: BoardDouble.Snapshot {
        BoardDouble.Snapshot(
            waiters: waiters.count,
            followers: eventWaiters.count,
            refreshes: refreshes,
            orders: orders
        )
    }

    fileprivate mutating func takeWaiters(of user: UserID) -> [@Sendable () -> Void] {
        let due = waiters.filter { $0.key.user == user }
        for waiter in due.keys {
            waiters[waiter] = nil
            spent.insert(waiter)
        }
        return Array(due.values)
    }
}
