// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// What the process before left in the journal.
extension RefreshEngine {
    /// How often it is tried to read the journal before anything is loaded.
    private static let readingTries = 5

    /// Reads it, before any row is loaded. What cannot be read is told at once, and once more when it is gone on without.
    func recoverJournal() async {
        guard !isJournalRead else { return }
        do throws(JournalFailure) {
            let found = try await journal.recover(at: clock())
            isJournalRead = true
            for entry in found.entries { recovered[entry.user] = entry }
            tell(found)
        } catch {
            tellOfUnread(error)
        }
    }

    /// A journal that could not be read at the start may be later: the process that held it has ended, or its disk is back. What is in it
    /// counts then as it would have at the start, for accounts that are not in the middle of a refresh.
    func lookForJournal() {
        guard !isJournalRead, phase == .running else { return }
        Task {
            await recoverJournal()
            for user in recovered.keys { reread(user) }
            advance()
        }
    }

    private func tellOfUnread(_ failure: JournalFailure) {
        let metadata: Logger.Metadata = [LogKey.error: "\(failure)", LogKey.event: "journal.unread"]
        if chores.loadFailures == 0 {
            logger.warning("the reply journal cannot be read, and is tried again", metadata: metadata)
        } else if chores.loadFailures == Self.readingTries {
            logger.error(
                "the reply journal could not be read, and what is in it is not used before it can be: see what holds it, or make it readable",
                metadata: metadata
            )
        }
    }

    /// What the process before left is dearer than a quick start: a journal that cannot be read is tried a few times. Then it is gone on
    /// without.
    var waitsForJournal: Bool { !isJournalRead && chores.loadFailures < Self.readingTries }

    private func tell(_ found: RecoveredJournal) {
        if let damage = found.damage {
            logger.error(
                "the reply journal is damaged, what could be read of it is used",
                metadata: [LogKey.error: "\(damage)", LogKey.event: "journal.damaged"]
            )
        }
        guard !found.entries.isEmpty else { return }
        logger.notice(
            "entries found in the reply journal",
            metadata: [LogKey.accounts: .stringConvertible(found.entries.count), LogKey.event: "journal.recovered"]
        )
    }

    /// Takes up what the journal has of an account whose row was just read. It counts only beside the refresh token that it was
    /// made with; of another one, the row holds what came of it or what somebody put there.
    func takeUpJournal(of row: GrantRow, _ slot: AccountSlot) {
        guard let entry = recovered[row.user] else { return }
        if case .unreadable = row.grant { return }
        recovered[row.user] = nil
        // Nothing else would be in it; what the database knows of it may have to be waited for.
        if let lane = table[slot]?.lane { foundRotation(of: lane) }
        guard row.holds(entry.usedVersion), !row.hasOutcome(of: entry) else {
            pendingSettles.append(row.user)
            return
        }
        journaled.insert(row.user)
        apply(slot, row: row) { machine, occasion in
            switch entry.content {
            case .intent: machine.interrupted(using: row.grant.version, occasion)
            case .answer(let answer): machine.recovered(answer.journaled, occasion)
            case .salvage(let newRefreshToken): machine.recovered(newRefreshToken, occasion)
            }
        }
    }
}

extension GrantRow {
    /// Whether the row has the token of a refresh that came after the call was about to be made, with the same refresh token: then the
    /// provider takes that one yet, and the call is not made again. Either its answer was stored and only the entry stood open, or
    /// another daemon made a call meanwhile.
    fileprivate func hasOutcome(of entry: JournalEntry) -> Bool {
        guard case .intent(let before) = entry.content, let last = memory?.lastRefreshedAt else { return false }
        return last != before
    }
}
