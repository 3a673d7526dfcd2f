// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// Writes in line for one way into the database, a batch at a time.
struct WriteLine: Sendable {
    /// So many answers go into one batch at most; the rest is the next.
    private static let largestBatch = 500

    private var pending: [GrantWrite] = []
    private var isBusy = false

    /// Puts a write in line.
    mutating func append(_ write: GrantWrite) {
        pending.append(write)
    }

    /// The next batch, whose end ``end()`` says; nil if there is none, or one is under way.
    mutating func begin() -> [GrantWrite]? {
        guard !isBusy, !pending.isEmpty else { return nil }
        let batch = Array(pending.prefix(Self.largestBatch))
        pending.removeFirst(batch.count)
        isBusy = true
        return batch
    }

    /// Takes out all that is in line and not under way.
    mutating func takeAll() -> [GrantWrite] {
        defer { pending = [] }
        return pending
    }

    /// The batch under way is over.
    mutating func end() {
        isBusy = false
    }
}

/// The way of an answer into the database, and of what is to be remembered of an account.
extension RefreshEngine {
    /// So many notes are written together at most.
    private static let largestBatch = 500

    /// Puts an answer in line for its row. While one batch is being written, the next gathers.
    func write(_ answer: TokenAnswer, of account: Account) {
        let write = GrantWrite(
            user: account.user,
            answer: answer,
            usedVersion: account.machine.grantVersion,
            claim: claims[account.user]
        )
        if slowRows.contains(account.user) { lockedWrites.append(write) } else { writes.append(write) }
    }

    /// Writes what is in line, unless a batch is under way. Rows that another session holds are waited for in a line of
    /// their own, so that they hold up no other.
    func flushWrites() {
        if let storeFailure, isStoreAway(at: clock()) {
            // Found out a moment ago: each try would end like that one, and what is not stored is handed out without.
            giveUp(writes.takeAll() + lockedWrites.takeAll(), storeFailure)
            return
        }
        if let batch = writes.begin() { write(batch, waiting: false) }
        if let batch = lockedWrites.begin() { write(batch, waiting: true) }
    }

    private func write(_ batch: [GrantWrite], waiting: Bool) {
        Task {
            do throws(StoreFailure) {
                wrote(batch, try await store.write(batch, waiting: waiting), waiting: waiting)
            } catch {
                couldNotWrite(batch, error, waiting: waiting)
            }
        }
    }

    private func endBatch(waiting: Bool) {
        if waiting { lockedWrites.end() } else { writes.end() }
    }

    private func wrote(_ batch: [GrantWrite], _ outcomes: [UserID: WriteOutcome], waiting: Bool) {
        endBatch(waiting: waiting)
        noteStoreAnswered()
        defer { keepMoreGrants(room: kept.worthwhileRoom) }
        for write in batch {
            noteSpent(by: write, outcomes[write.user])
            noteSpeed(of: write, outcomes[write.user], waiting: waiting)
            settleClaim(of: write, outcomes[write.user] ?? .superseded)
            guard let slot = slot(awaiting: write) else { continue }
            switch outcomes[write.user] ?? .superseded {
            case .stored(let version):
                follow(write.user, storingAttempts[write.user], "token stored")
                apply(slot) { $0.stored(grantVersion: version, $1) }
                reconsiderKeeping(slot)
            case .superseded where write.claim != nil:
                apply(slot) { $0.fenced($1) }
            case .superseded:
                apply(slot) { $0.superseded($1) }
            case .locked where !waiting, .untried:
                lockedWrites.append(write)
            case .locked:
                // That ends by itself, and soon: an application's transactions are short.
                let failure = RefreshFailure(
                    .storeUnavailable,
                    text: "the token could not be stored: the row is locked"
                )
                apply(slot) { $0.storeFailed(failure, $1) }
                offerAgain(write)
            case .rejected(let reason):
                let failure = RefreshFailure(.storeRejected, text: "the token could not be stored: \(reason)")
                apply(slot) { $0.storeFailed(failure, $1) }
                offerAgain(write)
            }
        }
        advance()
    }

