// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantInspection

@Suite struct ClockSkewTests {
    private static let now = Moment.newYear.wall

    @Test(
        arguments: [
            (0, nil), (29, nil), (-29, nil), (30, "30 seconds ahead of"), (-30, "30 seconds behind"),
            (-7300, "2 hours behind"), (86_400 * 365, "365 days ahead of"),
        ] as [(Int64, String?)]
    )
    func fromHalfAMinuteOnItIsSaid(ahead: Int64, words: String?) {
        let finding = ClockSkew.finding(endpoint: Self.now, host: Self.now + .seconds(ahead))
        #expect(finding?.code == (words == nil ? nil : .clockSkew))
        if let words { #expect(finding?.problem.contains("clock is \(words) TastyTrade's") == true) }
    }

    @Test func theEndsOfTimeDoNotTrap() {
        let (first, last) = (WallTime(nanoseconds: .min), WallTime(nanoseconds: .max))
        #expect(ClockSkew.finding(endpoint: first, host: last)?.code == .clockSkew)
        #expect(ClockSkew.finding(endpoint: last, host: first)?.code == .clockSkew)
    }
}
