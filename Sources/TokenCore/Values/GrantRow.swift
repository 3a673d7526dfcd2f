// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A row of the application's table as the daemon keeps it at load: everything but the refresh token, which is read
/// again when a refresh is due (architecture.md, decision 9).
package struct GrantRow: Hashable, Sendable {
    /// What stands in the refresh token's column.
    package enum Grant: Hashable, Sendable {
        /// NULL or empty.
        case none
        /// A value; the number differs when the stored text differs, and survives restarts (`hashtextextended`).
        case present(version: Int64)
        /// A value that is not a token or cannot be opened; the text says which, without quoting the value.
        case unreadable(version: Int64, reason: String)
    }

    /// Whose row it is.
    package let user: UserID
    /// What stands in the refresh token's column.
    package let grant: Grant
    /// The access token's column, unless NULL or empty.
    package let accessToken: Secret?
    /// The expiry's column, in UTC whatever its type.
    package let expiresAt: WallTime?
    /// What the daemon's own schema remembers of the account; nil where it remembers nothing.
    package let memory: GrantMemory?
    /// The name of the OAuth client that the grant was given to; nil is the configuration's.
    package let client: String?

    /// Puts together what a query gave.
    package init(
        user: UserID,
        grant: Grant,
        accessToken: Secret?,
        expiresAt: WallTime?,
        memory: GrantMemory?,
        client: String? = nil
    ) {
        self.user = user
        self.grant = grant
        self.accessToken = accessToken
        self.expiresAt = expiresAt
        self.memory = memory
        self.client = client
    }

    /// Whether the row holds that version of the refresh token, be it sealed anew since.
    package func holds(_ version: Int64) -> Bool {
        grant.version == version || memory?.sealedAnewFrom.contains(version) == true
    }
}

/// What the daemon wrote down about an account in its own schema, to know it again after a restart.
package struct GrantMemory: Hashable, Sendable {
    /// How the account stood; only statuses that outlive a process are stored.
    package let status: GrantStatus
    /// The version of the refresh token that the status speaks of; another version in the row makes it moot.
    package let grantVersion: Int64?
    /// Counts what the daemons wrote about the account (hard case H5).
    package let generation: Int64
    /// Refreshes that failed since the last one that did not.
    package let consecutiveFailures: Int
    /// The last failure in words.
    package let lastError: String?
    /// When a refresh last gave a token.
    package let lastRefreshedAt: WallTime?
    /// The length of life that the endpoint gave the token in the row; nil for a token somebody else put there.
    package let lifetime: Duration?
    /// When the token in the row ends, however wrong the clock was that gave its expiry; nil where that is not known, or it is not the
    /// last refresh's.
    package let tokenEndsAt: BootTime?
    /// The versions that the row's refresh token had before it was only sealed anew, the last one first; none if the row's version
    /// did not come about so.
    package let sealedAnewFrom: [Int64]
    /// The versions of the refresh tokens that daemons put others in the place of, the last one first; few.
    package let spent: [Int64]

    /// Puts together what a query gave.
    package init(
        status: GrantStatus,
        grantVersion: Int64?,
        generation: Int64,
        consecutiveFailures: Int,
        lastError: String?,
        lastRefreshedAt: WallTime?,
        lifetime: Duration?,
        tokenEndsAt: BootTime? = nil,
        sealedAnewFrom: [Int64] = [],
        spent: [Int64] = []
    ) {
        self.status = status
        self.grantVersion = grantVersion
        self.generation = generation
        self.consecutiveFailures = consecutiveFailures
        self.lastError = lastError
        self.lastRefreshedAt = lastRefreshedAt
        self.lifetime = lifetime
        self.tokenEndsAt = tokenEndsAt
        self.sealedAnewFrom = sealedAnewFrom
        self.spent = spent
    }
}
