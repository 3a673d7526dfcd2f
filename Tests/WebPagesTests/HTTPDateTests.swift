// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import WebPages

@Suite struct HTTPDateTests {
    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (1_767_225_600, "Thu, 01 Jan 2026 00:00:00 GMT"),
            (1_709_164_799, "Wed, 28 Feb 2024 23:59:59 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ] as [(Int64, String)]
    )
    func isWrittenAsTheStandardSays(seconds: Int64, text: String) {
        #expect(HTTPDate(WallTime(nanoseconds: seconds * 1_000_000_000)).text == text)
    }
}
