// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How an account stands, in the words of the contract (product.md, Socket API). The raw value is what callers see.
package enum GrantStatus: String, Sendable, CaseIterable {
    /// Its token is alive and nothing is wrong.
    case active
    /// As `active`, with a refresh in flight.
    case refreshing
    /// Refreshes fail; the token at hand is still alive.
    case degraded
    /// Refreshes fail, and the token at hand is dead.
    case expired
    /// TastyTrade refused the grant for good; a person must give a new one.
    case reauthorizationRequired = "reauthorization_required"
    /// A reply was lost on a provider that rotates refresh tokens.
    case unknownOutcome = "unknown_outcome"
    /// What stands in the column cannot be opened, or is not a token.
    case unreadable
    /// The row has no refresh token.
    case noGrant = "no_grant"
}
