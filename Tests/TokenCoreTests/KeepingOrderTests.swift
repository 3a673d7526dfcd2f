// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@Suite struct KeepingOrderTests {
    private func due(_ time: Duration) -> KeepingOrder.Due { KeepingOrder.Due(.newYear + time) }

    @Test func whatIsDueSoonestComesFirst() {
        var order = KeepingOrder()
        for (slot, time) in [30, 10, 20, 40].enumerated() {
            order.insert(AccountSlot(Int32(slot)), due: due(.seconds(time)))
        }
        #expect(order.soonest == due(.seconds(10)))
        var slots: [Int32] = []
        while let next = order.popFirst() { slots.append(next.slot.index) }
        #expect(slots == [1, 2, 0, 3])
        #expect(order.soonest == nil)
    }

    @Test func theSameTenthOfASecondIsNoLater() {
        let late = Moment.newYear + .seconds(900)
        let later = late + .milliseconds(250)
        #expect(KeepingOrder.Due(late) == KeepingOrder.Due(late))
        #expect(KeepingOrder.Due(late) < KeepingOrder.Due(later))
        #expect(KeepingOrder.Due(late + .seconds(86_400 * 365 * 50)) > KeepingOrder.Due(later), "and nothing overflows")
    }

    @Test func anAccountTakesEightBytes() {
        var order = KeepingOrder()
        for slot in 0..<1000 { order.insert(AccountSlot(Int32(slot)), due: due(.seconds(slot % 7))) }
        #expect(order.count == 1000)
        #expect(KeepingOrder.bytesPerAccount == 8)
        order.removeAll()
        #expect(order.count == 0)
    }
}
