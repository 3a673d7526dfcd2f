// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@Suite struct DueQueueTests {
    private let start = Moment.newYear

    private func slot(_ index: Int) -> AccountSlot { AccountSlot(Int32(index)) }

    @Test func accountsComeOutInTheOrderOfTheirDeadlinesAndNotBefore() {
        var queue = DueQueue(now: start)
        for (index, second) in [30, 10, 20].enumerated() { queue.arm(slot(index), at: start + .seconds(second)) }
        #expect(queue.untilNext(at: start) == .seconds(10))
        #expect(queue.popDue(at: start + .seconds(9)) == nil)
        #expect(queue.popDue(at: start + .seconds(20)) == slot(1))
        #expect(queue.popDue(at: start + .seconds(20)) == slot(2))
        #expect(queue.popDue(at: start + .seconds(20)) == nil)
        #expect(queue.count == 1)
    }

    @Test func armingAgainReplacesTheDeadline() {
        var queue = DueQueue(now: start)
        queue.arm(slot(0), at: start + .seconds(10))
        queue.arm(slot(0), at: start + .seconds(60))
        #expect(queue.count == 1)
        #expect(queue.popDue(at: start + .seconds(10)) == nil)
        #expect(queue.popDue(at: start + .seconds(60)) == slot(0))
        #expect(queue.popDue(at: start + .seconds(60)) == nil)
    }

    @Test func h15TheFirstComesOutFirstOnBothSidesOfAStep() {
        var queue = DueQueue(now: start)
        queue.arm(slot(0), at: start + .seconds(60))
        let setBack = Moment(wall: start.wall + .seconds(-3600), boot: start.boot + .seconds(1))
        queue.arm(slot(1), at: setBack + .seconds(300))
        #expect(queue.popFirst(at: setBack) == slot(0))
        #expect(queue.popFirst(at: setBack) == slot(1))
        #expect(queue.popFirst(at: setBack) == nil)
    }

    @Test func disarmedAccountsDoNotComeOut() {
        var queue = DueQueue(now: start)
        queue.arm(slot(0), at: start)
        queue.disarm(slot(0))
        queue.disarm(slot(7))
        #expect(!queue.contains(slot(0)))
        #expect(queue.popDue(at: start + .seconds(1)) == nil)
        #expect(queue.untilNext(at: start) == nil)
    }

    @Test func h15AWallClockSetForwardMakesDeadlinesReached() {
        var queue = DueQueue(now: start)
        queue.arm(slot(0), at: start + .seconds(600))
        let stepped = Moment(wall: start.wall + .seconds(3600), boot: start.boot + .seconds(1))
        #expect(queue.popDue(at: stepped) == slot(0))
    }

    @Test func h15AWallClockSetBackDelaysNothing() {
        var queue = DueQueue(now: start)
        queue.arm(slot(0), at: start + .seconds(10))
        let setBack = Moment(wall: start.wall + .seconds(-3600), boot: start.boot + .seconds(10))
        queue.arm(slot(1), at: setBack + .seconds(5))
        #expect(queue.popDue(at: setBack) == slot(0))
        #expect(queue.untilNext(at: setBack) == .seconds(5))
    }

    @Test func h15EntriesArmedOnBothSidesOfAStepKeepTheirOrder() {
        var queue = DueQueue(now: start)
        queue.arm(slot(0), at: start + .seconds(10))
        let setBack = Moment(wall: start.wall + .seconds(-3600), boot: start.boot + .seconds(1))
        queue.arm(slot(1), at: setBack + .seconds(3))
        #expect(queue.untilNext(at: setBack) == .seconds(3))
        #expect(queue.popDue(at: setBack + .seconds(3)) == slot(1))
        #expect(queue.popDue(at: setBack + .seconds(9)) == slot(0))
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func aRandomWalkAgreesWithAPlainDictionary(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = DueQueue(now: start)
        var model: [AccountSlot: Moment] = [:]
        var now = start
        for _ in 0..<20_000 {
            let account = slot(Int.random(in: 0..<50, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let deadline = now + .milliseconds(Int.random(in: -100..<5000, using: &random))
                queue.arm(account, at: deadline)
                model[account] = deadline
            case 6:
                queue.disarm(account)
                model[account] = nil
            case 7:
                let step = Duration.milliseconds(Int.random(in: -2000..<2000, using: &random))
                now = Moment(wall: now.wall + step, boot: now.boot)
            default:
                now = now + .milliseconds(Int.random(in: 0..<300, using: &random))
                while let popped = queue.popDue(at: now) {
                    #expect(model.removeValue(forKey: popped)?.isReached(at: now) == true)
                }
            }
            #expect(queue.count == model.count)
        }
        // What small steps of the clock may have left out of order is within their tolerance.
        let late = now + .milliseconds(500)
        while let popped = queue.popDue(at: late) { model[popped] = nil }
        #expect(!model.values.contains { $0.isReached(at: now) })
    }
}
