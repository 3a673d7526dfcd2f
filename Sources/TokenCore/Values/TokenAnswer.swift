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
    /// Whether it is in the journal of this host, so that it outlives the process.
    package let isJournaled: Bool

    /// Puts together what was read from the answer.
    package init(
        accessToken: Secret,
        tokenType: String = "Bearer",
        life: TokenLife,
        newRefreshToken: Secret? = nil,
        isJournaled: Bool = false
    ) {
        self.accessToken = accessToken
        self.tokenType = tokenType
        self.life = life
        self.newRefreshToken = newRefreshToken
        self.isJournaled = isJournaled
    }

    /// The same answer, once it is in the journal.
    package var journaled: TokenAnswer {
        TokenAnswer(
            accessToken: accessToken,
            tokenType: tokenType,
            life: life,
            newRefreshToken: newRefreshToken,
            isJournaled: true
        )
    }

    /// Whether it may be handed out before its row holds it: a new refresh token must be safe before anything comes of it.
    package var mayBeHandedOut: Bool { newRefreshToken == nil || isJournaled }
}
