// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@Suite struct ClientPauseTests {
    private let start = Moment.newYear

    private func paused(for time: Duration?) -> ClientPause {
        var pause = ClientPause(perSecond: 20, at: start.boot)
        pause.asked(for: time, at: start)
        return pause
    }

    @Test func withoutAPauseNobodyWaits() {
        let pause = ClientPause(perSecond: 20, at: start.boot)
        #expect(pause.wait(forLifeLeft: .seconds(500), at: start) == .zero)
        #expect(!pause.isOn(at: start))
    }

    @Test(arguments: [(nil, 5), (1, 1), (40, 40), (100_000, 300), (0, 0)] as [(Int?, Int)])
    func itIsKeptAsLongAsAskedWithinBounds(_ asked: Int?, _ kept: Int) {
        let pause = paused(for: asked.map { .seconds($0) })
        #expect(pause.wait(forLifeLeft: .seconds(900), at: start) == .seconds(kept))
        #expect(pause.wait(forLifeLeft: .seconds(900), at: start + .seconds(kept)) == .zero)
        #expect(pause.isOn(at: start) == (kept > 0))
    }

    @Test func whoWouldDieOfItIsLetThroughAtATenthOfTheRate() {
        var pause = paused(for: .seconds(60))
        var now = start
        var calls = 0
        while now.boot < (start + .seconds(30)).boot {
            if pause.wait(forLifeLeft: .seconds(20), at: now) <= .zero {
                pause.called(at: now)
                calls += 1
            }
            now = now + .milliseconds(10)
        }
        #expect((59...61).contains(calls), "two a second")
        #expect(pause.wait(forLifeLeft: .seconds(31), at: now) == .seconds(30), "who has time waits")
    }

    @Test func aPauseOnlyGetsLonger() {
        var pause = paused(for: .seconds(60))
        pause.asked(for: .seconds(2), at: start)
        #expect(pause.wait(forLifeLeft: .seconds(900), at: start) == .seconds(60))
        pause.asked(for: .seconds(60), at: start + .seconds(30))
        #expect(pause.wait(forLifeLeft: .seconds(900), at: start + .seconds(30)) == .seconds(60))
    }

    @Test func aClockThatIsSetDoesNotProlongIt() {
        let pause = paused(for: .seconds(60))
        let later = Moment(wall: start.wall + .seconds(-3600), boot: (start + .seconds(60)).boot)
        #expect(pause.wait(forLifeLeft: .seconds(900), at: later) <= .zero)
    }
}

@Suite struct RefreshBudgetTests {
    private let start = Moment.newYear.boot

    @Test func itIsSpentAfterSoManyAndNewADayAfterTheFirst() {
        var budget = RefreshBudget()
        for number in 0..<3 {
            #expect(!budget.isSpent(3, at: start))
            budget.spend(at: start + .seconds(number * 1000))
        }
        #expect(budget.isSpent(3, at: start + .seconds(86_399)))
        #expect(!budget.isSpent(3, at: start + .seconds(86_400)))
        budget.spend(at: start + .seconds(86_400))
        #expect(!budget.isSpent(2, at: start + .seconds(86_400)))
        #expect(budget.isSpent(1, at: start + .seconds(86_400)))
    }
}
