// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantInspection

@Suite struct TokenInspectionTests {
    private static let now = Moment.newYear.wall
    private static let wanted = ["read", "trade", "openid"]

    private func findings(
        _ token: String,
        for client: ClientRegistration = .ours,
        wanting scopes: [String] = wanted,
        secretReplacedAt: WallTime? = nil
    ) -> [Finding] {
        TokenInspection(
            of: Secret(token),
            for: client,
            wanting: scopes,
            at: Self.now,
            secretReplacedAt: secretReplacedAt
        ).findings
    }

    private func codes(_ token: String, for client: ClientRegistration = .ours) -> [FindingCode] {
        findings(token, for: client).map(\.code)
    }

    @Test(
        "A value that is something else is told by name",
        arguments: [
            (InventedToken.clientID, .clientIDPasted), (InventedToken.secret, .clientSecretPasted),
            (InventedToken.otherClientID, .looksLikeClientID),
            (InventedToken.otherClientID.uppercased(), .looksLikeClientID),
            ("89abcdef0123456789abcdef0123456701234567", .looksLikeClientSecret),
            ("https://app.example/tastytrade/oauth/callback?code=Zm9v&state=s", .redirectPasted),
            ("HTTP://localhost:3000/cb?state=s&code=Zm9v", .redirectPasted),
            ("?code=Zm9v&state=s", .redirectPasted), ("?state=s&code=Zm9v", .redirectPasted),
            ("state=s&code=Zm9v", .redirectPasted), ("?x=1", .notAJWT), ("?", .notAJWT), ("state=s", .notAJWT),
            ("code=Zm9v&state=s", .redirectPasted),
            ("https://my.tastytrade.com/auth.html", .addressPasted),
            ("Zm9vYmFy", .notAJWT), ("89abcdef", .notAJWT), ("123e4567e89b42d3a456426614174000", .notAJWT),
            (InventedToken(type: "at+jwt").text, .accessTokenPasted),
            (InventedToken(type: "at+jwt", audience: "\"x\"", scope: "\"\"").text, .accessTokenPasted),
            (InventedToken(type: "JWT", moreClaims: #""nonce":"n""#).text, .identityTokenPasted),
            (InventedToken(type: "JWT").text, .typeUnusual), (InventedToken(type: nil).text, .typeUnusual),
            (InventedToken.encode(#"{"alg":"dir","enc":"A256GCM"}"#) + "..a.b.c", .tokenEncrypted),
            (InventedToken().parts[0], .tokenTruncated),
            (InventedToken().parts[0...1].joined(separator: "."), .tokenTruncated),
            (InventedToken(signatureBytes: 40).text, .tokenTruncated),
            (InventedToken().text + "\"", .tokenDamaged), (InventedToken().text + InventedToken().text, .tokenDamaged),
        ] as [(String, FindingCode)]
    )
    func anotherThingIsTold(text: String, code: FindingCode) {
        #expect(codes(text) == [code])
    }

    @Test func oneClientsIDIsOnlyFormForAnother() {
        #expect(codes(InventedToken.clientID, for: .ours.with(clientID: nil)) == [.looksLikeClientID])
    }

    @Test(
        "For which client it was made",
        arguments: [
            ("\"\(InventedToken.clientID)\"", InventedToken.clientID, nil),
            ("\"\(InventedToken.clientID.uppercased())\"", InventedToken.clientID, nil),
            ("[\"x\",\"\(InventedToken.clientID)\"]", InventedToken.clientID, nil),
            (nil, InventedToken.clientID, nil), ("[]", InventedToken.clientID, nil), ("7", InventedToken.clientID, nil),
            ("\"\(InventedToken.otherClientID)\"", InventedToken.clientID, .grantOfOtherClient),
            ("[\"x\",\"y\"]", InventedToken.clientID, .grantOfOtherClient),
            ("\"\(InventedToken.clientID)\"", nil, .audienceUnchecked),
            ("\"\(InventedToken.clientID)\"", "", .audienceUnchecked),
        ] as [(String?, String?, FindingCode?)]
    )
    func audiences(audience: String?, clientID: String?, code: FindingCode?) {
        let token = InventedToken(audience: audience).text
        #expect(codes(token, for: .ours.with(clientID: clientID)) == [code].compactMap { $0 })
    }

    @Test func bothClientsAreNamed() {
        let found = findings(InventedToken(audience: "\"\(InventedToken.otherClientID)\"").text)
        #expect(found.first?.problem.contains("client id \(InventedToken.otherClientID)") == true)
        #expect(found.first?.problem.contains("client \"default\" has \(InventedToken.clientID)") == true)
    }

    @Test(
        "In which environment it was made",
        arguments: [
            ("https://api.tastytrade.com", .ours, nil), ("https://api.tastyworks.com", .ours, nil),
            ("https://API.TastyTrade.com./", .ours, nil), (nil, .ours, nil), ("tastytrade", .ours, nil),
            ("", .ours, nil),
            ("https://api.cert.tastyworks.com", .ours, .grantOfOtherEnvironment),
            ("https://api.sandbox.tastytrade.com/", .ours, .grantOfOtherEnvironment),
            ("https://api.sandbox.tastyworks.com", .ours, .grantOfOtherEnvironment),
            ("https://api.tastytrade.com", .sandbox, .grantOfOtherEnvironment),
            ("https://api.sandbox.tastyworks.com", .sandbox, nil), ("https://api.cert.tastyworks.com", .sandbox, nil),
            ("https://login.example", .ours, .issuerUnknown),
            ("https://api.tastytrade.com.evil.example", .ours, .issuerUnknown),
            ("https://api.tastytrade.com", .simulated, .environmentInDoubt),
            ("https://api.cert.tastyworks.com", .simulated, nil),
            ("http://127.0.0.1:9999", .simulated, nil),
            ("http://localhost:9999", .simulated, nil), ("http://127.0.0.1:8080", .ours, .issuerUnknown),
            ("http://sim.example", .simulated, .issuerUnknown),
        ] as [(String?, ClientRegistration, FindingCode?)]
    )
    func issuers(issuer: String?, client: ClientRegistration, code: FindingCode?) {
        #expect(codes(InventedToken(issuer: issuer).text, for: client) == [code].compactMap { $0 })
    }

    @Test(
        "What it does not allow",
        arguments: [
            (#""read trade openid""#, wanted, []), (#""openid  trade read other""#, wanted, []), (nil, wanted, []),
            (#""read""#, wanted, [.scopeLacksTrade, .scopeLacksOpenID]), (#""read""#, ["read"], []),
            (#""trade""#, ["read", "trade"], [.scopeLacksRead]), (#""""#, ["read"], [.scopeLacksRead]),
            (#""READ""#, ["read"], [.scopeLacksRead]), ("7", ["trade", "trade"], [.scopeLacksTrade]),
            (#""read""#, ["read", "transfer"], [.scopeLacksOther]), (#""read""#, [], []),
        ] as [(String?, [String], [FindingCode])]
    )
    func scopes(scope: String?, wanted: [String], expected: [FindingCode]) {
        #expect(findings(InventedToken(scope: scope).text, wanting: wanted).map(\.code) == expected)
    }

    @Test(
        "Its times",
        arguments: [
            (-86_400, nil, nil, []), (29, nil, nil, []), (30, nil, nil, [.issuedInFuture]), (nil, nil, 0, []),
            (86_400 * 400, nil, nil, [.issuedInFuture]), (-10, 1, nil, []), (-10, 0, nil, [.tokenExpired]),
            (-10, -86_400 * 365, nil, [.tokenExpired]), (-10, nil, -10, []), (-10, nil, -11, []),
            (-10, nil, -9, [.olderThanSecret]), (-10, -5, -9, [.tokenExpired, .olderThanSecret]),
        ] as [(Int64?, Int64?, Int64?, [FindingCode])]
    )
    func times(issued: Int64?, end: Int64?, replaced: Int64?, expected: [FindingCode]) {
        let token = InventedToken(
            issuedAt: issued.map { String(InventedToken.newYear + $0) },
            expiresAt: end.map { String(InventedToken.newYear + $0) }
        )
        let replacedAt = replaced.map { Self.now + .seconds($0) }
        #expect(findings(token.text, secretReplacedAt: replacedAt).map(\.code) == expected)
    }

    @Test func severalThingsAreSaidAtOnce() {
        let token = InventedToken(
            type: "JWT",
            issuer: "https://api.cert.tastyworks.com",
            audience: #""x""#,
            scope: #""read""#,
            expiresAt: "0",
            signatureBytes: 10
        )
        #expect(
            codes(token.text) == [
                .tokenTruncated, .grantOfOtherClient, .grantOfOtherEnvironment, .scopeLacksTrade, .scopeLacksOpenID,
                .tokenExpired,
            ]
        )
        #expect(
            findings(token.text).bySeverity.map(\.severity) == [.fault, .fault, .warning, .warning, .warning, .note]
        )
        #expect(findings(token.text).worst == .fault)
    }

    @Test func spansAreInTheirLargestUnit() {
        let spans: [(Duration, String)] = [
            (.zero, "0 seconds"), (.milliseconds(1999), "1 second"), (.seconds(59), "59 seconds"),
            (.seconds(60), "1 minute"),
            (.seconds(7199), "1 hour"), (.seconds(-7200), "2 hours"), (.seconds(86_400), "1 day"),
            (.seconds(86_400 * 20_000), "20000 days"), (.nanoseconds(Int64.min), "106751 days"),
        ]
        for (span, words) in spans { #expect(SpanOfTime(span).description == words) }
    }
}
