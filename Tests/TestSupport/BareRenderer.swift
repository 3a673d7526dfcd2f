// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Renders a token as the token itself: enough for tests that look at the board and not at the wire.
package struct BareRenderer: TokenRendering {
    package init() {}

    package func render(
        _ accessToken: Secret,
        type tokenType: String,
        life: TokenLife,
        of user: UserID,
        for client: ClientRegistration
    ) -> PublishedToken {
        let reply = Array(accessToken.reveal().utf8)
        return PublishedToken(
            user: user,
            life: life,
            etag: "\"\(accessToken.reveal())\"",
            reply: reply,
            expiresInRange: 0..<0,
            bodyOffset: 0,
            tokenRange: 0..<reply.count
        )
    }
}

extension PublishedToken {
    /// The bare token, for expectations.
    package var bareToken: String { String(decoding: reply[tokenRange], as: UTF8.self) }
}
