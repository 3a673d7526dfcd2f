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
        for client: ClientRegistration
    ) -> PublishedToken {
        Array(accessToken.reveal().utf8).withUnsafeBufferPointer { text in
            let etag = Array("\"\(accessToken.reveal())\"".utf8)
            return PublishedToken(life: life, etag: etag, text: text, frame: Self.frame)
        }
    }

    private static let frame = ReplyFrame(afterToken: [], afterSeconds: [])
}

extension PublishedToken {
    /// The bare token, for expectations.
    package var bareToken: String { String(decoding: text, as: UTF8.self) }
}
