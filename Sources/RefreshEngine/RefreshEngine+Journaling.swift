// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// What must not be lost goes to this host's disk first: that a call is under way which may do away with a refresh token, and a
/// reply that brought a new one (hard cases H1, H3, H4, H8). Only for a provider that was seen to rotate them.
extension RefreshEngine {
    /// How long a disk that takes nothing is not asked again before calls: one that hangs would hold up each batch until it is given up.
    private static let patience: Duration = .seconds(5)

    /// Writes down that these accounts' calls are about to be made; nothing where that is not needed.
    ///
    /// - Returns: why it could not be written; nil if it was, or is not needed.
    func recordIntents(_ grants: [ClaimedGrant], in lane: LaneNumber) async -> JournalFailure? {
        let entries = lanes[lane].rotates ? grants.compactMap(\.intent) : []
        guard !entries.isEmpty else { return nil }
        if let journalFailure, journalAwayUntil.map({ !$0.isReached(at: clock()) }) ?? false { return journalFailure }
        do throws(JournalFailure) {
            try await journal.append(entries)
            note(nil)
            return nil
        } catch {
            note(error)
            return error
        }
    }

    /// Strikes out the intents of accounts that were not called for after all.
    func strikeIntents(of grants: [ClaimedGrant], in lane: LaneNumber) {
        guard lanes[lane].rotates else { return }
        pendingSettles += grants.compactMap(\.intent).map(\.user).filter { !journaled.contains($0) }
    }

    /// Whether a call may be made although it could not be written down: only to save an account whose token is about to end.
    func mayRisk(_ machine: GrantStateMachine) -> Bool {
        guard let life = machine.life else { return true }
        return configuration.policy.lastMoment(of: life).isReached(at: clock())
    }

    /// Keeps an answer's new refresh token on this host before anything comes of it.
    ///
    /// - Returns: the answer, which says whether it is kept.
    func writeDown(
        _ answer: TokenAnswer,
        of user: UserID,
        version: Int64,
        in lane: LaneNumber
    ) async -> TokenAnswer {
        guard answer.newRefreshToken != nil else { return answer }
        foundRotation(of: lane)
        let isKept = await writeDown(JournalEntry(user: user, usedVersion: version, .answer(answer)))
        return isKept ? answer.journaled : answer
    }

    /// Keeps a new refresh token out of a broken reply.
    func writeDown(_ failure: RefreshFailure, of user: UserID, version: Int64, in lane: LaneNumber) async {
        guard let newRefreshToken = failure.newRefreshToken else { return }
        foundRotation(of: lane)
        _ = await writeDown(JournalEntry(user: user, usedVersion: version, .salvage(newRefreshToken)))
    }

    /// An answer that neither the journal nor its row has taken is offered to the journal once more: it holds what is nowhere else.
    func offerAgain(_ write: GrantWrite) {
        guard !write.answer.mayBeHandedOut, offeredAgain.insert(write.user).inserted else { return }
        let entry = JournalEntry(user: write.user, usedVersion: write.usedVersion, .answer(write.answer))
        Task {
            let isKept = await writeDown(entry)
            offeredAgain.remove(write.user)
            if isKept, let slot = slot(awaiting: write) { apply(slot) { $0.journaled($1) } }
            advance()
        }
    }

    private func writeDown(_ entry: JournalEntry) async -> Bool {
        journaled.insert(entry.user)
        do throws(JournalFailure) {
            try await journal.append([entry])
            note(nil)
            return true
        } catch {
            note(error)
            return false
        }
    }

    /// Of a time in which nothing can be written only its beginning and its end are told.
    private func note(_ failure: JournalFailure?) {
        journalAwayUntil = failure == nil ? nil : clock() + Self.patience
        guard (failure == nil) != (journalFailure == nil) else { return }
        journalFailure = failure
        if let failure {
            logger.error(
                "the reply journal cannot be written: refreshes wait until their token is about to end; free the disk, or see to the folder",
                metadata: [LogKey.error: "\(failure)", LogKey.event: "journal.unavailable"]
            )
        } else {
            logger.notice("the reply journal can be written again", metadata: [LogKey.event: "journal.available"])
        }
    }

    /// Has the journal let go of an account's entry once nothing hangs on it any more.
    func settleUnlessNeeded(_ account: Account) {
        // The row may have gone and come back while the call was under way: then the machine knows nothing of it.
        guard attempts[account.user] == nil, !account.machine.needsJournal, journaled.remove(account.user) != nil else {
            return
        }
        pendingSettles.append(account.user)
    }

    /// Tells the journal which entries are not needed any more.
    func flushSettles() {
        guard !pendingSettles.isEmpty else { return }
        journal.settle(pendingSettles)
        pendingSettles = []
    }
}

extension ClaimedGrant {
    /// That the account's call is about to be made; nil if it will not be.
    fileprivate var intent: JournalEntry? {
        switch hold {
        case .elsewhere: return nil
        case .claimed, .inDoubt, .afterLoss, .unguarded: break
        }
        guard case .success? = refreshToken else { return nil }
        return JournalEntry(
            user: row.user,
            usedVersion: row.grant.version,
            .intent(lastRefreshedAt: row.memory?.lastRefreshedAt)
        )
    }
}
