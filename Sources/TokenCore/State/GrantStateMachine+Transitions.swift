// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// What inputs have in common: the ways from one phase and standing to the next.

extension GrantStateMachine {
    var allowsRefresh: Bool {
        switch standing {
        case .good, .refused: true
        case .noGrant, .unreadable, .unknownOutcome: false
        }
    }

    /// The standing as a row could show it: a refused grant looks good there.
    var rowStanding: Standing {
        switch standing {
        case .good, .refused, .unknownOutcome: .good
        case .noGrant, .unreadable: standing
        }
    }

    /// Puts a refresh off if the day's budget is spent, nil if it may be made: until the token at hand is about to die; where
    /// there is none alive, for a budget's share of a day, once.
    mutating func putOff(_ occasion: Occasion) -> Step? {
        guard budget.isSpent(occasion.policy.dailyBudget, at: occasion.now.boot) else { return nil }
        guard let life, life.isAlive(at: occasion.now) else {
            guard !isPutOff else { return nil }
            isPutOff = true
            return armed(occasion.now + occasion.policy.spacingBeyondBudget)
        }
        let last = occasion.policy.lastMoment(of: life)
        guard !last.isReached(at: occasion.now) else { return nil }
        isPutOff = true
        return armed(last)
    }

    /// Leaves a refresh that a caller wants to its deadline while the floor since the last one is not over; nil if it is.
    mutating func tooSoon(_ occasion: Occasion) -> Step? {
        guard let life else { return nil }
        let floor = life.beganAt + occasion.policy.floor(of: life.lifetime)
        guard !floor.isReached(at: occasion.now) else { return nil }
        return armed(floor)
    }

    mutating func enqueued() -> Step {
        phase = .queued
        return armed(nil, .enqueue)
    }

    /// A result of a grant that is not the row's any more is dropped, whatever it is (hard case H21).
    mutating func begunAnew(_ occasion: Occasion) -> Step {
        phase = .resting
        if case .good = standing { return armed(occasion.now) }
        return armed(firstDeadline(occasion))
    }

    mutating func replaced(by row: GrantRow, _ occasion: Occasion) -> Step {
        let wasInFlight = phase == .refreshing
        let hadToken = life != nil
        if case .unreadable = row.grant, isInHand || (hadToken && row.accessToken == nil) { return closed(row) }
        // The access token beside another refresh token is still the old grant's, and stays only until this one gave its own.
        let isOldGrants =
            hadToken && row.grant.version != grantVersion && row.accessToken?.fingerprint == tokenFingerprint
        standing = Self.standing(of: row)
        grantVersion = row.grant.version
        life = Self.life(of: row, occasion.now)
        tokenFingerprint = row.accessToken?.fingerprint ?? 0
        noteRefresh(row.memory?.lastRefreshedAt)
        trouble = .none
        isPutOff = false
        let effect: Step.Effect = life != nil ? .adopt : hadToken ? .withdraw : .none
        // A call in flight for the old grant ends in its own time; its result is then dropped and the account re-armed.
        guard !wasInFlight else { return Step(.keep, effect) }
        phase = .resting
        if case .good = standing, isOldGrants { return armed(occasion.now, effect) }
        return armed(firstDeadline(occasion), effect)
    }

    /// The row holds something that cannot be read, a value sealed by a key that this daemon was not given yet perhaps. The token
    /// at hand is handed out for as long as it lives, and the version stays the one that it came with: so the grant is known again
    /// when it can be read. What is in flight or being stored comes to its own end, since it may bring a new refresh token.
    private mutating func closed(_ row: GrantRow) -> Step {
        guard !isInHand else { return Step(.keep, .none) }
        standing = Self.standing(of: row)
        trouble = .none
        isPutOff = false
        phase = .resting
        return armed(nil)
    }

    /// Whether a call for the account is in flight, or what it gave is being stored.
    var isInHand: Bool {
        switch phase {
        case .refreshing, .storing, .salvaging: true
        case .resting, .queued, .elsewhere, .inDoubt: false
        }
    }

    mutating func storeIsDue(_ answer: TokenAnswer, isPublished: Bool, _ occasion: Occasion) -> Step {
        if !isPublished, answer.mayBeHandedOut {
            // The first write has not come back yet; one that failed would have been published.
            take(answer, at: occasion.now)
            phase = .storing(answer, isPublished: true)
            return armed(nil, .publish(answer))
        }
        // Where the row takes no writes but the next refresh is due, the next answer is the better copy to store.
        // A new refresh token is never given up for that.
        if isPublished, answer.newRefreshToken == nil,
            occasion.policy.due(answer.life, draw: 1).isReached(at: occasion.now)
        {
            return enqueued()
        }
        return armed(nil, .store(answer))
    }

    /// The same token again cannot live longer than it did (fact sheet section 6), and a token that dies no later than
    /// the one at hand is no progress either: both are noted, and wait like a failure (hard case H10).
    mutating func withProgressNoted(_ answer: TokenAnswer, _ occasion: Occasion) -> TokenAnswer {
        let isSameToken = life != nil && answer.accessToken.fingerprint == tokenFingerprint
        // A token that is dead by the wall clock, which somebody set, may well have been going to live longer by the other.
        guard let life,
            isSameToken || (life.isAlive(at: occasion.now) && answer.life.expiresAt.boot <= life.expiresAt.boot)
        else {
            trouble = .none
            return answer
        }
        let text = "the endpoint gave no newer token than the one at hand"
        note(RefreshFailure(.noProgress, text: text), at: occasion.now)
        guard isSameToken else { return answer }
        return TokenAnswer(
            accessToken: answer.accessToken,
            tokenType: answer.tokenType,
            life: life,
            newRefreshToken: answer.newRefreshToken,
            isJournaled: answer.isJournaled
        )
    }

    mutating func take(_ answer: TokenAnswer, at now: Moment) {
        life = answer.life
        tokenFingerprint = answer.accessToken.fingerprint
        lastRefreshedAt = now.wall
        if case .refused = standing { standing = .good }
    }

    mutating func note(_ failure: RefreshFailure, at now: Moment) {
        guard case .streak(var streak) = trouble else {
            trouble = .streak(FailureStreak(failure, at: now))
            return
        }
        streak.add(failure, at: now)
        trouble = .streak(streak)
    }

    mutating func armed(_ deadline: Moment?, _ effect: Step.Effect = .none) -> Step {
        self.deadline = deadline
        return Step(deadline.map { .arm($0) } ?? .disarm, effect)
    }
}
