// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import ServiceLifecycle
package import TokenCore

/// What the engine has to do besides refreshing, each with the time at which it is to be done.
struct Chores: Sendable {
    /// When rows are to be loaded; nil once they are, or while it happens.
    var loadAt: Moment?
    /// How often loading failed in a row.
    var loadFailures = 0
    /// When the next reconcile pass begins; nil while one goes on.
    var reconcileAt: Moment?
    /// When the last pass began.
    var passBeganAt: Moment?
    /// Before that, no pass is brought forward; nil before the first.
    var nextPassAfter: Moment?
    /// Whether a pass is wanted sooner than that.
    var wantsPass = false
    /// When notes in line are to be written; nil if there are none.
    var notesAt: Moment?
    /// When a stop that waits for calls in flight gives up.
    var drainedBy: Moment?
    /// When a stop gives up storing mere copies of what is handed out; nil while more than that is under way.
    var copiesBy: Moment?

    /// The time until the first of them, at `now`.
    func untilNext(at now: Moment) -> Duration? {
        [loadAt, reconcileAt, notesAt, drainedBy, copiesBy].compactMap { $0?.remaining(at: now) }.min()
    }
}

/// Where in its life the engine is.
enum LifePhase: Sendable {
    /// Not started. To `loading`.
    case idle
    /// Started, rows not loaded yet. To `running`, `draining` or `ended`.
    case loading
    /// At work. To `draining` or `ended`.
    case running
    /// Begins nothing new, finishes what is in flight. To `ended`.
    case draining
    /// Done.
    case ended
}

extension RefreshEngine {
    /// Takes the alarm that rings on the engine's queue and calls ``alarmRang()``, and begins to load.
    ///
    /// - Parameters:
    ///   - alarm: the one timer.
    ///   - heartbeat: called at every ring with how accounts stand, as a sign that the schedule is alive.
    package func start(_ alarm: any Alarm, heartbeat: @escaping @Sendable (AccountTally) -> Void = { _ in }) {
        guard phase == .idle else { return }
        self.alarm = alarm
        self.heartbeat = heartbeat
        phase = .loading
        chores.loadAt = clock()
        advance()
    }

    /// The alarm rang, perhaps early: looks at the time, and does what is due.
    package func alarmRang() {
        armedFor = nil
        heartbeat(tally)
        advance()
    }

    /// Does everything that can be done now, and arms the alarm for what comes next. Every input ends here.
    func advance() {
        // What comes back after the end is nobody's any more, and must not open the store again.
        guard phase != .ended else { return }
        let now = clock()
        statuses.pass(to: now.boot)
        while let slot = due.popDue(at: now) { apply(slot) { $0.due($1) } }
        doChores(at: now)
        flushWrites()
        flushRereads()
        flushEnds()
        flushSettles()
        pump(at: now)
        if phase == .draining, isDrained(at: now) { finish(throwing: nil) }
        arm(at: now)
    }

    private func doChores(at now: Moment) {
        if phase == .loading, let loadAt = chores.loadAt, loadAt.isReached(at: now) {
            chores.loadAt = nil
            load()
        }
        bringPassForward(at: now)
        if phase == .running, let reconcileAt = chores.reconcileAt, reconcileAt.isReached(at: now) { reconcile() }
        flushNotes(at: now)
    }

    private func arm(at now: Moment) {
        guard phase != .ended else { return }
        let untilCall = phase == .running ? untilNextCall(at: now) : nil
        let waits = [due.untilNext(at: now), chores.untilNext(at: now), untilCall].compactMap { $0 }
        guard let wait = waits.min() else { return }
        let deadline = now.wall + max(wait, .zero)
        guard deadline != armedFor else { return }
        armedFor = deadline
        alarm?.arm(at: deadline)
    }
}

// MARK: - The end

extension RefreshEngine {
    /// Begins no refresh any more; those in flight are finished and stored, then ``ended()`` returns.
    package func drain() {
        guard phase != .draining, phase != .ended else { return }
        phase = .draining
        chores.loadAt = nil
        chores.reconcileAt = nil
        following?.cancel()
        chores.drainedBy = clock() + configuration.drainWithin
        logger.notice("draining", metadata: inFlightMetadata)
        advance()
    }

    private var inFlightMetadata: Logger.Metadata {
        ["refreshes.in_flight": .stringConvertible(lanes.inFlight), "tokens.unstored": .stringConvertible(unstored)]
    }

    private func isDrained(at now: Moment) -> Bool {
        if lanes.inFlight == 0, unstored == 0, pendingNotes.isEmpty, pendingEnds.isEmpty, !isEnding { return true }
        // Answers that are handed out already are in the database for the next start only, which can do without.
        if lanes.inFlight == 0, unpublished == 0 {
            chores.copiesBy = chores.copiesBy ?? now + .seconds(3)
        } else {
            chores.copiesBy = nil
        }
        let isOver = [chores.drainedBy, chores.copiesBy].contains { $0?.isReached(at: now) ?? false }
        guard isOver else { return false }
        logger.error(
            "stop could not wait for everything",
            metadata: inFlightMetadata
        )
        return true
    }

    func finish(throwing failure: StoreFailure?) {
        guard phase != .ended else { return }
        phase = .ended
        following?.cancel()
        outcome = failure.map { .failure($0) } ?? .success(())
        let waiting = waitingForEnd + waitingForLoad
        waitingForEnd = []
        waitingForLoad = []
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when every account is loaded, or when the engine has come to its end before that.
    package func untilLoaded() async {
        guard !isReady, phase != .ended else { return }
        await withCheckedContinuation { waitingForLoad.append($0) }
    }

    /// Returns when the engine has come to its end.
    ///
    /// - Throws: the store's failure, if that is why: table, column or rights are not as configured.
    package func ended() async throws(StoreFailure) {
        if outcome == nil { await withCheckedContinuation { waitingForEnd.append($0) } }
        try outcome?.get()
    }
}

extension RefreshEngine: Service {
    /// Works until a graceful shutdown, then drains. ``start(_:heartbeat:)`` comes first.
    package func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await ended()
        } onCancelOrGracefulShutdown: {
            Task { await self.drain() }
        }
    }
}
