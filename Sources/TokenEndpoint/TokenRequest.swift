// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import TokenCore

/// One call of the token endpoint: what is sent, and what must not come back in any text.
struct TokenCall: Sendable {
    /// What is to be exchanged for tokens.
    enum Kind: Sendable {
        /// A refresh token.
        case refresh
        /// A code of the authorize page, which was sent to that address.
        case code(redirectURI: String)
    }

    /// What is exchanged.
    let kind: Kind
    /// The refresh token or the code to send.
    let presented: Secret
    /// The client to send it for.
    let client: ClientRegistration

    /// A refresh.
    init(refreshToken: Secret, client: ClientRegistration) {
        (kind, presented, self.client) = (.refresh, refreshToken, client)
    }

    /// The exchange of a code.
    init(code: Secret, redirectURI: String, client: ClientRegistration) {
        (kind, presented, self.client) = (.code(redirectURI: redirectURI), code, client)
    }

    /// Whether a code is exchanged.
    var isExchange: Bool { if case .code = kind { true } else { false } }

    /// The two texts that an answer might quote and that no failure may show.
    var secrets: [Secret] { [presented, client.clientSecret] }

    /// The host and path for people's eyes, bounded and escaped.
    var endpoint: String { SafeText(address, toBytes: SafeText.quotationLimit).text }

    private var address: String { client.apiURL + "/oauth/token" }

    /// The request of fact sheet section 4.1. There is no `Authorization`, with which the endpoint refuses the call, and
    /// no `Accept-Version`; of a refresh `client_id` is optional, and most clients leave it out.
    func request(version: String, exchange: TokenExchange) throws(RefreshFailure) -> HTTPClient.Request {
        let body = self.body
        do {
            return try HTTPClient.Request(
                url: address,
                method: .POST,
                headers: [
                    "User-Agent": "tastytokend/\(version)",
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                ],
                body: .stream(contentLength: Int64(body.readableBytes)) { writer in
                    // From here on the endpoint may act on the request.
                    exchange.markSent()
                    return writer.write(.byteBuffer(body))
                }
            )
        } catch {
            throw RefreshFailure(.connect, text: "\(endpoint) is no address that can be called")
        }
    }

    /// The fields, in JSON.
    var body: ByteBuffer {
        let token = JSONText.quoted(presented.reveal())
        let secret = JSONText.quoted(client.clientSecret.reveal())
        switch kind {
        case .refresh:
            return ByteBuffer(
                string: #"{"grant_type":"refresh_token","refresh_token":\#(token),"client_secret":\#(secret)}"#
            )
        case .code(let redirectURI):
            let (id, address) = (JSONText.quoted(client.clientID ?? ""), JSONText.quoted(redirectURI))
            return ByteBuffer(
                string: #"{"grant_type":"authorization_code","code":\#(token),"client_id":\#(id),"#
                    + #""client_secret":\#(secret),"redirect_uri":\#(address)}"#
            )
        }
    }
}

/// Writes JSON's one difficult part.
enum JSONText {
    /// The text as a JSON string, quotes included (RFC 8259 section 7).
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..."\u{1F}": quoted += control(scalar)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func control(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
