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

    /// A machine that failed so often that its backoff is the longest there is, the last time at zero.
    private func backingOff(_ failure: RefreshFailure) -> GrantStateMachine {
        var machine = refreshing()
        for second in -20...0 {
            _ = machine.failed(failure, using: 1, occasion(.seconds(second), draw: 1))
            guard second < 0 else { break }
            _ = machine.due(occasion(.seconds(second), draw: 1))
            _ = machine.begun(version: 1, occasion(.seconds(second), draw: 1))
        }
        return machine
    }

    @Test func anOrderCutsABackoffShortAtTheSpacingOfOrders() {
        var machine = backingOff(RefreshFailure(.connect, text: "away"))
        #expect(machine.deadline.map { $0.remaining(at: start) > .seconds(30) } == true, "it would wait long")
        let (obstacle, step) = machine.ordered(occasion(.milliseconds(200)))
        #expect(obstacle?.unavailableFor == .milliseconds(4800))
        #expect(step == .nothing && machine.phase == .resting)
        let later = machine.ordered(occasion(.seconds(5)))
        #expect(later.obstacle == nil && later.step == Step(.disarm, .enqueue))
    }

    @Test(arguments: [
        RefreshFailure(.throttled, text: "slow down"), RefreshFailure(.grantRefused, text: "invalid_grant"),
    ])
    func anOrderCutsNothingShortThatIsNotForCallersToEnd(_ failure: RefreshFailure) {
        var machine = refreshing()
        _ = machine.failed(failure, using: 1, occasion(.zero, draw: 1))
        let deadline = machine.deadline
        let (obstacle, step) = machine.ordered(occasion(.milliseconds(900)))
        #expect(obstacle?.unavailableFor == deadline.map { $0.remaining(at: start + .milliseconds(900)) })
        #expect(step == .nothing && machine.phase == .resting)
    }

    @Test func anOrderMakesNoCallWhileAnotherDaemonsIsInDoubt() {
        var machine = active()
        _ = machine.due(occasion(.seconds(540)))
        _ = machine.doubted(Occasion(now: start + .seconds(540), draw: 0.5, policy: policy, rotates: true))
        let (obstacle, step) = machine.ordered(occasion(.seconds(546)))
        #expect(obstacle?.unavailableFor != nil && step == .nothing && machine.phase == .inDoubt)
    }
}

extension RefreshVerdict {
    /// How long to wait, where it says so.
    fileprivate var tooSoon: Duration? {
        if case .tooSoon(let wait, _) = self { wait } else { nil }
    }

    /// How long there is none to be had.
    fileprivate var unavailableFor: Duration? {
        if case .unavailable(.tokenUnavailable, let wait) = self { wait } else { nil }
    }

    /// Why to wait, where it says so.
    fileprivate var limit: OrderLimit? {
        if case .tooSoon(_, let limit) = self { limit } else { nil }
    }
}
