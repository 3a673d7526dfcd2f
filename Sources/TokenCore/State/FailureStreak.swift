// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What an account's failures since its last success have in common: one value feeds the backoff, the status, the
/// report and the alarm.
package struct FailureStreak: Hashable, Sendable {
    /// How many there were.
    package private(set) var count: Int
    /// When the first of them was.
    package let since: WallTime
    /// The last of them.
    package private(set) var last: RefreshFailure
    /// When the endpoint first refused the grant; nil while it has not.
    package private(set) var refusedSince: Moment?

    /// A streak begins.
    package init(_ failure: RefreshFailure, at now: Moment) {
        self.count = 1
        self.since = now.wall
        self.last = failure
        self.refusedSince = failure.kind == .grantRefused ? now : nil
    }

    /// The streak goes on.
    package mutating func add(_ failure: RefreshFailure, at now: Moment) {
        count = min(count + 1, Int(Int32.max))
        last = failure
        if failure.kind == .grantRefused, refusedSince == nil { refusedSince = now }
    }
}
