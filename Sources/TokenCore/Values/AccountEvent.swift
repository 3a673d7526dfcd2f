// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Something that happened to an account, for whoever follows along (product.md, `GET /v1/events`). It never holds a token.
package struct AccountEvent: Hashable, Sendable {
    /// What happened. The raw values are the contract's words.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// There is another token than before, had by this daemon or by another on this database.
        case tokenRefreshed = "token.refreshed"
        /// A refresh gave no token.
        case refreshFailed = "refresh.failed"
        /// The grant is refused for good: a person is needed.
        case grantRefused = "grant.refused"
        /// There is a refresh token where there was none.
        case grantAdded = "grant.added"
        /// The refresh token, or the whole row, is gone.
        case grantRemoved = "grant.removed"
        /// The status is another one, the coming and going of refreshes apart.
        case statusChanged = "status.changed"
    }

    /// What happened.
    package let kind: Kind
    /// To whose account.
    package let user: UserID
    /// When.
    package let at: WallTime
    /// How the account stands since.
    package let status: GrantStatus
    /// When the token at hand dies, or died; nil if there is none.
    package let expiresAt: WallTime?
    /// Why the last refresh failed; nil if none has since the last success.
    package let failure: RefreshFailure.Kind?

    /// Puts an event together.
    package init(
        _ kind: Kind,
        of user: UserID,
        at: WallTime,
        status: GrantStatus,
        expiresAt: WallTime?,
        failure: RefreshFailure.Kind?
    ) {
        self.kind = kind
        self.user = user
        self.at = at
        self.status = status
        self.expiresAt = expiresAt
        self.failure = failure
    }
}
