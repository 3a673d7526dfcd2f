// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// A journal in memory that behaves as its port says, fails when told to, and tells what was written.
package final class RecordingJournal: ReplyJournaling {
    private struct State {
        var open: [UserID: JournalEntry] = [:]
        var found: RecoveredJournal
        var failure: JournalFailure?
        var readingFailure: JournalFailure?
        var gate: Mailbox<Void>?
    }

    private let state: Mutex<State>
    /// Every group that was appended, whether that went well or not.
    package let appended = Mailbox<[JournalEntry]>()
    /// Every account that was settled.
    package let settled = Mailbox<UserID>()

    /// A journal in which the process before left that.
    package init(_ found: RecoveredJournal = RecoveredJournal()) {
        var state = State(found: found)
        for entry in found.entries { state.open[entry.user] = entry }
        self.state = Mutex(state)
    }

    /// What is not settled.
    package var open: [UserID: JournalEntry] { state.withLock(\.open) }

    /// Makes reading fail with this, until it is nil again.
    package func failReading(with failure: JournalFailure?) {
        state.withLock { $0.readingFailure = failure }
    }

    /// Makes every append fail with this, until it is nil again.
    package func fail(with failure: JournalFailure?) {
        state.withLock { $0.failure = failure }
    }

    /// Holds every append until ``release()``.
    package func hold() {
        state.withLock { $0.gate = Mailbox<Void>() }
    }

    /// Lets one held append go on, the first that came or comes.
    package func release() {
        state.withLock(\.gate)?.send(())
    }

    package func recover(at now: Moment) async throws(JournalFailure) -> RecoveredJournal {
        let (found, failure) = state.withLock { ($0.found, $0.readingFailure) }
        if let failure { throw failure }
        return found
    }

    package func append(_ entries: [JournalEntry]) async throws(JournalFailure) {
        appended.send(entries)
        await state.withLock(\.gate)?.next()
        let failure = state.withLock { state in
            if state.failure == nil { for entry in entries { state.open[entry.user] = entry } }
            return state.failure
        }
        if let failure { throw failure }
    }

    package func settle(_ users: [UserID]) {
        state.withLock { state in for user in users { state.open[user] = nil } }
        for user in users { settled.send(user) }
    }

    package var standing: JournalStanding {
        state.withLock { JournalStanding(entries: $0.open.count, trouble: $0.failure?.description) }
    }
}
