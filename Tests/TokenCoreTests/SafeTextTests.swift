// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@Suite struct SafeTextTests {
    @Test(arguments: [
        ("", ""), ("plain words", "plain words"), ("Größe überschritten", "Größe überschritten"),
        ("caf\u{E9} ✓ 漢 👍", "caf\u{E9} ✓ 漢 👍"), ("e\u{301}", "e\u{301}"), ("two\nlines\r\t", "two\\nlines\\r\\t"),
        ("bell\u{7}", "bell\\u{7}"), ("\u{0}", "\\u{0}"), ("\u{7F}", "\\u{7f}"), ("nel\u{85}", "nel\\u{85}"),
        ("two\r\nlines\u{1B}[31mred", "two\\r\\nlines\\u{1b}[31mred"), ("a\u{A0}b\u{3000}", "a\\u{a0}b\\u{3000}"),
        ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"), ("right\u{202E}left", "right\\u{202e}left"),
        ("\u{61C}\u{200E}\u{200F}\u{2066}\u{2069}", "\\u{61c}\\u{200e}\\u{200f}\\u{2066}\\u{2069}"),
        ("\u{AD}\u{200B}\u{2060}\u{FEFF}", "\\u{ad}\\u{200b}\\u{2060}\\u{feff}"),
        ("\u{34F}\u{3164}\u{FE0F}\u{E0041}", "\\u{34f}\\u{3164}\\u{fe0f}\\u{e0041}"),
        ("\u{E000}\u{FFFF}\u{10FFFF}", "\\u{e000}\\u{ffff}\\u{10ffff}"),
    ])
    func onlyWhatCanBeSeenPasses(raw: String, safe: String) {
        #expect(SafeText(raw, toBytes: 100).text == safe)
        #expect(SafeText(foreign: raw, toBytes: 100).text == safe)
        #expect("\(SafeText(raw, toBytes: 100))" == safe)
    }

    @Test func noScalarEndsALineOrDrivesATerminal() {
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = SafeText(String(scalar), toBytes: 100).text
            let isBad = text.unicodeScalars.contains {
                $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) || $0.properties.generalCategory == .format
                    || [0x2028, 0x2029].contains($0.value)
            }
            if isBad { Issue.record("U+\(String(value, radix: 16)) passes") }
        }
    }

    @Test func whatAStrangerWroteCannotForgeAnEscape() {
        #expect(SafeText(foreign: #"a\u{41}"#).text == #"a\u{5c}u{41}"#)
        #expect(SafeText(foreign: "a\\nb\n").text == #"a\u{5c}nb\n"#)
    }

    @Test(arguments: ["plain", "a\\b", "a\nb\u{202E}", String(repeating: "é\u{7}", count: 50)])
    func whatIsSafeStaysAsItIs(raw: String) {
        let once = SafeText(foreign: raw, toBytes: 64)
        #expect(SafeText(once.text, toBytes: 64) == once)
    }

    @Test(arguments: [
        ("0123456789", "0123456789"), ("01234567890", "0123456…"), ("ääääää", "äää…"), ("a\n\n\n\n\n\n", "a\\n\\n\\n…"),
        ("12345\u{1B}x", "12345…"), ("0123456👍", "0123456…"), ("012345👍", "012345👍"),
    ])
    func aCutIsMarkedAndStandsBetweenScalarsOrEscapes(raw: String, safe: String) {
        #expect(SafeText(raw, toBytes: 10).text == safe)
        #expect(SafeText(foreign: raw, toBytes: 10).text == safe)
    }

    @Test(arguments: 3...40)
    func noTextIsLongerThanItsLimit(limit: Int) {
        for piece in ["é\u{7}", "a", "👍", "\n", "\\", "a1 "] {
            let text = String(repeating: piece, count: 5000)
            #expect(SafeText(text, toBytes: limit).text.utf8.count <= limit)
            #expect(SafeText(foreign: text, toBytes: limit).text.utf8.count <= limit)
        }
    }

    @Test func whatAStrangerWroteIsBoundedUnlessSaidOtherwise() {
        let words = String(repeating: "word ", count: 10_000)
        #expect(SafeText(foreign: words).text.utf8.count == SafeText.quotationLimit)
        #expect(SafeText(foreign: words, toBytes: SafeText.remarkLimit).text.utf8.count == SafeText.remarkLimit)
    }

    @Test func aSecretIsStruckOutBeforeTheCut() {
        let secret = Secret(String(repeating: "k", count: 40))
        let raw = String(repeating: "x ", count: 95) + secret.reveal()
        #expect(!SafeText(foreign: raw, hiding: [secret], toBytes: 200).text.contains("kk"))
    }

    @Test func aSecretIsStruckOutBeforeItIsEscaped() {
        #expect(SafeText(foreign: "is a\nb\\c.", hiding: [Secret("a\nb\\c")]).text == "is <redacted>.")
    }

    @Test func bytesThatAreNoUTF8BecomeTheReplacementCharacter() {
        let raw = String(decoding: [0x61, 0xFF, 0xC3, 0x62], as: UTF8.self)
        #expect(SafeText(foreign: raw).text == "a\u{FFFD}\u{FFFD}b")
    }
}
