// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What one look at TastyTrade with an access token gave (fact sheet section 12).
package struct AccountProbe: Hashable, Sendable {
    /// The accounts, or what became of the question instead.
    package let outcome: Result<AccountSummary, AccountProbeFailure>
    /// What the reply's `Date` says; nil where there was no reply, or no such field in it.
    package let endpointTime: WallTime?
    /// This host's time when the reply came, or when it was given up.
    package let endedAt: WallTime

    /// Puts together what is known.
    ///
    /// - Parameters:
    ///   - outcome: the accounts, or what became of the question.
    ///   - endpointTime: what the reply's `Date` says, in whole seconds.
    ///   - endedAt: this host's time at the end.
    package init(
        _ outcome: Result<AccountSummary, AccountProbeFailure>,
        endpointTime: WallTime?,
        endedAt: WallTime
    ) {
        self.outcome = outcome
        self.endpointTime = endpointTime
        self.endedAt = endedAt
    }
}
