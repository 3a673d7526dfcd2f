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

    /// What a failure means where a reply was lost, be it this one's or one before; nil if none was.
    mutating func lostReply(_ failure: RefreshFailure, _ occasion: Occasion) -> Step? {
        guard case .good = standing, case .streak(var streak) = trouble else { return nil }
        if streak.hasLostReply, failure.kind == .grantRefused {
            standing = .unknownOutcome
            // The refusal may be of a grant that somebody has replaced meanwhile (hard case H7).
            return armed(nil, .reread)
        }
        if occasion.rotates, failure.outcomeIsUnknown {
            streak.noteLostReply()
            trouble = .streak(streak)
        }
        return nil
    }

    /// The process before ended while a call with that version of the refresh token was under way.
    package mutating func interrupted(using version: Int64, _ occasion: Occasion) -> Step {
        guard case (.good, .resting) = (standing, phase), version == grantVersion else { return .nothing }
        note(RefreshFailure(.connectionLost, text: "the daemon ended before the reply came"), at: occasion.now)
        guard case .streak(var streak) = trouble else { return .nothing }
        streak.noteLostReply()
        trouble = .streak(streak)
        // Nobody else can have that reply, and a period of grace may be running out.
        return armed(occasion.now)
    }

    /// The process before had an answer for this grant that did not get into its row, and kept it in the journal.
    package mutating func recovered(_ answer: TokenAnswer, _ occasion: Occasion) -> Step {
        guard case .resting = phase, rowStanding == .good else { return .nothing }
        (standing, trouble) = (.good, .none)
        if let newRefreshToken = answer.newRefreshToken, !answer.life.isAlive(at: occasion.now) {
            return salvage(newRefreshToken)
        }
        let kept = answer.journaled
        take(kept, at: occasion.now)
        phase = .storing(kept, isPublished: true)
        // It is published now, and stored as soon as the account is looked at.
        return armed(occasion.now, .publish(kept))
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
