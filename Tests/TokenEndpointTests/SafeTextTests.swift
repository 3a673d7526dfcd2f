// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import TokenEndpoint

@Suite struct SafeTextTests {
    @Test(arguments: [
        ("Invalid JWT", "Invalid JWT"), ("a\nb", #"a\u{a}b"#), ("\u{1B}[31m", #"\u{1b}[31m"#),
        ("a\u{202E}b", #"a\u{202e}b"#), (#"a\u{41}"#, #"a\u{5c}u{41}"#), ("é 漢 👍", "é 漢 👍"),
        ("\u{A0}", #"\u{a0}"#), ("\u{0}", #"\u{0}"#),
    ])
    func onlyVisibleCharactersAndSpacesPass(text: String, escaped: String) {
        #expect(SafeText.escape(text, limit: 100) == escaped)
    }

    @Test func theCutIsMarked() {
        #expect(SafeText.escape("abcdef", limit: 3) == "abc…")
        #expect(SafeText.escape("abc", limit: 3) == "abc")
        #expect(SafeText.escape("ab\n", limit: 3) == "ab…")
    }

    @Test func secretsAreBlanked() {
        let text = SafeText.make("is s3cret and s3cret2", limit: 200, hiding: [Secret("s3cret"), Secret("")])
        #expect(text == "is <redacted> and <redacted>2")
    }

    @Test func whatLooksLikeATokenIsBlanked() {
        let token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"
        let text = SafeText.make("got \(token), not \(token.prefix(40))", limit: 200, hiding: [])
        #expect(text == "got <redacted>, not <redacted>")
    }

    @Test func aSecretAcrossTheCutDoesNotShow() {
        let secret = String(repeating: "k", count: 40)
        let text = SafeText.make(String(repeating: "x ", count: 95) + secret, limit: 200, hiding: [Secret(secret)])
        #expect(!text.contains("kk"))
    }
}
