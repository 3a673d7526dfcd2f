// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What an account's failures since its last success have in common: one value feeds the backoff, the status, the
/// report and the alarm.
package struct FailureStreak: Hashable, Sendable {
    /// How many there were.
    package private(set) var count: Int
    /// The last of them.
    package private(set) var last: RefreshFailure
    /// When that was.
    package private(set) var lastAt: Moment
    /// When the endpoint first refused the grant; nil while it has not.
    package private(set) var refusedSince: Moment?
    /// Whether one of them was that the endpoint made no progress; only progress ends that.
    package private(set) var isStalled: Bool
    /// Whether a reply to one of them was lost that may have done away with the refresh token (hard case H1).
    package private(set) var hasLostReply = false

    /// A streak begins.
    package init(_ failure: RefreshFailure, at now: Moment) {
        self.count = 1
        self.last = failure
        self.lastAt = now
        self.refusedSince = failure.kind == .grantRefused ? now : nil
        self.isStalled = failure.kind == .noProgress
    }

    /// The streak of a grant that was refused before this process began.
    package init(remembered memory: GrantMemory, at now: Moment) {
        self.init(RefreshFailure(.grantRefused, text: memory.lastError ?? "the grant was refused"), at: now)
        count = max(memory.consecutiveFailures, 1)
    }

    /// The streak goes on.
    package mutating func add(_ failure: RefreshFailure, at now: Moment) {
        count = min(count + 1, Int(Int32.max))
        (last, lastAt) = (failure, now)
        isStalled = isStalled || failure.kind == .noProgress
        if failure.kind == .grantRefused, refusedSince == nil { refusedSince = now }
    }

    /// A reply was lost on a provider that rotates refresh tokens.
    package mutating func noteLostReply() {
        hasLostReply = true
    }

    /// It had not done away with it.
    package mutating func forgetLostReply() {
        hasLostReply = false
    }

    /// The refusals were not the grant's own.
    package mutating func pardon() {
        refusedSince = nil
    }

    /// Another grant took the place of the one that was refused; how often it failed still counts for the backoff.
    package mutating func forgetRefusal() {
        refusedSince = nil
        hasLostReply = false
    }
}