    private func noteSpent(by write: GrantWrite, _ outcome: WriteOutcome?) {
        guard case .stored(let version)? = outcome, version != write.usedVersion,
            let successor = write.answer.newRefreshToken
        else { return }
        spent.note(write.usedVersion, of: write.user, successor: successor)
    }

    /// A row that took long, or that somebody holds, is written apart from the others until it is stored.
    private func noteSpeed(of write: GrantWrite, _ outcome: WriteOutcome?, waiting: Bool) {
        switch outcome {
        case .stored, .superseded, nil: slowRows.remove(write.user)
        case .rejected where waiting: slowRows.insert(write.user)
        case .rejected, .locked, .untried: break
        }
    }

    /// A claim ended with the write that took effect, or was lost before one that did not. A row that takes no write keeps
    /// its claim for another try.
    private func settleClaim(of write: GrantWrite, _ outcome: WriteOutcome) {
        guard let claim = write.claim, claims[write.user] == claim else { return }
        switch outcome {
        case .stored: claims[write.user] = nil
        case .superseded:
            claims[write.user] = nil
            end(claim, after: .zero)
        case .locked, .untried, .rejected: break
        }
    }

    /// The account whose answer that write carries; nil if the account has gone on meanwhile: what became of an old write
    /// says nothing about a newer answer.
    func slot(awaiting write: GrantWrite) -> AccountSlot? {
        // Whether it is in the journal may have changed since.
        guard let slot = table.slot(of: write.user), case .storing(let answer, _)? = table[slot]?.machine.phase,
            answer.journaled == write.answer.journaled
        else { return nil }
        return slot
    }

    private func couldNotWrite(_ batch: [GrantWrite], _ error: StoreFailure, waiting: Bool) {
        endBatch(waiting: waiting)
        note(error, "tokens could not be stored", accounts: batch.count)
        // One row may have taken the time of all: until they are stored, these are written apart from those that come after.
        if !waiting, error.kind == .timeout { slowRows.formUnion(batch.map(\.user)) }
        guard !waiting, error.kind == .timeout, !error.isOutOfReach || batch.contains(where: \.isOnlyCopy) else {
            giveUp(batch, error)
            return advance()
        }
        for write in batch where slot(awaiting: write) != nil { lockedWrites.append(write) }
        advance()
    }

    private func giveUp(_ batch: [GrantWrite], _ error: StoreFailure) {
        let failure = RefreshFailure(.storeUnavailable, text: "the token could not be stored: \(error)")
        for write in batch {
            if let slot = slot(awaiting: write) { apply(slot) { $0.storeFailed(failure, $1) } }
            offerAgain(write)
        }
    }

    /// Puts in line what a restart must not forget; the newest note of an account replaces an older one.
    func note(_ user: UserID, _ machine: GrantStateMachine, _ status: GrantStatus) {
        pendingNotes[user] = GrantNote(
            user: user,
            status: status,
            grantVersion: machine.grantVersion,
            consecutiveFailures: machine.streak?.count ?? 0,
            lastError: machine.lastError
        )
        // The end of the batch under way looks for more by itself.
        if !isNoting { chores.notesAt = chores.notesAt ?? clock() }
    }

    /// Writes down the notes in line; what fails stays in line, and is tried again later.
    func flushNotes(at now: Moment) {
        guard !isNoting, let notesAt = chores.notesAt, notesAt.isReached(at: now) else { return }
        let batch = Array(pendingNotes.values.prefix(Self.largestBatch))
        chores.notesAt = nil
        guard !batch.isEmpty else { return }
        isNoting = true
        Task {
            do throws(StoreFailure) {
                try await store.remember(batch)
                noted(batch, nil)
            } catch {
                noted(batch, error)
            }
        }
    }

    private func noted(_ batch: [GrantNote], _ failure: StoreFailure?) {
        isNoting = false
        if let failure {
            note(failure, "statuses could not be stored")
            chores.notesAt = clock() + configuration.policy.backoff.maximum / 2
        } else {
            for note in batch where pendingNotes[note.user] == note { pendingNotes[note.user] = nil }
            chores.notesAt = pendingNotes.isEmpty ? nil : clock()
        }
        advance()
    }
}

extension GrantWrite {
    /// Whether more than a copy would be lost with it.
    fileprivate var isOnlyCopy: Bool { answer.newRefreshToken != nil }
}
