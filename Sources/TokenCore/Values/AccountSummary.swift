// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The accounts that an access token may see, without a word on whose they are.
package struct AccountSummary: Hashable, Sendable {
    /// What may be done with an account (`authority-level`).
    package enum Authority: String, Hashable, Sendable, CaseIterable {
        /// Everything.
        case owner
        /// Trading, and nothing else.
        case tradeOnly = "trade-only"
        /// Looking.
        case readOnly = "read-only"
        /// The answer does not say, or says something that is not known here.
        case unknown
    }

    /// How many accounts there are of each level; a level without any is missing.
    package let byAuthority: [Authority: Int]

    /// Counts the accounts, given the level of each.
    package init(_ levels: some Sequence<Authority>) {
        byAuthority = levels.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    /// How many there are. None at all is usual for a new user of the sandbox.
    package var count: Int { byAuthority.values.reduce(0, +) }
}
