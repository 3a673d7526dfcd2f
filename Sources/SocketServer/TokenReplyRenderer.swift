// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
import SocketAPI
import Synchronization
package import TokenCore

/// Renders what replies to `GET token` are made of: the token's own part once for all who will ask, and what it has in
/// common with others once for all of them. `ByteBuffer.writeToken` joins them.
package final class TokenReplyRenderer: TokenRendering {
    private struct Kind: Equatable {
        let tokenType: String
        let environment: TradeEnvironment
        let apiURL: String
    }

    /// The frames made so far; a new one takes the place of the oldest. There are as many kinds as clients, as long as
    /// the endpoint names one type of token.
    private let frames = Mutex<[(kind: Kind, frame: ReplyFrame)]>([])
    private static let mostFrames = 32

    /// A renderer that has made nothing yet.
    package init() {}

    /// The token's own part, and the frame of its kind.
    package func render(
        _ accessToken: Secret,
        type tokenType: String,
        life: TokenLife,
        for client: ClientRegistration
    ) -> PublishedToken {
        let kind = Kind(tokenType: tokenType, environment: client.environment, apiURL: client.apiURL)
        var token = accessToken.reveal()
        return token.withUTF8 { utf8 in
            let etag = Self.etag(of: utf8)
            return JSONText.withContent(of: utf8) { text in
                PublishedToken(life: life, etag: etag, text: text, frame: frame(for: kind))
            }
        }
    }

    private func frame(for kind: Kind) -> ReplyFrame {
        frames.withLock { frames in
            if let known = frames.first(where: { $0.kind == kind }) { return known.frame }
            if frames.count >= Self.mostFrames { frames.removeFirst() }
            let frame = ReplyFrame(kind.tokenType, kind.environment, kind.apiURL)
            frames.append((kind, frame))
            return frame
        }
    }

    /// The validator in quotes: 22 characters of base64url (RFC 4648 section 5) are the first 132 bits of the digest,
    /// enough that no two tokens share one, and too few to find a token by.
    private static func etag(of token: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var hash = SHA256()
        hash.update(bufferPointer: UnsafeRawBufferPointer(token))
        return hash.finalize().withUnsafeBytes { digest in
            [UInt8](unsafeUninitializedCapacity: etagBytes) { etag, count in
                etag[0] = UInt8(ascii: "\"")
                for index in 0..<etagBytes - 2 { etag[index + 1] = character(index, of: digest) }
                etag[etagBytes - 1] = UInt8(ascii: "\"")
                count = etagBytes
            }
        }
    }

    private static let etagBytes = 24

    /// The base64url character that stands for six bits of the digest, the `index`th such group from its start.
    private static func character(_ index: Int, of digest: UnsafeRawBufferPointer) -> UInt8 {
        let bit = index * 6
        let pair = UInt16(digest[bit / 8]) << 8 | UInt16(digest[bit / 8 + 1])
        switch UInt8(truncatingIfNeeded: pair >> (10 - bit % 8) & 0x3F) {
        case let value where value < 26: return UInt8(ascii: "A") + value
        case let value where value < 52: return UInt8(ascii: "a") + value - 26
        case let value where value < 62: return UInt8(ascii: "0") + value - 52
        case 62: return UInt8(ascii: "-")
        default: return UInt8(ascii: "_")
        }
    }
}

extension ReplyFrame {
    /// The fields of the reply that do not differ from token to token.
    fileprivate convenience init(_ tokenType: String, _ environment: TradeEnvironment, _ apiURL: String) {
        var afterToken = JSONText(continuing: ())
        afterToken.add("token_type", tokenType)
        var afterSeconds = JSONText(continuing: ())
        afterSeconds.add("environment", environment.rawValue)
        afterSeconds.add("api_url", apiURL)
        afterSeconds.close()
        self.init(afterToken: afterToken.bytes, afterSeconds: afterSeconds.bytes)
    }
}
