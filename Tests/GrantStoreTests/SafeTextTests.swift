// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import GrantStore

@Suite struct SafeTextTests {
    @Test(arguments: [
        ("plain words", "plain words"),
        ("two\nlines\u{1b}[31m", "two\\nlines\\u{1B}[31m"),
        ("right\u{202e}left", "right\\u{202E}left"),
        ("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln is bad", "<redacted> is bad"),
        (
            "constraint users_tastytrade_oauth_token_length_check",
            "constraint users_tastytrade_oauth_token_length_check"
        ),
        ("Größe überschritten", "Größe überschritten"),
    ]) func textFromOutsideIsFitToBeShown(_ raw: String, _ safe: String) {
        #expect(SafeText.of(raw) == safe)
    }

    @Test func itIsBounded() {
        #expect(SafeText.of(String(repeating: "word ", count: 10_000)).count == SafeText.limit)
        #expect(SafeText.of(String(repeating: "a1", count: 100_000)).count <= SafeText.limit)
    }

    @Test func knownSecretsAreHidden() {
        #expect(SafeText.of("role s3cret! failed", hiding: [Secret("s3cret!")]) == "role <redacted> failed")
        #expect(SafeText.of("a cat", hiding: [Secret("a"), Secret("")]) == "a cat")
    }
}
