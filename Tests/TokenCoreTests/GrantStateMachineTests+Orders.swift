// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

// MARK: - Orders

extension GrantStateMachineTests {
    @Test func anOrderIsTakenHoweverLongTheTokenLives() {
        var machine = active()
        let (obstacle, step) = machine.ordered(occasion(.seconds(5)))
        #expect(obstacle == nil)
        #expect(step == Step(.disarm, .enqueue))
        let again = machine.ordered(occasion(.seconds(6)))
        #expect(again.obstacle == nil && again.step == .nothing, "it joins the one in line")
    }

    @Test func anOrderSoonAfterTheLastTokenIsTurnedDown() {
        var machine = active()
        let (obstacle, step) = machine.ordered(occasion(.milliseconds(1500)))
        #expect(obstacle?.tooSoon == .milliseconds(3500))
        #expect(obstacle?.limit == .justRefreshed)
        #expect(step == .nothing && machine.phase == .resting)
    }

    @Test func anOrderBeyondTheBudgetIsTurnedDown() {
        var machine = active()
        let poor = RefreshPolicy(dailyBudget: 1)
        let (obstacle, _) = machine.ordered(Occasion(now: start + .seconds(60), draw: 0.5, policy: poor))
        #expect(obstacle?.tooSoon == .seconds(86_400))
        #expect(obstacle?.limit == .budgetSpent)
    }

    @Test func anOrderJoinsACallInFlightAndWhatIsNotHandedOutYet() {
        var machine = refreshing()
        #expect(machine.ordered(occasion(.seconds(1))).obstacle == nil)
        _ = machine.granted(answer("a1", sentAfter: .zero), using: 1, occasion(.seconds(1)))
        #expect(machine.ordered(occasion(.seconds(1))).obstacle == nil)
    }

    @Test func anOrderDoesNotJoinWhatBringsNoOtherTokenAnyMore() {
        var machine = refreshing()
        _ = machine.granted(answer("a1", sentAfter: .zero), using: 1, occasion(.seconds(1)))
        #expect(machine.due(occasion(.seconds(2))).effect == .publish(answer("a1", sentAfter: .zero)))
        let early = machine.ordered(occasion(.seconds(2))).obstacle
        #expect(early?.tooSoon == .seconds(3) && early?.limit == .justRefreshed)
        let (obstacle, step) = machine.ordered(occasion(.seconds(20)))
        #expect(obstacle?.tooSoon == .seconds(1) && obstacle?.limit == .stillStoring)
        #expect(step == .nothing)
        _ = machine.stored(grantVersion: 1, occasion(.seconds(21)))
        #expect(machine.ordered(occasion(.seconds(21))).step.effect == .enqueue)
    }

    @Test func anOrderDoesNotBringABackoffForward() {
        var machine = refreshing()
        _ = machine.failed(RefreshFailure(.connect, text: "away"), using: 1, occasion(.zero, draw: 1))
        let (obstacle, step) = machine.ordered(occasion(.milliseconds(200)))
        guard case .unavailable(.tokenUnavailable, .some(let wait))? = obstacle else {
            Issue.record("\(String(describing: obstacle))")
            return
        }
        #expect(wait > .zero && step == .nothing)
    }
}

extension RefreshVerdict {
    /// How long to wait, where it says so.
    fileprivate var tooSoon: Duration? {
        if case .tooSoon(let wait, _) = self { wait } else { nil }
    }

    /// Why to wait, where it says so.
    fileprivate var limit: OrderLimit? {
        if case .tooSoon(_, let limit) = self { limit } else { nil }
    }
}
