// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// The way of an answer into the database, and of what is to be remembered of an account.
extension RefreshEngine {
    /// So many answers go into one statement at most; the rest is the next batch.
    private static let largestBatch = 500

    /// Puts an answer in line for its row. While one batch is being written, the next gathers.
    func write(_ answer: TokenAnswer, of account: Account) {
        pendingWrites.append(
            GrantWrite(user: account.user, answer: answer, usedVersion: account.machine.grantVersion)
        )
    }

    /// Writes what is in line, unless a batch is under way.
    func flushWrites() {
        guard !isWriting, !pendingWrites.isEmpty else { return }
        let batch = Array(pendingWrites.prefix(Self.largestBatch))
        pendingWrites.removeFirst(batch.count)
        isWriting = true
        Task {
            do throws(StoreFailure) {
                let outcomes = try await store.write(batch)
                wrote(batch, outcomes)
            } catch {
                couldNotWrite(batch, error)
            }
        }
    }

    private func wrote(_ batch: [GrantWrite], _ outcomes: [UserID: WriteOutcome]) {
        isWriting = false
        for write in batch {
            guard let slot = slot(awaiting: write) else { continue }
            switch outcomes[write.user] ?? .superseded {
            case .stored(let version):
                apply(slot) { $0.stored(grantVersion: version, $1) }
            case .superseded:
                apply(slot) { $0.superseded($1) }
            case .rejected(let reason):
                let failure = RefreshFailure(.storeRejected, text: "the token could not be stored: \(reason)")
                apply(slot) { $0.storeFailed(failure, $1) }
            }
        }
        advance()
    }

    /// The account whose answer that write carries; nil if the account has gone on meanwhile: what became of an old write
    /// says nothing about a newer answer.
    private func slot(awaiting write: GrantWrite) -> AccountSlot? {
        guard let slot = table.slot(of: write.user),
            case .storing(let answer, _)? = table[slot]?.machine.phase, answer == write.answer
        else { return nil }
        return slot
    }

    private func couldNotWrite(_ batch: [GrantWrite], _ error: StoreFailure) {
        isWriting = false
        logger.warning(
            "tokens could not be stored",
            metadata: [
                LogKey.accounts: "\(batch.count)", LogKey.error: "\(error)", LogKey.errorCode: "\(error.kind.rawValue)",
            ]
        )
        let failure = RefreshFailure(.storeUnavailable, text: "the token could not be stored: \(error)")
        for write in batch {
            guard let slot = slot(awaiting: write) else { continue }
            apply(slot) { $0.storeFailed(failure, $1) }
        }
        advance()
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
            logger.warning("statuses could not be stored", metadata: [LogKey.error: "\(failure)"])
            chores.notesAt = clock() + configuration.policy.backoff.maximum / 2
        } else {
            for note in batch where pendingNotes[note.user] == note { pendingNotes[note.user] = nil }
            chores.notesAt = pendingNotes.isEmpty ? nil : clock()
        }
        advance()
    }
}
