// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// The end of claims. One that led to a stored token ends with the write; the others end here.
extension RefreshEngine {
    /// So many claims are ended by one statement at most; the rest is the next batch.
    private static let largestBatch = 500

    /// The call for an account has come to its end: unless its answer is being stored, its claim is not needed any more.
    /// After a failure it is kept until the next try, so that other daemons need not fail too.
    func endClaimUnlessStoring(of user: UserID) {
        let machine = table.slot(of: user).flatMap { table[$0]?.machine }
        // A later call may be under way with the claim by now.
        guard attempts[user] == nil, machine?.isStoring != true, let claim = claims.removeValue(forKey: user) else {
            return
        }
        // Nobody tries soon what a person has to mend.
        let fails = machine?.standing == .good && machine?.streak != nil
        let wait = fails ? machine?.deadline?.remaining(at: clock()) : nil
        end(claim, after: wait ?? .zero)
    }

    /// Puts a claim in line to be ended after that time. As long as a call is under way or its answer is not in its row, or a reply is
    /// lost that may have brought a new refresh token, others are to know of it.
    func end(_ claim: Claim, after time: Duration) {
        let machine = table.slot(of: claim.user).flatMap { table[$0]?.machine }
        let isOutcomeKnown =
            attempts[claim.user] == nil && machine?.isStoring != true && machine?.streak?.hasLostReply != true
        pendingEnds[claim.user] = ClaimEnd(claim, keptFor: max(time, .zero), isOutcomeKnown: isOutcomeKnown)
    }

    /// Another daemon's call for the account was not accounted for: waits for it, or takes the risk of another call.
    func doubt(_ slot: AccountSlot) {
        guard let account = table[slot] else { return }
        apply(slot) { $0.doubted($1) }
        let isRisked = table[slot]?.machine.phase == .queued
        let hasTried = account.machine.streak?.hasLostReply == true
        guard !hasTried else { return }
        logger.log(
            level: isRisked ? .warning : .debug,
            isRisked
                ? "another daemon's call was never accounted for, the refresh token is tried again"
                : "another daemon's call is not accounted for yet, it is waited for",
            metadata: [LogKey.user: "\(account.user)", LogKey.event: "claim.in_doubt"]
        )
    }

    /// Ends the claims in line, unless a batch is under way. What fails is left: every claim ends by itself.
    func flushEnds() {
        guard !isEnding, !pendingEnds.isEmpty else { return }
        let batch = Array(pendingEnds.values.prefix(Self.largestBatch))
        for end in batch { pendingEnds[end.claim.user] = nil }
        isEnding = true
        Task {
            do throws(StoreFailure) {
                try await store.end(batch)
                endedClaims(nil)
            } catch {
                endedClaims(error)
            }
        }
    }

    private func endedClaims(_ failure: StoreFailure?) {
        isEnding = false
        if let failure {
            logger.debug("claims could not be ended", metadata: [LogKey.error: "\(failure)"])
        }
        advance()
    }
}
