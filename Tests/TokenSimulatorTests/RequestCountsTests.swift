// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

@Suite struct RequestCountsTests {
    private func record(at milliseconds: Int64, _ outcome: RequestOutcome = .issued) -> RequestRecord {
        RequestRecord(
            receivedAt: SimulatorInstant(nanoseconds: milliseconds * 1_000_000),
            method: "POST",
            path: "/oauth/token",
            account: "42",
            outcome: outcome,
            headers: [],
            fields: []
        )
    }

    @Test func thePeakIsThatOfAnyWindowAndNotOfWholeSeconds() {
        var meter = RateMeter(window: .seconds(1))
        for milliseconds in [100, 900, 1000, 1050, 1099, 1900, 5000] as [Int64] {
            meter.note(SimulatorInstant(nanoseconds: milliseconds * 1_000_000))
        }
        #expect(meter.peak == 5)
    }

    @Test func aWindowIsOpenAtItsBeginning() {
        var meter = RateMeter(window: .seconds(1))
        for number in 0..<1000 { meter.note(SimulatorInstant(nanoseconds: Int64(number) * 50_000_000)) }
        #expect(meter.peak == 20)
    }

    @Test func aRefreshTokenThatIsUsedTwiceIsCountedAndALostGrantOnce() {
        var tally = AccountTally()
        for standing in [.good, .spared, .killed, .revoked, nil] as [GrantLedger.Standing?] {
            _ = tally.begin(record(at: 0), standing)
            tally.end()
        }
        #expect(tally.counts.reused == 2)
        #expect(tally.counts.grantsLost == 1)
    }

    @Test func gapsAreBetweenTokensThatWereMade() {
        var tally = AccountTally()
        _ = tally.begin(record(at: 0), .good)
        #expect(tally.counts.shortestGapMs == nil)
        _ = tally.begin(record(at: 100, .invalidGrant), .revoked)
        _ = tally.begin(record(at: 700, .lostReply), .good)
        _ = tally.begin(record(at: 1500), .good)
        #expect(tally.counts.shortestGapMs == 700)
        #expect(tally.counts.issued == 3)
    }
}
