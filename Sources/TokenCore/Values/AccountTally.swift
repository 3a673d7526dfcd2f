// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How many accounts stand how, for people: the statuses in four groups. ``StatusTally`` counts.
package struct AccountTally: Hashable, Sendable {
    /// Without a failure since their last success.
    package let healthy: Int
    /// Failing; their tokens may be alive yet.
    package let failing: Int
    /// Refused by TastyTrade, of unknown outcome, or unreadable: a person must act.
    package let needingAPerson: Int
    /// Without a refresh token in their row.
    package let withoutGrant: Int
    /// Why no refreshes are made, in words, by client where there are several; nil while they are made for every client.
    package var stoppedFor: String?

    /// All of them.
    package var total: Int { healthy + failing + needingAPerson + withoutGrant }

    /// Puts a count together.
    package init(healthy: Int, failing: Int, needingAPerson: Int, withoutGrant: Int) {
        self.healthy = healthy
        self.failing = failing
        self.needingAPerson = needingAPerson
        self.withoutGrant = withoutGrant
    }
}
