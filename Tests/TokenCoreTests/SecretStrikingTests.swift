// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@Suite struct SecretStrikingTests {
    @Test(arguments: [
        ("is s3cret and s3cret2", ["s3cret", ""], "is <redacted> and <redacted>2"),
        ("role s3cret! failed", ["s3cret!"], "role <redacted> failed"),
        // What is so short is no secret, and the words must stay readable.
        ("a cat", ["a", "", "cat"], "a cat"),
        // The longer one must not leave its end behind.
        ("s3cret s3cret2", ["s3cret", "s3cret2"], "<redacted> <redacted>"),
        ("s3cret\u{301}", ["s3cret"], "<redacted>\u{301}"),
        ("pass wörd", ["pass wörd"], "<redacted>"),
        ("s3crets3cret", ["s3cret"], "<redacted><redacted>"), ("s3cre", ["s3cret"], "s3cre"), ("", ["s3cret"], ""),
    ])
    func knownSecretsAreStruckOut(text: String, secrets: [String], shown: String) {
        let struck = Secret.strike(secrets.map(Secret.init), from: text)
        #expect(Array(struck.utf8) == Array(shown.utf8))
    }

    @Test(arguments: [
        ("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln is bad", "<redacted> is bad"),
        ("got (0123456789abcdef0123456789abcdef)", "got (<redacted>)"),
        ("got 0123456789abcdef0123456789abcde", "got 0123456789abcdef0123456789abcde"),
        ("bearer=ThisHasNoDigitsAtAllButMixesItsCases", "<redacted>"),
        (
            "constraint users_tastytrade_oauth_token_length_check",
            "constraint users_tastytrade_oauth_token_length_check"
        ),
        ("--------------------------------------------", "--------------------------------------------"),
        ("OPENSSL_INTERNAL_CERTIFICATE_VERIFY_FAILED", "OPENSSL_INTERNAL_CERTIFICATE_VERIFY_FAILED"),
    ])
    func whatLooksLikeATokenIsStruckOut(text: String, shown: String) {
        #expect(Secret.strike([], from: text) == shown)
    }

    @Test func aTokenAndItsFirstPartAreStruckOut() {
        let token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"
        #expect(Secret.strike([], from: "got \(token), not \(token.prefix(40))") == "got <redacted>, not <redacted>")
    }

    @Test func aTokenThatTheBoundCutsInTwoIsStruckOut() {
        let token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI0MiJ9"
        for shown in 1...token.utf8.count - 1 {
            let words = String(repeating: " ", count: 4096 - shown)
            let text = Secret.strike([], from: words + token)
            #expect(text.drop { $0 == " " } == "<redacted>…")
        }
    }

    @Test func aLongTextIsLookedAtInPart() {
        #expect(Secret.strike([], from: String(repeating: "a1", count: 100_000)) == "<redacted>…")
        let words = Secret.strike([], from: String(repeating: "word ", count: 10_000))
        #expect(words.count < 4200 && words.hasSuffix("…"))
    }
}
