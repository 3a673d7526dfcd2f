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
}
