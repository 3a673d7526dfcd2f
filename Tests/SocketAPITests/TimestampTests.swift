// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_767_225_600_000_000, "2026-01-01T00:00:00Z"),
        (1_767_225_600_000_001, "2026-01-01T00:00:00.000001Z"),
        (1_767_225_600_250_000, "2026-01-01T00:00:00.250000Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00Z"),
        (4_107_542_399_000_000, "2100-02-28T23:59:59Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00Z"),
        (1_735_689_599_000_000, "2024-12-31T23:59:59Z"),
        (Int64.min, "0000-01-01T00:00:00Z"),
        (Int64.max, "9999-12-31T23:59:59.999999Z"),
    ])
    func timesAreUTCWithAFractionOnlyWhereThereIsOne(microseconds: Int64, text: String) {
        #expect(Timestamp.text(microseconds: microseconds) == text)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-01-01T00:00:00.25Z", 1_767_225_600_250_000),
        ("2026-01-01T00:00:00.0000019Z", 1_767_225_600_000_001),
        ("2000-02-29T00:00:00Z", 951_782_400_000_000),
        ("2100-03-01T00:00:00Z", 4_107_542_400_000_000),
    ])
    func timesAreReadToTheMicrosecond(text: String, microseconds: Int64) {
        #expect(Timestamp.microseconds(text) == microseconds)
    }

    @Test func whatIsWrittenIsReadAgain() {
        for day in stride(from: Int64(-719_162), to: 2_932_896, by: 97) {
            let time = day * 86_400_000_000 + 86_399_000_001
            #expect(Timestamp.microseconds(Timestamp.text(microseconds: time)) == time)
        }
    }

    @Test(arguments: [
        "", "Z", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1xZ",
        "2026-01-01T00:00:00.0000001xZ", "+026-01-01T00:00:00Z", "2026-01-01T00:00:00+01Z",
    ])
    func whatIsNoSuchTimeIsNone(text: String) {
        #expect(Timestamp.microseconds(text) == nil)
    }
}
