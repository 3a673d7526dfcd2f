// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@Suite struct EventRingTests {
    private func event(_ number: Int) -> AccountEvent {
        AccountEvent(
            .tokenRefreshed,
            of: UserID("\(number)"),
            at: Moment.newYear.wall,
            status: .active,
            expiresAt: nil,
            failure: nil
        )
    }

    private func ring(_ count: Int, capacity: Int) -> EventRing {
        var ring = EventRing(run: 7, capacity: capacity)
        for number in 0..<count { ring.append(event(number)) }
        return ring
    }

    private func at(_ seen: UInt64, run: Int64 = 7) -> EventPosition { EventPosition(run: run, seen: seen) }

    /// Against a plain list of all events: whoever follows page by page gets what is kept, in order and once.
    @Test(arguments: [0, 1, 4, 5, 6, 11, 23])
    func pagesGiveWhatIsKept(count: Int) {
        let ring = ring(count, capacity: 5)
        let oldest = max(0, count - 5)
        for start in 0...(count + 2) {
            for limit in [1, 2, 3, 100] {
                let isKnown = (oldest...count).contains(start)
                let from = isKnown ? start : oldest
                let page = ring.page(from: at(UInt64(start)), atMost: limit)
                #expect(page.missedSome == !isKnown, "\(start) of \(count)")
                #expect(page.events.map(\.user.text) == (from..<min(count, from + limit)).map(String.init))
                #expect(page.start == at(UInt64(from)))
                #expect(page.end == at(UInt64(min(count, from + limit))))
            }
        }
        #expect(ring.end == at(UInt64(count)))
    }

    @Test func anotherRunsPlaceIsNotKnown() {
        let page = ring(3, capacity: 5).page(from: at(2, run: 6), atMost: 10)
        #expect(page.missedSome)
        #expect(page.events.count == 3 && page.start == at(0))
    }

    @Test(arguments: [Int.min, -1, 0])
    func nothingIsGivenWhereNothingIsAskedFor(limit: Int) {
        #expect(ring(3, capacity: 5).page(from: at(1), atMost: limit).events == [])
    }

    @Test func extremePlacesAreUnknownToo() {
        #expect(ring(3, capacity: 5).page(from: at(.max), atMost: .max).missedSome)
    }
}
