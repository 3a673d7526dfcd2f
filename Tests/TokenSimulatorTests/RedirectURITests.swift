// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

@Suite struct RedirectURITests {
    @Test(arguments: [
        "http://localhost:8000", "https://app.example/cb?a=1", "com.example.app://cb", "http://[::1]:3000/",
    ])
    func fullAddressesAreTaken(text: String) throws {
        try RedirectURI.check(text)
    }

    @Test(arguments: [
        "", "/cb", "localhost:8000", "http://", "://x", "http://a/#", "http://a b", "http://a/\u{7F}", "http://ä/",
        "http://a/\r\nSet-Cookie: x=y", "ht tp://a", "javascript:alert(1)",
    ])
    func othersAreRefused(text: String) {
        #expect(throws: SimulatorFailure.self) { try RedirectURI.check(text) }
    }

    @Test(arguments: [
        ("http://a", "http://a?x=1&y=a%20b%2B"), ("http://a/?", "http://a/?x=1&y=a%20b%2B"),
        ("http://a?z=2", "http://a?z=2&x=1&y=a%20b%2B"), ("http://a?z=2&", "http://a?z=2&x=1&y=a%20b%2B"),
    ])
    func parametersAreAddedToWhatIsThere(address: String, expected: String) {
        let parameters: [(name: String, value: String?)] = [("x", "1"), ("none", nil), ("y", "a b+")]
        #expect(RedirectURI.adding(parameters, to: address) == expected)
    }

    @Test func everyByteComesBack() throws {
        let text = String(String.UnicodeScalarView((1...0x3FF).compactMap { Unicode.Scalar($0) }))
        let query = RedirectURI.adding([("x", text)], to: "").dropFirst()
        #expect(query.utf8.allSatisfy { (0x21...0x7E).contains($0) })
        #expect(try FormText.fields(Array(query.utf8)) == ["x": text])
    }

    @Test func scopesAreWords() {
        #expect(ScopeText.words("read trade read") == ["read", "trade"])
        for text in ["read", "read trade openid", "a:b/c"] { #expect(ScopeText.isWellFormed(text)) }
        for text in ["", " ", "read ", "a  b", "a\"b", "a\\b", "ä", "a\nb"] { #expect(!ScopeText.isWellFormed(text)) }
    }

    @Test func markupIsEscaped() {
        #expect(HTMLText.escaped("a&b<c>\"d'é\u{301}") == "a&amp;b&lt;c&gt;&quot;d&#39;é\u{301}")
    }
}
