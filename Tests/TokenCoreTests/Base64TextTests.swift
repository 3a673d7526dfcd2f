// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import Testing

@testable import TokenCore

@Suite struct Base64TextTests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func isTheStandards(bytes: String, text: String) {
        let bare = text.replacing("=", with: "")
        #expect(String(decoding: Base64Text.standard.encode(Array(bytes.utf8)), as: UTF8.self) == text)
        #expect(String(decoding: Base64Text.url.encode(Array(bytes.utf8)), as: UTF8.self) == bare)
        #expect(Base64Text.standard.decode(text) == Array(bytes.utf8))
        #expect(Base64Text.url.decode(bare) == Array(bytes.utf8))
    }

    @Test func isFoundationsForAllBytesAndLengths() {
        for length in 0..<300 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ length) }
            let text = Data(bytes).base64EncodedString()
            #expect(String(decoding: Base64Text.standard.encode(bytes), as: UTF8.self) == text)
            #expect(Base64Text.standard.decode(text) == bytes)
            #expect(
                Base64Text.url.decode(text.filter { $0 != "=" }.replacing("+", with: "-").replacing("/", with: "_"))
                    == bytes
            )
        }
    }

    @Test(arguments: [
        "A", "AA", "AAA", "AA=", "A===", "====", "AA==AA==", "AAA=A", "AAAAA", "Zh==", "Zm9=", "AA A", " AAA", "AAA\n",
        "A-_A",
        "AAAé", "=AAA", "A=AA", "AA=A",
    ])
    func theStandardOneIsStrict(text: String) {
        #expect(Base64Text.standard.decode(text) == nil)
    }

    @Test(arguments: ["A", "AAAAA", "Zh", "Zm9=", "Zg==", "A+/A", "AA A", "AA\n", "é", "Zm-"])
    func theOtherOneIsStrict(text: String) {
        #expect(Base64Text.url.decode(text) == nil)
    }
}
