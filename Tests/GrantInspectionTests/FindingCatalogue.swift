// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import TokenCore

@testable import GrantInspection

/// At least one example of every finding that there is.
struct FindingCatalogue {
    static let now = Moment.newYear.wall

    /// Looks at all that people confuse; `token` says what a token is like otherwise.
    static func findings(_ token: InventedToken, for client: ClientRegistration, code: String) -> [Finding] {
        var findings = pasted(token, client, code)
        findings += claims(token, client)
        findings += settings(
            id: client.clientID ?? "",
            secret: client.clientSecret.reveal(),
            token: token.text
        )
        findings += redirects(code: code)
        findings += stored(token, client)
        findings += ScopeInspection.findings(["readonly", "read", "read"])
        if let skew = ClockSkew.finding(endpoint: now, host: now + .seconds(60)) { findings.append(skew) }
        return findings
    }

    private static func inspect(_ text: String, _ client: ClientRegistration) -> [Finding] {
        PastedGrant(Secret(text)).findings(
            for: client,
            wanting: ["read", "trade", "openid", "transfer"],
            at: now,
            secretReplacedAt: now
        )
    }

    private static func pasted(_ token: InventedToken, _ client: ClientRegistration, _ code: String) -> [Finding] {
        let text = token.text
        let secret = client.clientSecret.reveal()
        let jwe = InventedToken.encode(#"{"alg":"dir","enc":"A256GCM"}"#) + "..\(token.parts[1]).\(token.parts[2]).x"
        let texts: [String] = [
            " \(text) ", "\"\(text)\"", "Bearer \(text)", "refresh_token=\(text)", "{\"refresh_token\":\"\(text)\"}",
            "", String(repeating: text, count: 50), String(repeating: text, count: 200), "\(text) \(text)",
            "\(text)\n\(secret)", "\u{1}\(text)", "\(text)é", "{\"access_token\":\"\(text)\"}",
            "{\"refresh_token\":\"\(text)\"",
            client.clientID ?? "", secret, "https://app.example/cb?code=\(code)&state=s", "?code=\(code)",
            "https://app.example/\(code)", InventedToken.otherClientID, String(secret.reversed()), code, jwe, text,
            String(text.dropLast(30)), token.parts[0], "\(token.parts[0]).\(token.parts[1])", text + text, text + "\"",
            "\(token.parts[0])x\(text)", "eyJ\(code).\(code).\(code)",
        ]
        return texts.flatMap { inspect($0, client) }
    }

    private static func claims(_ token: InventedToken, _ client: ClientRegistration) -> [Finding] {
        let tokens = [
            token.with { $0.type = "at+jwt" }, token.with { $0.type = "JWT" }, token.with { $0.type = nil },
            token.with {
                $0.type = "JWT"
                $0.moreClaims = #""nonce":"n""#
            },
            token.with { $0.audience = "\"\(InventedToken.otherClientID)\"" },
            token.with { $0.issuer = "https://api.cert.tastyworks.com" },
            token.with { $0.issuer = "https://login.example" }, token.with { $0.scope = "\"\"" },
            token.with { $0.expiresAt = "1" }, token.with { $0.issuedAt = String(InventedToken.newYear + 3600) },
        ]
        return tokens.flatMap { token in
            [client, .simulated, client.with(clientID: nil)].flatMap { inspect(token.text, $0) }
        }
    }

    /// What stands in rows, with its column's fellow.
    private static func stored(_ token: InventedToken, _ client: ClientRegistration) -> [Finding] {
        let inspected = InspectedClient(client, redirectURI: "https://app.example/cb", scopes: ["read"])
        let access = token.with {
            $0.type = "at+jwt"
            $0.audience = "\"\(InventedToken.otherClientID)\""
            $0.expiresAt = String(InventedToken.newYear + 900)
        }
        let texts = [
            token.text, access.text, "\(access.text) ", "refresh_token=\(token.text)",
            access.with { $0.issuer = "https://api.cert.tastyworks.com" }.text,
        ]
        return texts.flatMap { text in
            inspected.findings(onRefreshToken: Secret(text), at: now)
                + inspected.findings(onAccessToken: Secret(text), endingAt: now)
                + inspected.findings(onAccessToken: Secret(text), endingAt: now + .seconds(7200))
        }
    }

    private static func settings(id: String, secret: String, token: String) -> [Finding] {
        let pairs: [(String, String)] = [
            (id, secret), ("", ""), (token, token), (" \(id)", " \(secret)"), ("\"\(id)\"", "'\(secret)'"),
            (secret, id),
            (secret, secret), (id, id), (id, InventedToken.otherClientID), ("x\(id)", "x\(secret)"),
            ("\(id)é", "\(secret)é"),
            ("\(id) \(secret)", "\(secret) \(id)"),
        ]
        return pairs.flatMap { id, secret in
            TradeEnvironment.allCases.flatMap { environment in
                ClientInspection(clientID: id, secret: Secret(secret), environment: environment).findings
            }
        }
    }

    private static func redirects(code: String) -> [Finding] {
        let texts: [String] = [
            "https://app.example/cb?code=\(code)", code, "https://app.example/\(code)#\(code)",
            "http://app.example/\(code)/",
            "https://app.example", "http://localhost/cb?code=\(code)", "https://app.example/cb/",
        ]
        return texts.flatMap { RedirectInspection(of: $0).findings }
    }
}
