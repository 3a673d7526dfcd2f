// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("30s", .seconds(30)), ("2.5s", .milliseconds(2500)),
        ("5m", .seconds(300)), ("1h", .seconds(3600)), ("0s", .zero),
    ])
    func durationsAreRead(text: String, duration: Duration) {
        #expect(DurationText.duration(text) == duration)
    }

    @Test(arguments: ["", "s", "5", "-5s", "5 s", "5d", "1e3s", "nans", "99999999999h", "..s"])
    func anythingElseIsNone(text: String) {
        #expect(DurationText.duration(text) == nil)
    }

    @Test func rangesAreRead() {
        #expect(DurationText.range("50ms") == .milliseconds(50) ... .milliseconds(50))
        #expect(DurationText.range("50ms-2s") == .milliseconds(50) ... .seconds(2))
        for text in ["2s-50ms", "1s-2s-3s", "-1s", "1s-", ""] { #expect(DurationText.range(text) == nil, "\(text)") }
    }
}
