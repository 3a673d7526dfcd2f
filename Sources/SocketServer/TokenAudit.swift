// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Synchronization
import TokenCore

/// The record of who took whose token and when.
///
/// Hand-outs are told to it on the threads that answer, which it keeps for no longer than a look into its ledger. Records
/// wait in a queue and are written on a thread of its own, so many a second: a journal that is flooded drops other records
/// of the daemon too (journald.conf(5), `RateLimitBurst=`: 10,000 in 30 s), and one that stands still must hold up nobody.
final class TokenAudit: Sendable {
    /// What is written.
    enum Record: Hashable, Sendable {
        /// Hand-outs.
        case take(TokenTake)
        /// So many records were not written, because too many waited.
        case dropped(Int)
    }

    /// Records that wait at most; more are dropped, and their number told.
    static let mostWaiting = 8192
    /// Pairs at which one look for dead tokens looks.
    private static let portion = 4096
    /// Records that are written at once, and the pause between: 200 a second.
    private static let batch = 20
    private static let pause = DispatchTimeInterval.milliseconds(100)

    private struct State {
        var ledger = TakeLedger()
        var settings: AuditSettings
        var waiting: [TokenTake] = []
        var dropped = 0
        var isWriting = false
    }

    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "tastytokend.audit")
    private let write: @Sendable (Record) -> Void

    /// A record that is empty yet; `write` is called on a thread of its own, for one record at a time.
    init(_ settings: AuditSettings, write: @escaping @Sendable (Record) -> Void) {
        self.state = Mutex(State(settings: settings))
        self.write = write
    }

    /// A token is handed out. Any thread; never waits for a record to be written.
    func took(_ token: PublishedToken, of user: UserID, by caller: Caller, at now: Moment) {
        change { state in
            guard state.settings.chooses(token.mark) else { return }
            state.ledger.take(token, of: user, by: caller, at: now, into: &state.waiting)
        }
    }

    /// Records by these settings from now on. Where nothing is to be recorded any more, what was noted until then is told.
    func use(_ settings: AuditSettings) {
        change { state in
            state.settings = settings
            if !settings.isOn { state.ledger.closeAll(into: &state.waiting) }
        }
    }

    /// Has the numbers told of some tokens that are dead. To be called now and then.
    func tellOfDead(at now: Moment) {
        change { $0.ledger.closeDead(at: now, lookingAt: Self.portion, into: &$0.waiting) }
    }

    /// Writes all that is left, and comes back when that is done.
    func end() async {
        change { $0.ledger.closeAll(into: &$0.waiting) }
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                while writeSome(Self.mostWaiting) {}
                continuation.resume()
            }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let begins = state.withLock { state in
            body(&state)
            let excess = state.waiting.count - Self.mostWaiting
            if excess > 0 {
                state.waiting.removeLast(excess)
                state.dropped += excess
            }
            guard !state.isWriting, !state.waiting.isEmpty else { return false }
            state.isWriting = true
            return true
        }
        if begins { queue.async { [self] in writeOn() } }
    }

    /// Writes batch after batch until nothing waits.
    private func writeOn() {
        guard writeSome(Self.batch) else { return }
        queue.asyncAfter(deadline: .now() + Self.pause) { [self] in writeOn() }
    }

    /// Writes the first of what waits, and how much was dropped behind the last; gives whether there was anything.
    private func writeSome(_ few: Int) -> Bool {
        let (records, dropped) = state.withLock { state in
            let records = Array(state.waiting.prefix(few))
            state.waiting.removeFirst(records.count)
            state.isWriting = !records.isEmpty
            // Where more comes all the time than is written, there is no end to wait for.
            guard state.waiting.isEmpty || state.dropped >= Self.mostWaiting else { return (records, 0) }
            defer { state.dropped = 0 }
            return (records, state.dropped)
        }
        for record in records { write(.take(record)) }
        if dropped > 0 { write(.dropped(dropped)) }
        return !records.isEmpty
    }
}
