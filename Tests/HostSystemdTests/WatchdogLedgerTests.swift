// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import HostSystemd
import Testing
import TokenCore

@Suite struct WatchdogLedgerTests {
    private func at(_ seconds: Int64) -> BootTime { BootTime(nanoseconds: seconds * 1_000_000_000) }

    @Test func petsOnlyOnceEveryPartHasMoved() {
        var ledger = WatchdogLedger(timeout: .seconds(60), counters: [0, 0, 0])
        #expect(ledger.decide(counters: [0, 0, 0], at: at(0)) == .held(by: [0, 1, 2]))
        #expect(ledger.decide(counters: [1, 0, 7], at: at(1)) == .held(by: [1]))
        #expect(ledger.decide(counters: [1, 1, 7], at: at(2)) == .pet)
        #expect(ledger.decide(counters: [2, 2, 8], at: at(3)) == .tooSoon)
        #expect(ledger.decide(counters: [2, 1, 8], at: at(17)) == .held(by: [1]))
        #expect(ledger.decide(counters: [2, 2, 8], at: at(18)) == .pet)
    }

    @Test func twoPetsAndATickBetweenThemStayWithinHalfOfTheTimeout() {
        var ledger = WatchdogLedger(timeout: .seconds(2), counters: [0])
        #expect(ledger.interval == .milliseconds(500))
        var last: BootTime?
        var longest: Duration = .zero
        for tick in 0..<100 {
            let now = BootTime(nanoseconds: Int64(tick) * 499_000_000)
            guard ledger.decide(counters: [UInt64(tick) + 1], at: now) == .pet else { continue }
            if let last { longest = max(longest, now - last) }
            last = now
        }
        #expect(longest > .zero && longest <= .seconds(1))
    }

    @Test func counterThatWrapsAroundHasMoved() {
        var ledger = WatchdogLedger(timeout: .seconds(4), counters: [.max])
        #expect(ledger.decide(counters: [0], at: at(0)) == .pet)
    }

    @Test func withoutPartsThereIsNothingToHoldBack() {
        var ledger = WatchdogLedger(timeout: .seconds(4), counters: [])
        #expect(ledger.decide(counters: [], at: at(0)) == .pet)
    }
}
