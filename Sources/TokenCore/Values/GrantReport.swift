// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What may be told about an account: everything but its tokens (product.md, `GET /v1/users/{user}`).
package struct GrantReport: Hashable, Sendable {
    /// Whose grant it is.
    package let user: UserID
    /// How it stands.
    package let status: GrantStatus
    /// The world its client belongs to.
    package let environment: TradeEnvironment
    /// The name of its client.
    package let client: String
    /// When the token at hand dies, or died; nil if there never was one.
    package let expiresAt: WallTime?
    /// When a refresh last gave a token; nil if none did that anybody remembers.
    package let lastRefreshedAt: WallTime?
    /// When the next refresh or probe is due; nil if none is planned.
    package let nextRefreshAt: WallTime?
    /// Refreshes that failed since the last one that did not.
    package let consecutiveFailures: Int
    /// The last failure in words, if the account has failed since its last success.
    package let lastError: String?

    /// Puts together what the engine knows.
    package init(
        user: UserID,
        status: GrantStatus,
        environment: TradeEnvironment,
        client: String,
        expiresAt: WallTime?,
        lastRefreshedAt: WallTime?,
        nextRefreshAt: WallTime?,
        consecutiveFailures: Int,
        lastError: String?
    ) {
        self.user = user
        self.status = status
        self.environment = environment
        self.client = client
        self.expiresAt = expiresAt
        self.lastRefreshedAt = lastRefreshedAt
        self.nextRefreshAt = nextRefreshAt
        self.consecutiveFailures = consecutiveFailures
        self.lastError = lastError
    }
}
