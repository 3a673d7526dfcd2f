// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// What may happen to an account. The row it comes from is in GrantStateMachine+Rows.swift.

extension GrantStateMachine {
    /// The deadline was reached.
    package mutating func due(_ occasion: Occasion) -> Step {
        switch (standing, phase) {
        case (.good, .resting), (.refused, .resting):
            return putOff(occasion) ?? enqueued()
        case (.good, .elsewhere), (.refused, .elsewhere), (.good, .inDoubt), (.refused, .inDoubt):
            return enqueued()
        case (.good, .storing(let answer, let isPublished)), (.refused, .storing(let answer, let isPublished)):
            return storeIsDue(answer, isPublished: isPublished, occasion)
        case (.good, .salvaging(let newRefreshToken)), (.refused, .salvaging(let newRefreshToken)):
            return salvage(newRefreshToken)
        case (.noGrant, _), (.unreadable, _), (.unknownOutcome, _):
            // The row changed between the alarm and its handling.
            return .nothing
        case (_, .queued), (_, .refreshing):
            // A caller's demand was faster than the alarm.
            return .nothing
        }
    }

    /// A caller needs a fresher token than the one at hand.
    package mutating func demanded(_ occasion: Occasion) -> Step {
        guard prospect(at: occasion.now) == .possible else { return .nothing }
        return putOff(occasion) ?? tooSoon(occasion) ?? enqueued()
    }

    /// A caller wants a new token, however long the one at hand lives: it was turned down, say. There is none in less than the
    /// policy's spacing from the last one, and none beyond the day's budget. A backoff is cut short by it, at the same spacing.
    ///
    /// - Returns: what comes of it, nil if a refresh is under way; and the step.
    package mutating func ordered(_ occasion: Occasion) -> (obstacle: RefreshVerdict?, step: Step) {
        let now = occasion.now
        if let wait = untilKick(occasion) {
            return wait > .zero ? (.unavailable(.tokenUnavailable, retryAfter: wait), .nothing) : (nil, enqueued())
        }
        let prospect = prospect(at: now)
        if let obstacle = RefreshVerdict(prospect, at: now) { return (obstacle, .nothing) }
        let rest = life.map { ($0.beganAt + occasion.policy.orderSpacing).remaining(at: now) } ?? .zero
        guard prospect == .possible else {
            // What is under way brings no other token where its answer is handed out already, and only the copy is being stored.
            guard case .storing(_, isPublished: true) = phase else { return (nil, .nothing) }
            return (.tooSoon(max(rest, .seconds(1)), rest > .zero ? .justRefreshed : .stillStoring), .nothing)
        }
        guard rest <= .zero else { return (.tooSoon(rest, .justRefreshed), .nothing) }
        if budget.isSpent(occasion.policy.dailyBudget, at: now.boot) {
            return (.tooSoon(occasion.policy.spacingBeyondBudget, .budgetSpent), .nothing)
        }
        return (nil, enqueued())
    }

    /// How long until an order cuts a backoff short; nil where there is none, or where it is not for callers to end: what the endpoint
    /// asked for, the time until a refusal is confirmed, and what a spent budget puts off.
    private func untilKick(_ occasion: Occasion) -> Duration? {
        guard case (.good, .resting) = (standing, phase), let streak, let deadline, !isPutOff,
            streak.refusedSince == nil, streak.last.kind != .throttled,
            !budget.isSpent(occasion.policy.dailyBudget, at: occasion.now.boot)
        else { return nil }
        let now = occasion.now
        return min(deadline.remaining(at: now), (streak.lastAt + occasion.policy.orderSpacing).remaining(at: now))
    }

    /// Another daemon has claimed the refresh, for `time` at most. Its result is looked for when the deadline is reached,
    /// unless it comes by itself before.
    package mutating func claimedElsewhere(for time: Duration, _ occasion: Occasion) -> Step {
        guard case .queued = phase else { return .nothing }
        phase = .elsewhere
        return armed(occasion.now + occasion.policy.lookAfter(claimEndsIn: time, lifeLeft: lifeLeft(occasion.now)))
    }

    /// The daemon that had claimed the refresh gave its claim back.
    package mutating func claimReleased(_ occasion: Occasion) -> Step {
        switch phase {
        case .elsewhere, .inDoubt: return allowsRefresh ? enqueued() : .nothing
        case .resting, .queued, .refreshing, .storing, .salvaging: return .nothing
        }
    }

