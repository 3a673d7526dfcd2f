// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// What the breaker of the client means for one account (hard case H11).

extension GrantStateMachine {
    /// The refusals of the last minute were no account's own fault: this one's is taken back, a second one with what it led to. How
    /// often it failed counts for the backoff all the same.
    package mutating func pardoned(_ occasion: Occasion) -> Step {
        guard case .streak(var streak) = trouble, streak.refusedSince != nil else { return .nothing }
        switch standing {
        case .good, .refused, .unknownOutcome: break
        case .noGrant, .unreadable: return .nothing
        }
        streak.pardon()
        trouble = .streak(streak)
        standing = .good
        guard phase == .resting else { return Step(.keep, .none) }
        return armed(occasion.now + backoffDelay(occasion))
    }

    /// The client's calls are answered again: an account that failed for want of that need not wait any longer.
    package mutating func clientRecovered(_ occasion: Occasion) -> Step {
        guard phase == .resting, standing == .good, let kind = streak?.last.kind else { return .nothing }
        switch CallOutcome(kind) {
        case .clientRefused, .unanswered: return putOff(occasion) ?? enqueued()
        // It was pardoned if it was refused with the others.
        case .grantRefused where streak?.refusedSince == nil: return putOff(occasion) ?? enqueued()
        case .granted, .grantRefused, .answered, nil: return .nothing
        }
    }
}
