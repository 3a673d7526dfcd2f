// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// What claims tell of other daemons' calls, and the end of claims: one that led to a stored token ends with the write, the others here.
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

    /// Puts a claim in line to be ended after that time, and tells with it what is known of the calls that were made.
    func end(_ claim: Claim, after time: Duration) {
        pendingEnds[claim.user] = ClaimEnd(claim, keptFor: max(time, .zero), outcome: outcome(for: claim.user))
    }

    private func outcome(for user: UserID) -> ClaimEnd.Outcome {
        let machine = table.slot(of: user).flatMap { table[$0]?.machine }
        guard attempts[user] == nil, machine?.isStoring != true else { return .open }
        return machine?.streak?.hasLostReply == true ? .lost : .known
    }

    /// Another daemon lost the reply to a call with the refresh token at hand: it is sent again at once.
    func noteLoss(_ slot: AccountSlot) {
        guard let account = table[slot], account.machine.streak?.hasLostReply != true else { return }
        apply(slot) { $0.lostElsewhere($1) }
        logger.notice(
            "another daemon lost the reply to its call, the refresh token is tried again",
            metadata: [LogKey.user: "\(account.user)", LogKey.event: "claim.after_loss"]
        )
    }

    /// Another daemon's call for the account was not accounted for: waits for it, or takes the risk of another call.
    func doubt(_ slot: AccountSlot) {
        guard let account = table[slot] else { return }
        apply(slot) { $0.doubted($1) }
        let isRisked = table[slot]?.machine.phase == .queued
        let hasTried = account.machine.streak?.hasLostReply == true
        guard !hasTried else { return }
        let metadata: Logger.Metadata = [LogKey.user: "\(account.user)", LogKey.event: "claim.in_doubt"]
        if isRisked {
            logger.warning(
                "another daemon's call was never accounted for, the refresh token is tried again",
                metadata: metadata
            )
        } else {
            logger.debug("another daemon's call is not accounted for yet, it is waited for", metadata: metadata)
        }
    }

    /// Ends the claims in line, unless a batch is under way, or the database was found away a moment ago.
    func flushEnds() {
        guard !isEnding, !pendingEnds.isEmpty, phase == .draining || !isStoreAway(at: clock()) else { return }
        let batch = Array(pendingEnds.values.prefix(Self.largestBatch))
        for end in batch { pendingEnds[end.claim.user] = nil }
        isEnding = true
        Task {
            do throws(StoreFailure) {
                try await store.end(batch)
                noteStoreAnswered()
            } catch {
                couldNotEnd(batch, error)
            }
            isEnding = false
            advance()
        }
    }

    /// Every claim ends by itself; but what it says of calls does not. So an end that the database could not be told of is told when it
    /// is back, unless the account was claimed again meanwhile. One that was carried out, and whose acknowledgement was lost, does no
    /// harm when it is made again.
    private func couldNotEnd(_ batch: [ClaimEnd], _ failure: StoreFailure) {
        note(failure, "claims could not be ended", accounts: batch.count)
        // Who stops gives back all of them in one go; and one that fails for another reason would fail again.
        guard failure.isOutOfReach, phase != .draining else { return }
        for end in batch where pendingEnds[end.claim.user] == nil && attempts[end.claim.user] == nil {
            // Its time is over by then.
            pendingEnds[end.claim.user] = ClaimEnd(end.claim, keptFor: .zero, outcome: end.outcome)
        }
    }
}
