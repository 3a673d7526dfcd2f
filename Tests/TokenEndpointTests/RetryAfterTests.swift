// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import TokenEndpoint

@Suite struct RetryAfterTests {
    /// 1994-11-06T08:49:37Z, the sample of RFC 9110.
    private let sample = WallTime(nanoseconds: 784_111_777_000_000_000)

    @Test(arguments: [
        ("1", Duration.seconds(1)), (" 120 ", .seconds(120)), ("0", .seconds(1)), ("3601", .seconds(3600)),
        ("18446744073709551616", .seconds(3600)),
    ])
    func secondsAreReadAndClamped(value: String, wait: Duration) {
        #expect(RetryAfter.wait(value, from: sample) == wait)
    }

    @Test(arguments: [
        (-10, Duration.seconds(10)), (-3599, .seconds(3599)), (-7200, .seconds(3600)), (0, .seconds(1)),
        (500, .seconds(1)),
    ])
    func datesAreCountedFromNow(offset: Int, wait: Duration) {
        let now = sample + .seconds(offset)
        #expect(RetryAfter.wait("Sun, 06 Nov 1994 08:49:37 GMT", from: now) == wait)
    }

    @Test func leapDaysAreCounted() {
        let leapDay = WallTime(nanoseconds: 1_709_164_800_000_000_000)
        #expect(RetryAfter.wait("Thu, 29 Feb 2024 00:00:30 GMT", from: leapDay) == .seconds(30))
        let marchFirst = leapDay + .seconds(86_400)
        #expect(RetryAfter.wait("Fri, 01 Mar 2024 00:00:30 GMT", from: marchFirst) == .seconds(30))
    }

    @Test(arguments: [
        "", "soon", "-5", "1.5", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 99999999999999999999 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
    ])
    func anythingElseIsNoWait(value: String) {
        #expect(RetryAfter.wait(value, from: sample) == nil)
    }
}
