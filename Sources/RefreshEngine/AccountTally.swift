// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// How many accounts stand how, kept up to date with every step, so that nobody has to count a million of them.
package struct AccountTally: Hashable, Sendable {
    /// Without a failure since their last success.
    package private(set) var healthy = 0
    /// Failing; their tokens may be alive yet.
    package private(set) var failing = 0
    /// Refused by TastyTrade, of unknown outcome, or unreadable: a person must act.
    package private(set) var needingAPerson = 0
    /// Without a refresh token in their row.
    package private(set) var withoutGrant = 0

    /// All of them.
    package var total: Int { healthy + failing + needingAPerson + withoutGrant }

    /// Starts with none.
    package init() {}

    /// Counts an account in (`by` 1) or out (`by` -1).
    mutating func count(_ machine: GrantStateMachine, by change: Int) {
        switch machine.standing {
        case .noGrant: withoutGrant += change
        case .unreadable, .refused, .unknownOutcome: needingAPerson += change
        case .good where machine.streak == nil: healthy += change
        case .good: failing += change
        }
    }
}
