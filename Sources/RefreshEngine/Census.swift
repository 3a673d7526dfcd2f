// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Tells from mere numbers whether rows vanished that a pass over the changes alone cannot show.
///
/// A pass tells what was changed or added, and how many rows there are. With the users that it made known counted in, as
/// many are held as there are rows, unless rows were deleted. Accounts that came or went by another way meanwhile leave
/// it undecided; after a few undecided passes the whole table is looked at.
struct Census: Sendable {
    /// What follows from a pass.
    enum Verdict: Hashable, Sendable {
        /// Nothing is missing.
        case complete
        /// Accounts came and went while the pass went on; the next one will tell.
        case undecided
        /// Rows were deleted, or nobody knows: every row is to be looked at.
        case wantsAll
    }

    private static let patience = 3

    /// Where the next pass goes on; nil if it has to look at every row.
    private(set) var mark: PassMark?
    private var newcomers: Set<UserID> = []
    private var churn = 0
    private var doubts = 0
    private var isDistrusted = false

    /// The rows were loaded.
    mutating func loaded(_ mark: PassMark?) {
        self.mark = isDistrusted ? nil : mark
    }

    /// What was read of rows that did not change may be otherwise now: the next pass looks at every row, and one that goes on
    /// does not count.
    mutating func distrust() {
        mark = nil
        isDistrusted = true
    }

    /// A pass begins.
    mutating func begin() {
        isDistrusted = false
        newcomers = []
        churn = 0
    }

    /// The pass told of a user who is not held.
    mutating func met(_ user: UserID) {
        newcomers.insert(user)
    }

    /// An account came or went.
    mutating func moved(_ user: UserID) {
        if !newcomers.contains(user) { churn += 1 }
    }

    /// The pass is over.
    ///
    /// - Parameters:
    ///   - pass: what the store said of it.
    ///   - held: how many accounts are held.
    ///   - isHeld: whether this user's is among them.
    /// - Returns: what follows.
    mutating func end(_ pass: TablePass, held: Int, isHeld: (UserID) -> Bool) -> Verdict {
        let surplus = held + newcomers.count { !isHeld($0) } - pass.rowCount
        newcomers = []
        guard !isDistrusted else { return .wantsAll }
        mark = pass.mark
        guard !pass.isComplete, surplus != 0 else {
            doubts = 0
            return .complete
        }
        doubts += 1
        if abs(surplus) <= churn, doubts < Self.patience { return .undecided }
        doubts = 0
        mark = nil
        return .wantsAll
    }
}
