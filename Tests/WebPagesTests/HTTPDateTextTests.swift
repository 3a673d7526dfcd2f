// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import WebPages

/// What is written here is read as it was meant.
@Suite struct HTTPDateTextTests {
    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (1_767_225_600, "Thu, 01 Jan 2026 00:00:00 GMT"),
            (1_709_164_799, "Wed, 28 Feb 2024 23:59:59 GMT"), (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_709_251_200, "Fri, 01 Mar 2024 00:00:00 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ] as [(Int64, String)]
    )
    func isWrittenAndReadAsTheStandardSays(seconds: Int64, text: String) {
        let time = WallTime(nanoseconds: seconds * 1_000_000_000)
        #expect(HTTPDate.text(time) == text)
        #expect(HTTPDate.read(text) == time)
    }

    @Test func whatIsBeforeTheEpochIsWrittenToo() {
        #expect(HTTPDate.text(WallTime(nanoseconds: -1)) == "Wed, 31 Dec 1969 23:59:59 GMT")
    }

    @Test func everyDayHasItsWeekday() {
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        for day in Int64(0)..<60_000 {
            let time = WallTime(nanoseconds: day * 86_400_000_000_000)
            let text = HTTPDate.text(time)
            guard text.hasPrefix(weekdays[Int(day % 7)]), HTTPDate.read(text) == time else {
                Issue.record("\(day): \(text)")
                return
            }
        }
    }
}
