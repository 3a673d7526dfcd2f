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
        var tickets: [JournalTicket<Void>] = []
        var isScheduled = false
        var standing = JournalStanding(entries: 0, trouble: nil)
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

    /// What the process before left open; called once, before anything else.
    ///
    /// - Parameter now: the time by both clocks, from which the lives of tokens are counted on.
    /// - Returns: the entries, and what could not be read.
    /// - Throws: that it cannot be read; nothing can be appended then either.
    package func recover(at now: Moment) async throws(JournalFailure) -> RecoveredJournal {
        let ticket = JournalTicket<RecoveredJournal>()
        queue.async {
            let found = self.desk.withLock { desk in
                Result { () throws(JournalFailure) in try desk.recover(at: now) }
            }
            self.note(found.problem)
            ticket.resolve(found)
        }
        return try await outcome(of: ticket)
    }

    /// Makes entries durable, together with all that wait for it in the same moment.
    ///
    /// - Parameter entries: at most one for an account.
    /// - Throws: that they are not, or not in time.
    package func append(_ entries: [JournalEntry]) async throws(JournalFailure) {
        guard !entries.isEmpty else { return }
        if let reasonItCannotLast { throw JournalFailure(reasonItCannotLast) }
        let ticket = JournalTicket<Void>()
        guard join(entries.map(JournalRecord.entry), ticket) else {
            throw JournalFailure(
                "\(Self.fileName): the disk is too slow, more than \(Self.mostWaiting) records wait for it"
            )
        }
        try await outcome(of: ticket)
    }

    /// Strikes out entries. That is written with the next group, or by itself, and made durable with the next entry.
    package func settle(_ users: [UserID]) {
        _ = join(users.map(JournalRecord.settled), nil)
    }

    /// Writes what is in line and lets go of the file, so that another process may have it. Nothing is taken after that.
    package func close() async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.flush()
                self.desk.withLock { $0.close() }
                continuation.resume()
            }
        }
    }

    /// Waits for the answer to the ticket, no longer than the patience lasts.
    private func outcome<Value>(of ticket: JournalTicket<Value>) async throws(JournalFailure) -> Value {
        let patience = patience
        return try await withCheckedContinuation { continuation in
            ticket.wait(continuation)
            timers.asyncAfter(deadline: .now() + .nanoseconds(Int(patience.nanoseconds))) { [weak ticket] in
                ticket?.resolve(
                    .failure(JournalFailure("\(Self.fileName): the disk did not answer within \(patience)"))
                )
            }
        }.get()
    }
}

extension ReplyJournal {
    /// Puts records in line, and has the queue write what is in line by then. False if too many wait.
    private func join(_ records: [JournalRecord], _ ticket: JournalTicket<Void>?) -> Bool {
        let (isIn, schedules) = line.withLock { line in
            guard line.records.count + records.count <= Self.mostWaiting else { return (false, false) }
            line.records += records
            if let ticket { line.tickets.append(ticket) }
            defer { line.isScheduled = true }
            return (true, !line.isScheduled)
        }
        if schedules { queue.async { self.flush() } }
        return isIn
    }

    private func flush() {
        let (records, tickets) = line.withLock { line in
            defer { line = Line(standing: line.standing) }
            return (line.records, line.tickets)
        }
        let written = desk.withLock { desk in
            Result { () throws(JournalFailure) in try desk.write(records, isDurable: !tickets.isEmpty) }
        }
        // That a settled entry cannot be struck out is no trouble before somebody has one to write.
        if !tickets.isEmpty || written.problem == nil { note(written.problem) }
        for ticket in tickets { ticket.resolve(written) }
    }

    /// Says how things stand after the last call.
    private func note(_ failure: JournalFailure?) {
        let count = desk.withLock { $0.count }
        line.withLock { $0.standing = JournalStanding(entries: count, trouble: failure?.description) }
    }
}

extension Result {
    /// What went wrong; nil if nothing did.
    fileprivate var problem: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
