// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Synchronization
package import TokenCore

/// The journal in the daemon's state folder: sealed records in one file, made durable together.
///
/// All that touches the file happens on one queue. What comes while one group is being made durable waits and makes up the next, so
/// that the disk is asked as rarely as it can be.
package final class ReplyJournal: ReplyJournaling {
    /// The name of the file.
    package static let fileName = "reply-journal"
    /// Records that may wait for their turn; beyond it nothing is taken.
    private static let mostWaiting = 20_000

    private let queue = DispatchQueue(label: "tastytokend.journal")
    private let timers = DispatchQueue(label: "tastytokend.journal.deadlines")
    /// Touched on the queue alone.
    private let desk: Mutex<JournalDesk>
    private let line = Mutex(Line())
    private let patience: Duration
    private let reasonItCannotLast: String?

    private struct Line {
        var records: [JournalRecord] = []
        /// Whose entries are struck out with the next records.
        var settled: Set<UserID> = []
        var tickets: [JournalTicket] = []
        var isScheduled = false
        var standing = JournalStanding(entries: 0, trouble: nil)

        /// Whether somebody has to have the line written; whoever asks first does.
        mutating func schedule() -> Bool {
            defer { isScheduled = true }
            return !isScheduled
        }

        /// What is to be written, in its order: what was settled before an entry is struck out before it.
        mutating func settleFirst() {
            records += settled.map(JournalRecord.settled)
            settled = []
        }
    }

    /// The journal in that folder; nothing is read yet.
    ///
    /// - Parameters:
    ///   - folder: the state folder.
    ///   - seal: seals records; what it sealed is opened by the next process.
    ///   - patience: how long an append may take.
    ///   - reasonItCannotLast: why the next process will not be able to open what is sealed now; nil if it will.
    package init(
        in folder: String,
        _ seal: RecordSeal,
        patience: Duration = .seconds(5),
        reasonItCannotLast: String? = nil
    ) {
        desk = Mutex(JournalDesk(JournalFile(in: folder, named: Self.fileName), seal))
        self.patience = patience
        self.reasonItCannotLast = reasonItCannotLast
    }

    /// How it stands, at the time of the call.
    package var standing: JournalStanding { line.withLock(\.standing) }

    /// What the process before left open; called before anything else, and again if it failed.
    ///
    /// - Parameter now: the time by both clocks, from which the lives of tokens are counted on.
    /// - Returns: the entries, and what could not be read.
    /// - Throws: that it cannot be read; nothing can be appended then either.
    package func recover(at now: Moment) async throws(JournalFailure) -> RecoveredJournal {
        // However long it takes: whoever went on without it might spend what is in it.
        try await withCheckedContinuation { continuation in
            queue.async {
                let found = self.desk.withLock { desk in
                    Result { () throws(JournalFailure) in try desk.recover(at: now) }
                }
                self.note(found.problem?.description)
                continuation.resume(returning: found)
            }
        }.get()
    }

    /// Makes entries durable, together with all that wait for it in the same moment.
    ///
    /// - Parameter entries: at most one for an account.
    /// - Throws: that they are not, or not in time.
    package func append(_ entries: [JournalEntry]) async throws(JournalFailure) {
        guard !entries.isEmpty else { return }
        do throws(JournalFailure) {
            if let reasonItCannotLast { throw JournalFailure(reasonItCannotLast) }
            try await answered { join(entries, $0) }
        } catch {
            // Also where the disk has not said anything yet.
            line.withLock { $0.standing = JournalStanding(entries: $0.standing.entries, trouble: error.description) }
            throw error
        }
    }

    /// Strikes out entries. That is written with the next group, or by itself, and made durable with the next entry.
    package func settle(_ users: [UserID]) {
        let schedules = line.withLock { line in
            line.settled.formUnion(users)
            return line.schedule()
        }
        if schedules { queue.async { self.flush() } }
    }

    /// Writes what is in line and lets go of the file, so that another process may have it. Nothing is taken after that. A disk that
    /// does not answer is not waited for: what is in line is only to be struck out.
    package func close() async {
        try? await answered { ticket in
            queue.async {
                self.flush()
                self.desk.withLock { $0.close() }
                ticket.resolve(.success(()))
            }
        }
    }

    /// Waits for an answer to the ticket, no longer than the patience lasts.
    private func answered(_ begin: (JournalTicket) -> Void) async throws(JournalFailure) {
        let patience = patience
        try await withCheckedContinuation { continuation in
            let ticket = JournalTicket(continuation)
            timers.asyncAfter(deadline: .now() + .nanoseconds(Int(patience.nanoseconds))) { [weak ticket] in
                ticket?.resolve(.failure(Self.failure("the disk did not answer within \(patience)")))
            }
            begin(ticket)
        }.get()
    }

    private static func failure(_ words: String) -> JournalFailure { JournalFailure("\(fileName): \(words)") }
}

extension ReplyJournal {
    /// Puts entries in line, and has the queue write what is in line by then.
    private func join(_ entries: [JournalEntry], _ ticket: JournalTicket) {
        let schedules: Bool? = line.withLock { line in
            guard line.records.count + entries.count <= Self.mostWaiting else { return nil }
            line.settleFirst()
            line.records += entries.map(JournalRecord.entry)
            line.tickets.append(ticket)
            return line.schedule()
        }
        guard let schedules else {
            let words = "the disk is too slow, more than \(Self.mostWaiting) records wait for it"
            return ticket.resolve(.failure(Self.failure(words)))
        }
        if schedules { queue.async { self.flush() } }
    }

    private func flush() {
        let (records, tickets) = line.withLock { line in
            line.settleFirst()
            defer { line = Line(standing: line.standing) }
            return (line.records, line.tickets)
        }
        guard !records.isEmpty else { return }
        let written = desk.withLock { desk in
            Result { () throws(JournalFailure) in try desk.write(records, isDurable: !tickets.isEmpty) }
        }
        // What is only struck out is not made durable, and so says nothing of the disk.
        note(tickets.isEmpty ? standing.trouble : written.problem?.description)
        for ticket in tickets { ticket.resolve(written) }
    }

    /// Says how things stand after the last call.
    private func note(_ trouble: String?) {
        let count = desk.withLock { $0.count }
        line.withLock { $0.standing = JournalStanding(entries: count, trouble: trouble) }
    }
}

extension Result {
    /// What went wrong; nil if nothing did.
    fileprivate var problem: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
