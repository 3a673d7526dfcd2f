// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantInspection

/// No input of any kind may end the process; what comes out is bounded and on one line.
@Suite struct AnyInputTests {
    private static let now = Moment.newYear.wall

    /// Looks at a text in every way that there is.
    private func inspect(_ text: String) {
        let ours = InventedToken().secret
        let inspections = [
            TokenInspection(of: Secret(text), for: .simulated, wanting: [text], at: Self.now),
            TokenInspection(of: ours, for: .ours.with(clientID: text), wanting: [], at: Self.now),
        ]
        var found = inspections.flatMap(\.findings)
        found += PastedGrant(Secret(text)).findings(for: .ours, wanting: ["read", text], at: Self.now)
        found += ClientInspection(clientID: text, secret: Secret(text), environment: .sandbox).findings
        found += RedirectInspection(of: text).findings
        found += RedirectInspection(of: "https://h/" + text).findings
        found += ScopeInspection.findings([text, text])
        for finding in found where !isShort(finding.description) { Issue.record("\(finding)") }
        _ = Explanation(ofAuthorizationError: text, in: .production)
        let refused = RefreshFailure(.requestRejected, httpStatus: 400, code: text, text: text)
        _ = Explanation(of: refused, in: .sandbox)
    }

    /// On one line, and bounded.
    private func isShort(_ text: String) -> Bool {
        text.utf8.count <= 2 * SafeText.remarkLimit && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    @Test func randomBytes() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<1000 {
            let count = Int.random(in: 0...200, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            inspect(String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test func randomPiecesOfWhatIsLookedFor() {
        let token = InventedToken()
        let pieces: [String] =
            token.parts + [
                ".", "\"", "'", "“", "{", "}", ":", "=", ",", "refresh_token", "Bearer ", " ", "\n", "\u{301}",
                "\u{FEFF}", "http://", "https://", "?code=", "&", "#", "[::1]", "localhost", "eyJ", "\u{0}", "%", "%zz",
                InventedToken.clientID, InventedToken.secret, "\\ud800", "1e999", "[", "]", "@", "/",
            ]
        var random = SeededGenerator(seed: 2)
        for _ in 0..<1000 {
            let count = Int.random(in: 0...8, using: &random)
            inspect((0..<count).compactMap { _ in pieces.randomElement(using: &random) }.joined())
        }
    }

    @Test func tokensCutAnywhere() {
        let text = InventedToken().text
        for count in 0...text.utf8.count {
            let cut = String(text.prefix(count))
            inspect(cut)
            let form = TokenReading(Secret(cut)).form
            if (form == .signed) != (count == text.utf8.count) { Issue.record("after \(count) characters") }
        }
    }

    @Test func tokensWithAnotherByte() {
        var random = SeededGenerator(seed: 3)
        let bytes = Array(InventedToken().text.utf8)
        for _ in 0..<1000 {
            var changed = bytes
            changed[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0x20...0x7E, using: &random)
            inspect(String(decoding: changed, as: UTF8.self))
        }
    }

    @Test func claimsOfAnyKind() {
        let values = [
            "null", "true", "-0", "1e999", "\"\"", "[]", "{}", #"["a",["b",{"c":["d"]}]]"#, "\"\\u0000\\n\"", "\"👍\"",
            "9007199254740993", "-1e308", String(repeating: "9", count: 400), #""http://[""#, #""https://%""#, #""//""#,
            #""https://xn--\u0301.example.""#, "\"" + String(repeating: "read ", count: 500) + "\"",
        ]
        for value in values {
            let claims = ["iss", "aud", "scope", "iat", "exp", "sub", "grant_id"].map { "\"\($0)\":\(value)" }
            var token = InventedToken(issuer: nil, audience: nil, scope: nil, issuedAt: nil)
            token.moreClaims = claims.joined(separator: ",")
            inspect(token.text)
            token.type = "\\u0000"
            inspect(token.text)
        }
    }

    @Test func whatIsLongerThanAnyTokenIsNotLookedInto() {
        let long = InventedToken(moreClaims: "\"x\":\"" + String(repeating: "y", count: 20_000) + "\"")
        #expect(TokenInspection(of: long.secret, for: .ours, wanting: [], at: Self.now).contents == nil)
        #expect(PastedGrant(long.secret).findings.map(\.code) == [.tokenTooLong])
        inspect(String(repeating: "\"", count: 70_000))
        inspect(String(repeating: " ", count: 60_000) + "x")
    }
}
