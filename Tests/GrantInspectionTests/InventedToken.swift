// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import TestSupport
import TokenCore

/// A token that looks like TastyTrade's (fact sheet section 5), put together by a test. Nobody signed it.
struct InventedToken {
    /// Seconds since 1970 at the beginning of every test.
    static let newYear = Moment.newYear.wall.seconds
    static let clientID = "5d1b0a8e-3c47-4f1e-9a56-0e7b2f9c4d21"
    static let otherClientID = "c0ffee00-1111-4222-8333-444455556666"
    static let secret = "0123456789abcdef0123456789abcdef01234567"

    var type: String? = "rt+jwt"
    var algorithm: String? = "EdDSA"
    var issuer: String? = "https://api.tastytrade.com"
    /// JSON, quotes included.
    var audience: String? = "\"\(InventedToken.clientID)\""
    /// JSON, quotes included.
    var scope: String? = #""read trade openid""#
    var issuedAt: String? = String(InventedToken.newYear - 86_400)
    var expiresAt: String?
    var moreHeader = #""kid":"k1","jku":"https://api.tastytrade.com/jwks.json""#
    var moreClaims = #""sub":"U0001234","grant_id":"G0ab12cd""#
    var signatureBytes = 64

    var text: String { parts.joined(separator: ".") }
    var secret: Secret { Secret(text) }

    var parts: [String] {
        [Self.encode(header), Self.encode(claims), Self.encode([UInt8](repeating: 0xA7, count: signatureBytes))]
    }

    static func encode(_ text: String) -> String { encode(Array(text.utf8)) }

    static func encode(_ bytes: [UInt8]) -> String {
        String(
            Data(bytes).base64EncodedString().compactMap { character in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            }
        )
    }

    private var header: String {
        Self.object([("typ", type.map(Self.quoted)), ("alg", algorithm.map(Self.quoted))], moreHeader)
    }

    private var claims: String {
        Self.object(
            [
                ("iss", issuer.map(Self.quoted)), ("aud", audience), ("scope", scope), ("iat", issuedAt),
                ("exp", expiresAt),
            ],
            moreClaims
        )
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }

    private static func object(_ members: [(String, String?)], _ more: String) -> String {
        let known = members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
        return "{" + (known + (more.isEmpty ? [] : [more])).joined(separator: ",") + "}"
    }
}

extension InventedToken {
    /// The same with a change.
    func with(_ change: (inout InventedToken) -> Void) -> InventedToken {
        var token = self
        change(&token)
        return token
    }
}

extension ClientRegistration {
    /// A client of production.
    static let ours = ClientRegistration(
        name: "default",
        environment: .production,
        clientID: InventedToken.clientID,
        clientSecret: Secret(InventedToken.secret),
        apiURL: "https://api.tastyworks.com"
    )
    /// The same in the sandbox.
    static let sandbox = ClientRegistration(
        name: "cert",
        environment: .sandbox,
        clientID: InventedToken.clientID,
        clientSecret: Secret(InventedToken.secret),
        apiURL: "https://api.cert.tastyworks.com"
    )
    /// One that calls a simulator.
    static let simulated = ClientRegistration(
        name: "sim",
        environment: .sandbox,
        clientID: InventedToken.clientID,
        clientSecret: Secret(InventedToken.secret),
        apiURL: "http://127.0.0.1:8080"
    )

    func with(clientID: String?) -> ClientRegistration {
        ClientRegistration(
            name: name,
            environment: environment,
            clientID: clientID,
            clientSecret: clientSecret,
            apiURL: apiURL
        )
    }
}
