// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
import SocketAPI
package import TokenCore

/// Renders the reply to `GET token`, head and body, once for all who will ask.
package struct TokenReplyRenderer: TokenRendering {
    /// Digits that the seconds left have room for: eleven days.
    static let expiresInWidth = 6

    /// A renderer; it holds nothing.
    package init() {}

    /// The reply, complete but for the seconds left.
    package func render(
        _ accessToken: Secret,
        type tokenType: String,
        life: TokenLife,
        of user: UserID,
        for client: ClientRegistration
    ) -> PublishedToken {
        var body = JSONText()
        body.add("user", user.text)
        let token = body.addLocated("access_token", accessToken.reveal())
        body.add("token_type", tokenType)
        body.add("expires_at", Timestamp.text(microseconds: life.expiresAt.wall.microseconds))
        let seconds = body.addPlace("expires_in", width: Self.expiresInWidth)
        body.add("environment", client.environment.rawValue)
        body.add("api_url", client.apiURL)
        body.close()

        let etag = Self.etag(of: accessToken)
        let head = Array(Self.head(etag: etag, bodyBytes: body.bytes.count).utf8)
        return PublishedToken(
            user: user,
            life: life,
            etag: etag,
            reply: head + body.bytes,
            expiresInRange: seconds.lowerBound + head.count..<seconds.upperBound + head.count,
            bodyOffset: head.count,
            tokenRange: token.lowerBound + head.count..<token.upperBound + head.count
        )
    }

    private static func head(etag: String, bodyBytes: Int) -> String {
        """
        HTTP/1.1 200 OK\r
        Content-Type: \(MediaType.json)\r
        Cache-Control: no-store\r
        ETag: \(etag)\r
        Content-Length: \(bodyBytes)\r
        \r\n
        """
    }

    /// The validator: 22 characters of base64url (RFC 4648 section 5) are the first 132 bits of the digest, enough that
    /// no two tokens share one, and too few to find a token by.
    static func etag(of token: Secret) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var characters: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in SHA256.hash(data: Array(token.reveal().utf8)).prefix(17) {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                characters.append(alphabet[Int(bits >> count & 0x3F)])
            }
        }
        return "\"\(String(decoding: characters.prefix(22), as: UTF8.self))\""
    }
}
