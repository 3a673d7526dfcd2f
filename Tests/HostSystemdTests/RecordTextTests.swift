// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import HostSystemd
import Testing

@Suite struct RecordTextTests {
    @Test(arguments: [
        ("plain", "plain"), ("two\nlines\r\t", "two\\nlines\\r\\t"), ("bell\u{7}", "bell\\u{7}"),
        ("\u{1B}[31mred", "\\u{1b}[31mred"), ("a\u{202E}b", "a\\u{202e}b"), ("caf\u{E9} ✓", "caf\u{E9} ✓"),
        ("nel\u{85}", "nel\\u{85}"), ("", ""),
    ])
    func whatCouldEndTheLineOrDriveATerminalIsWrittenOut(text: String, shown: String) {
        #expect(RecordText.bounded(text, toBytes: 100) == shown)
    }

    @Test func textIsCutAtACharacterWithinTheLimit() {
        #expect(RecordText.bounded("0123456789", toBytes: 10) == "0123456789")
        #expect(RecordText.bounded("01234567890", toBytes: 10) == "0123456…")
        #expect(RecordText.bounded("ääääää", toBytes: 10) == "äää…")
        #expect(RecordText.bounded("a\n\n\n\n\n\n", toBytes: 10) == "a\\n\\n\\n…")
        for limit in 3...40 {
            let text = RecordText.bounded(String(repeating: "é\u{7}", count: 50), toBytes: limit)
            #expect(text.utf8.count <= limit)
        }
    }
}
