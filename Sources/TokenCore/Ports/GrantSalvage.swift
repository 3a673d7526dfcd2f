// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A new refresh token that came in a reply which gave nothing else, on its way into the row.
package struct GrantSalvage: Hashable, Sendable {
    /// Whose it is.
    package let user: UserID
    /// The new refresh token.
    package let newRefreshToken: Secret
    /// The version of the refresh token that was sent; the row must still hold it.
    package let usedVersion: Int64

    /// Puts together what the reply gave.
    package init(user: UserID, newRefreshToken: Secret, usedVersion: Int64) {
        self.user = user
        self.newRefreshToken = newRefreshToken
        self.usedVersion = usedVersion
    }
}
