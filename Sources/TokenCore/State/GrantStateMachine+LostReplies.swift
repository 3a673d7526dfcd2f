// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// Replies that were lost on a provider that rotates refresh tokens (hard case H1), and what the journal of this host kept of
// others (hard cases H3, H4).
//
// The endpoint may have done away with the refresh token at hand, so its next refusal says something else than usual: not that the
// grant was taken back, but that its successor was lost. A provider with a grace period takes the old one for a while yet, and one
// whose reply was lost before it did anything takes it anyway; so it is tried again.

extension GrantStateMachine {
    /// Whether the journal must go on holding what it has of the account: a call's reply is still to come, or is not in its row, or
    /// was lost.
    package var needsJournal: Bool {
        if isInHand { return true }
        guard case .good = standing else { return false }
        return streak?.hasLostReply ?? false
    }

    /// Remembers that the reply to a call was lost that may have done away with the refresh token; nothing where none rotates.
    mutating func noteLostReply(_ failure: RefreshFailure, _ occasion: Occasion) {
        guard occasion.rotates, failure.outcomeIsUnknown else { return }
        suspectLostReply()
    }

    /// The endpoint took the refresh token: whatever was lost before, it had not been done away with.
    mutating func forgetLostReply() {
        guard case .streak(var streak) = trouble, streak.hasLostReply else { return }
        streak.forgetLostReply()
        trouble = .streak(streak)
    }

    /// What a refusal for good says: that the grant was taken back, or that a lost reply had another one.
    var standingAfterRefusal: Standing { streak?.hasLostReply == true ? .unknownOutcome : .refused(probes: 0) }

    private mutating func suspectLostReply() {
        guard case .streak(var streak) = trouble else { return }
        streak.noteLostReply()
        trouble = .streak(streak)
    }

    /// The process before ended while a call with that version of the refresh token was under way.
    package mutating func interrupted(using version: Int64, _ occasion: Occasion) -> Step {
        guard case (.good, .resting) = (standing, phase), version == grantVersion else { return .nothing }
        note(RefreshFailure(.connectionLost, text: "the daemon ended before the reply came"), at: occasion.now)
        suspectLostReply()
        // Nobody else can have that reply, and a period of grace may be running out.
        return armed(occasion.now)
    }

    /// This daemon has the claim, but another one made a call before, and its claim ran out with nothing known of the outcome. It may
    /// have the answer yet, in its memory or its journal, and another call with the same refresh token could then cost the grant. So
    /// the token at hand is served while it lives, and the row is looked at now and then; it is about to die before the call is risked,
    /// as after a lost reply of one's own.
    package mutating func doubted(_ occasion: Occasion) -> Step {
        // The risk is being taken already, or it is a mere probe.
        guard case (.good, .queued) = (standing, phase), streak?.hasLostReply != true else { return .nothing }
        if let life, life.isAlive(at: occasion.now) {
            let last = occasion.policy.lastMoment(of: life)
            if !last.isReached(at: occasion.now) {
                phase = .inDoubt
                let wait = occasion.policy.lookAfterDoubt(lifeLeft: lifeLeft(occasion.now))
                return armed(occasion.now + min(wait, last.remaining(at: occasion.now)))
            }
        }
        note(RefreshFailure(.connectionLost, text: "another daemon's call ended without its answer"), at: occasion.now)
        suspectLostReply()
        return .nothing
    }

    /// This daemon has the claim, and another one lost the reply to a call with this very refresh token. Nobody has that reply, so the
    /// call is made now: a provider's period of grace may be running out.
    package mutating func lostElsewhere(_ occasion: Occasion) -> Step {
        guard case (.good, .queued) = (standing, phase), streak?.hasLostReply != true else { return .nothing }
        note(RefreshFailure(.connectionLost, text: "another daemon lost the reply to its call"), at: occasion.now)
        suspectLostReply()
        return .nothing
    }

    /// Whether a call with that version of the refresh token may end of which the machine knows nothing: the row was gone, and came
    /// back with the same grant, while it was under way.
    package func isUnaware(of version: Int64) -> Bool {
        switch phase {
        case .resting, .queued, .elsewhere, .inDoubt: version == grantVersion && rowStanding == .good
        case .refreshing, .storing, .salvaging: false
        }
    }

    /// There is an answer for this grant that did not get into its row: the process before kept it in the journal, or the row was gone
    /// for a while.
    package mutating func recovered(_ answer: TokenAnswer, _ occasion: Occasion) -> Step {
        guard isUnaware(of: grantVersion) else { return .nothing }
        (standing, trouble) = (.good, .none)
        if let newRefreshToken = answer.newRefreshToken, !answer.life.isAlive(at: occasion.now) {
            return salvage(newRefreshToken)
        }
        guard answer.mayBeHandedOut else {
            phase = .storing(answer, isPublished: false)
            return armed(nil, .store(answer))
        }
        take(answer, at: occasion.now)
        phase = .storing(answer, isPublished: true)
        // It is published now, and stored as soon as the account is looked at.
        return armed(occasion.now, .publish(answer))
    }

    /// The answer that waits to be stored is in the journal after all, and need not be withheld any longer.
    package mutating func journaled(_ occasion: Occasion) -> Step {
        guard case .storing(let answer, isPublished: false) = phase, !answer.mayBeHandedOut else { return .nothing }
        let kept = answer.journaled
        take(kept, at: occasion.now)
        phase = .storing(kept, isPublished: true)
        return Step(.keep, .publish(kept))
    }

    /// The process before had a new refresh token out of a broken reply, and kept it in the journal.
    package mutating func recovered(_ newRefreshToken: Secret, _ occasion: Occasion) -> Step {
        guard case .resting = phase, rowStanding == .good else { return .nothing }
        (standing, trouble) = (.good, .none)
        return salvage(newRefreshToken)
    }

    /// Another daemon lost a reply for this very grant, and had the grant refused since.
    mutating func outcomeUnknownElsewhere(_ memory: GrantMemory, _ occasion: Occasion) -> Step {
        standing = .unknownOutcome
        trouble = .streak(FailureStreak(remembered: memory, at: occasion.now))
        phase = .resting
        return armed(nil)
    }
}
