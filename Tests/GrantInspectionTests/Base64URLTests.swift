// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing

@testable import GrantInspection

@Suite struct Base64URLTests {
    @Test(
        arguments: [
            ("", []), ("AA", [0]), ("AAA", [0, 0]), ("AAAA", [0, 0, 0]), ("_-8", [0xFF, 0xEF]), ("AB", [0]),
            ("A", nil), ("AAAAA", nil), ("A+", nil), ("A/", nil), ("AA==", nil), ("A A", nil), ("AÄ", nil), ("A.", nil),
        ] as [(String, [UInt8]?)]
    )
    func textsAreReadOrRefused(text: String, bytes: [UInt8]?) {
        #expect(Base64URL.decode(text[...].utf8) == bytes)
    }

    @Test func whatIsWrittenIsRead() {
        var random = SeededGenerator(seed: 5)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            #expect(Base64URL.decode(InventedToken.encode(bytes)[...].utf8) == bytes)
        }
    }
}
