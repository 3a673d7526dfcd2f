// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What the token endpoint gave for one refresh (RFC 6749 section 5.1; fact sheet section 4.2).
package struct TokenAnswer: Hashable, Sendable {
    /// The new access token; never empty.
    package let accessToken: Secret
    /// `token_type`; `Bearer` where the answer named none.
    package let tokenType: String
    /// When the request was sent, and how long the token lives from then on.
    package let life: TokenLife
    /// A refresh token that replaces the one that was used; nil means: keep the one you have.
    package let newRefreshToken: Secret?

    /// Puts together what was read from the answer.
    package init(accessToken: Secret, tokenType: String = "Bearer", life: TokenLife, newRefreshToken: Secret? = nil) {
        self.accessToken = accessToken
        self.tokenType = tokenType
        self.life = life
        self.newRefreshToken = newRefreshToken
    }
}
