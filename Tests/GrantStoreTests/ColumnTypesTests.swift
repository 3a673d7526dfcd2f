// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import GrantStore

@Suite struct ColumnTypesTests {
    @Test(arguments: [
        (IdentifierType.bigint, "9223372036854775807", true), (.bigint, "9223372036854775808", false),
        (.bigint, "-1", true),
        (.bigint, "+1", false), (.bigint, "01", false), (.bigint, " 1", false), (.bigint, "", false),
        (.integer, "2147483648", false), (.smallint, "32767", true), (.smallint, "32768", false),
        (.uuid, "3f2b8c1e-9d4a-4b6f-8a7e-0c1d2e3f4a5b", true), (.uuid, "3F2B8C1E-9D4A-4B6F-8A7E-0C1D2E3F4A5B", false),
        (.uuid, "{3f2b8c1e-9d4a-4b6f-8a7e-0c1d2e3f4a5b}", false), (.text, "anything", true), (.text, "nul\0", false),
    ]) func onlyWhatTheTypePrintsIsAnId(_ type: IdentifierType, _ text: String, _ isPossible: Bool) {
        #expect(type.canPrint(UserID(text)) == isPossible)
    }

    @Test(arguments: [
        (-1, 1_500_000_999, 1_500_000), (6, 1_500_000_999, 1_500_000), (3, 1_500_999_999, 1_500_000),
        (0, 1_999_999_999, 1_000_000), (0, -1, -1_000_000), (0, 0, 0),
    ]) func instantsAreRoundedDown(_ modifier: Int64, _ nanoseconds: Int64, _ microseconds: Int64) throws {
        let type = try #require(ExpiryType(catalogue: "timestamp without time zone", modifier: modifier))
        #expect(type.stored(WallTime(nanoseconds: nanoseconds)) == microseconds)
    }

    @Test func otherTypesHoldNoExpiry() {
        #expect(ExpiryType(catalogue: "date", modifier: -1) == nil)
        #expect(ExpiryType(catalogue: "timestamp with time zone", modifier: -1)?.name == "timestamptz")
    }

    @Test(arguments: [
        ("", ColumnVerdict.blank), (" \t\n\r\u{0b}\u{0c}", .blank), ("a b", .token), ("a\n", .notPrintable),
        ("\u{7f}", .notPrintable), ("é", .notPrintable), (" ", .blank),
    ]) func aValueIsJudgedByItsCharacters(_ text: String, _ verdict: ColumnVerdict) {
        #expect(ColumnVerdict.of(text) == verdict)
    }
}
