// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantInspection

@Suite struct TokenReadingTests {
    private static let token = InventedToken()
    private static let header = token.parts[0]
    private static let claims = token.parts[1]
    private static let signature = token.parts[2]

    @Test(
        "Every form of value",
        arguments: [
            (token.text, .signed), ("", .opaque), ("password", .opaque), ("a.b.c", .opaque), ("...", .opaque),
            ("def50200abcdef", .opaque), (InventedToken.encode("[]") + ".b.c", .opaque),
            (InventedToken.encode(#"{"kid":"x"}"#) + ".b.c", .opaque),
            (InventedToken.encode(#"{"alg":"dir","enc":"A256GCM"}"#) + "..a.b.c", .encrypted),
            (header, .truncated(.parts(1))), (header + ".", .truncated(.parts(1))),
            ("\(header).\(claims)", .truncated(.parts(2))), ("\(header).\(claims).", .truncated(.parts(2))),
            ("\(header).\(claims.prefix(20))", .truncated(.parts(2))),
            ("\(header).\(claims).\(signature.prefix(84))", .truncated(.signature(63, of: 64))),
            ("\(header).\(claims).\(signature.prefix(81))", .truncated(.signature(60, of: 64))),
            ("\(header).\(claims).A", .truncated(.signature(0, of: 64))),
            ("eyJ", .damaged(.header)), ("\(header.prefix(9)).b.c", .damaged(.header)),
            ("\(header).\(claims.dropFirst()).\(signature)", .damaged(.claims)),
            ("\(header)..\(signature)", .damaged(.claims)),
            ("\(header).\(claims).\(signature)\"", .damaged(.signature)),
            ("\(header).\(claims).\(signature)==", .damaged(.signature)),
            ("\(header).\(claims).\(signature.dropLast())+", .damaged(.signature)),
            ("\(header).\(claims).\(signature)AAA", .damaged(.signature)),
            ("\(token.text).", .damaged(.parts(4))), ("\(token.text)\(token.text)", .damaged(.parts(5))),
        ] as [(String, TokenReading.Form)]
    )
    func everyFormIsTold(text: String, form: TokenReading.Form) {
        #expect(TokenReading(Secret(text)).form == form)
    }

    @Test func whatATokenSaysIsRead() throws {
        let contents = try #require(TokenReading(InventedToken(expiresAt: "1767225600.5").secret).contents)
        #expect(contents.type == "rt+jwt")
        #expect(contents.algorithm == "EdDSA")
        #expect(contents.issuer == "https://api.tastytrade.com")
        #expect(contents.subject == Secret("U0001234"))
        #expect(contents.grantID == Secret("G0ab12cd"))
        #expect(contents.audience == [InventedToken.clientID])
        #expect(contents.scopes == ["read", "trade", "openid"])
        #expect(contents.issuedAt == WallTime(nanoseconds: (InventedToken.newYear - 86_400) * 1_000_000_000))
        #expect(contents.expiresAt == WallTime(nanoseconds: InventedToken.newYear * 1_000_000_000 + 500_000_000))
        #expect(contents.kind == .refresh)
    }

    @Test func anAudienceAndAScopeMayBeLists() throws {
        let token = InventedToken(audience: #"["a",7,"b",["c"]]"#, scope: #"["read","trade openid"]"#)
        let contents = try #require(TokenReading(token.secret).contents)
        #expect(contents.audience == ["a", "b"])
        #expect(contents.scopes == ["read", "trade", "openid"])
    }

    @Test func whatATokenDoesNotSayIsNotKnown() throws {
        var token = InventedToken(type: nil, issuer: nil, audience: nil, scope: nil, issuedAt: nil)
        token.moreClaims = ""
        let contents = try #require(TokenReading(token.secret).contents)
        #expect(contents.type == nil && contents.issuer == nil && contents.subject == nil && contents.scopes == nil)
        #expect(contents.audience.isEmpty && contents.issuedAt == nil && contents.expiresAt == nil)
        #expect(contents.kind == .other)
    }

    @Test(
        arguments: [
            ("rt+jwt", "", .refresh), ("RT+JWT", "", .refresh), ("application/rt+jwt", "", .refresh),
            ("at+jwt", "", .access), ("AT+jwt", #""nonce":"n""#, .access), ("application/at+jwt", "", .access),
            ("JWT", #""at_hash":"h""#, .identity), (nil, #""nonce":"n""#, .identity),
            ("JWT", #""auth_time":1"#, .identity),
            ("JWT", #""nonce":"n","grant_id":"g""#, .other), ("JWT", "", .other), (nil, "", .other), ("rt", "", .other),
        ] as [(String?, String, TokenContents.Kind)]
    )
    func everyKindIsTold(type: String?, claims: String, kind: TokenContents.Kind) {
        let token = InventedToken(type: type, moreClaims: claims)
        #expect(TokenReading(token.secret).contents?.kind == kind)
    }

    @Test(
        "Numbers of any size are times, or nothing",
        arguments: [
            ("0", 0), ("-1", -1), ("1e3", 1000), ("1767225600", 1_767_225_600), ("1e999", nil), ("-1e999", nil),
            ("9223372036", nil), ("1e-999", 0), ("1" + String(repeating: "0", count: 400), nil), ("\"1\"", nil),
            ("null", nil), ("[1]", nil), ("true", nil),
        ] as [(String, Int64?)]
    )
    func numbersOfAnySize(number: String, seconds: Int64?) {
        let contents = TokenReading(InventedToken(issuedAt: number).secret).contents
        #expect(contents != nil)
        #expect(contents?.issuedAt?.seconds == seconds)
    }

    @Test(arguments: [
        #"{"alg":"EdDSA","alg":"none"}"#, #"{"alg":"\ud800"}"#, #"{"alg":"EdDSA",}"#, #"{"alg":"EdDSA"} x"#,
        #"{"alg":"EdDSA","x":01}"#, #"{"alg":"EdDSA","x":}"#, "{\"alg\":\"Ed\nDSA\"}", #"{"alg":EdDSA}"#, #"{"alg""#,
        #"{"alg":"x","d":"# + String(repeating: "[", count: 5000),
        #"{"alg":"x","d":"# + String(repeating: "[", count: 9) + String(repeating: "]", count: 9) + "}",
        "{" + (0..<65).map { "\"m\($0)\":0" }.joined(separator: ",") + "}",
        #"{"a":["# + Array(repeating: "0", count: 65).joined(separator: ",") + "]}",
    ])
    func whatIsNotReadStrictlyIsNotRead(json: String) {
        #expect(JSONFields(Array(json.utf8)) == nil)
        // JSON that is broken begins as a header does.
        let form = TokenReading(Secret(InventedToken.encode(json) + ".\(Self.claims).\(Self.signature)")).form
        #expect(form == (json.hasPrefix("{\"") ? .damaged(.header) : .opaque))
    }

    @Test func bytesThatAreNoUTF8AreNotRead() {
        let header = InventedToken.encode(Array(#"{"alg":""#.utf8) + [0xFF, 0xC3] + Array(#""}"#.utf8))
        #expect(TokenReading(Secret("\(header).\(Self.claims).\(Self.signature)")).form == .damaged(.header))
    }

    @Test(arguments: ["HS256", "RS256", "ES512", "Ed448", "unheard-of", "none"])
    func aSignatureHasTheLengthOfItsAlgorithm(algorithm: String) {
        let least = SignatureLength.least(algorithm)
        let whole = InventedToken(algorithm: algorithm, signatureBytes: least)
        #expect(TokenReading(whole.secret).form == .signed)
        let short = InventedToken(algorithm: algorithm, signatureBytes: least - 1)
        #expect(
            TokenReading(short.secret).form
                == (least == 1 ? .truncated(.parts(2)) : .truncated(.signature(least - 1, of: least)))
        )
    }
}