    /// The account's turn has come, and `version` of its refresh token is being sent.
    package mutating func begun(version: Int64, _ occasion: Occasion) -> Step {
        guard case .queued = phase else {
            // The row was emptied while the account stood in line.
            return .nothing
        }
        if version != grantVersion {
            // What was refused or failed was another grant than this one.
            grantVersion = version
            trouble = .none
            standing = .good
        }
        phase = .refreshing
        isPutOff = false
        budget.spend(at: occasion.now.boot)
        return armed(nil)
    }

    /// The store answers again: an account that failed for want of it need not wait any longer.
    package mutating func storeRecovered(_ occasion: Occasion) -> Step {
        guard case .resting = phase, allowsRefresh, streak?.last.kind == .storeUnavailable else { return .nothing }
        return enqueued()
    }

    /// The endpoint gave a token for the refresh token of that version.
    package mutating func granted(_ answer: TokenAnswer, using version: Int64, _ occasion: Occasion) -> Step {
        guard case .refreshing = phase else { return .nothing }
        guard version == grantVersion, allowsRefresh else { return begunAnew(occasion) }
        forgetLostReply()
        let made = withProgressNoted(answer, occasion)
        phase = .storing(made, isPublished: false)
        // What is only a copy, or safe on this host, does not keep callers waiting for a slow database.
        let patience = made.mayBeHandedOut ? occasion.now + occasion.policy.storePatience : nil
        return armed(patience, .store(made))
    }

    /// The refresh with the refresh token of that version gave no token.
    package mutating func failed(_ failure: RefreshFailure, using version: Int64, _ occasion: Occasion) -> Step {
        switch phase {
        case .queued, .refreshing: break
        case .resting, .elsewhere, .inDoubt, .storing, .salvaging: return .nothing
        }
        guard version == grantVersion, allowsRefresh else { return begunAnew(occasion) }
        phase = .resting
        note(failure, at: occasion.now)
        if let newRefreshToken = failure.newRefreshToken { return salvage(newRefreshToken) }
        noteLostReply(failure, occasion)
        // A refusal may be of a grant that somebody has replaced meanwhile (hard case H7).
        return armed(deadlineAfterFailure(failure, occasion), failure.kind == .grantRefused ? .reread : .none)
    }

    /// The row holds the answer now, beside the refresh token of that version.
    package mutating func stored(grantVersion version: Int64, _ occasion: Occasion) -> Step {
        guard case .storing(let answer, let isPublished) = phase else { return .nothing }
        phase = .resting
        grantVersion = version
        // That the endpoint makes no progress is not mended by storing what it gave.
        if streak?.isStalled != true { trouble = .none }
        if !isPublished { take(answer, at: occasion.now) }
        return armed(nextRefresh(occasion), isPublished ? .none : .publish(answer))
    }

    /// A write that named its claim did nothing: another daemon has claimed the account since, or the row is not what it was. Where
    /// the answer brought a new refresh token, the one in the row is spent if it is still the one that was sent, and whoever claimed
    /// the account can do nothing with it: then the whole answer goes in, whoever has the claim (hard case H2). A mere copy does not,
    /// for there may be a newer one.
    package mutating func fenced(_ occasion: Occasion) -> Step {
        guard case .storing(let answer, let isPublished) = phase, answer.newRefreshToken != nil else {
            return superseded(occasion)
        }
        let patience = answer.mayBeHandedOut && !isPublished ? occasion.now + occasion.policy.storePatience : nil
        return armed(patience, .store(answer))
    }

    /// The row is gone or holds another refresh token than the one that was used: the answer belongs to nobody here.
    package mutating func superseded(_ occasion: Occasion) -> Step {
        guard case .storing(let answer, let isPublished) = phase else { return .nothing }
        // The row may have been sealed anew meanwhile: where it still holds the refresh token that was used, in whatever form, the new
        // one is stored by itself.
        if let newRefreshToken = answer.newRefreshToken { return salvage(newRefreshToken) }
        phase = .resting
        // Should the reread fail too, the deadline brings the account back.
        return armed(isPublished ? nextRefresh(occasion) : occasion.now + occasion.policy.backoff.initial, .reread)
    }

    /// The answer could not be stored, now. Unless it carries a new refresh token that is nowhere else, it is handed out all the
    /// same: what the database lacks then is only a copy. A new refresh token must be safe before anything comes of it.
    package mutating func storeFailed(_ failure: RefreshFailure, _ occasion: Occasion) -> Step {
        guard case .storing(let answer, let wasPublished) = phase else { return .nothing }
        note(failure, at: occasion.now)
        let publishes = answer.mayBeHandedOut && !wasPublished
        if publishes { take(answer, at: occasion.now) }
        phase = .storing(answer, isPublished: wasPublished || publishes)
        return armed(occasion.now + delay(after: failure, occasion), publishes ? .publish(answer) : .none)
    }
}
