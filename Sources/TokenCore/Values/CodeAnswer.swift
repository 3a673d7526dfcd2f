// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What the token endpoint gave for a code (fact sheet section 4.2): a grant's refresh token, and its first access token.
package struct CodeAnswer: Hashable, Sendable {
    /// The access token; never empty.
    package let accessToken: Secret
    /// `token_type`; `Bearer` where the answer named none.
    package let tokenType: String
    /// When the request was sent, and how long the access token lives from then on.
    package let life: TokenLife
    /// The refresh token; never empty.
    package let refreshToken: Secret

    /// Puts together what was read from the answer.
    package init(accessToken: Secret, tokenType: String = "Bearer", life: TokenLife, refreshToken: Secret) {
        self.accessToken = accessToken
        self.tokenType = tokenType
        self.life = life
        self.refreshToken = refreshToken
    }
}
