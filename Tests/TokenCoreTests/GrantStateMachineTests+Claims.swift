// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

/// Accounts that another daemon refreshes, and the day's budget.
extension GrantStateMachineTests {
    /// A machine with a token of 900 s from the start, in line for the next.
    private func queued() -> GrantStateMachine {
        var machine = active()
        _ = machine.due(occasion(.seconds(540)))
        return machine
    }

    @Test func whatAnotherDaemonClaimedIsLookedAtAgainBeforeTheTokenEnds() {
        var machine = queued()
        let step = machine.claimedElsewhere(for: .seconds(90), occasion(.seconds(540)))
        #expect(machine.phase == .elsewhere)
        #expect(step == Step(.arm(start + .seconds(550)), .none))
        #expect(machine.status(at: start + .seconds(541)) == .active)
        #expect(machine.prospect(at: start + .seconds(541)) == .underWay)
        #expect(machine.demanded(occasion(.seconds(541))) == .nothing, "no caller can hurry another daemon")
        #expect(machine.due(occasion(.seconds(550))).effect == .enqueue)
        #expect(machine.phase == .queued)
    }

    @Test(arguments: [(900, 90, 1), (890, 90, 2), (880, 90, 5), (540, 3, 3), (540, 0, 1), (1000, 90, 1)])
    func howLongItIsLeftFollowsClaimAndLife(_ at: Int, _ claim: Int, _ wait: Int) {
        var machine = queued()
        let step = machine.claimedElsewhere(for: .seconds(claim), occasion(.seconds(at)))
        guard case .arm(let deadline) = step.deadline else { return #expect(Bool(false), "no deadline") }
        let left = deadline.remaining(at: start + .seconds(at))
        #expect(left >= .seconds(wait) && left < .seconds(wait + 1))
    }

    @Test func theOtherDaemonsResultIsAdoptedAndTheNextRefreshArmed() {
        for isQueued in [true, false] {
            var machine = queued()
            if !isQueued { _ = machine.claimedElsewhere(for: .seconds(90), occasion(.seconds(540))) }
            let step = machine.rowChanged(row(token: "b1", expiresIn: .seconds(1440)), occasion(.seconds(541)))
            #expect(step.effect == .adopt)
            #expect(machine.phase == .resting, "there is nothing to refresh any more")
            #expect(step.deadline == .arm(start + .seconds(540 + 540)))
            #expect(machine.status(at: start + .seconds(541)) == .active)
        }
    }

    @Test func aTokenThatIsDueItselfEndsNoRefresh() {
        var machine = queued()
        let step = machine.rowChanged(row(token: "b1", expiresIn: .seconds(910)), occasion(.seconds(552)))
        #expect(step.effect == .adopt)
        #expect(machine.phase == .queued)
    }

    @Test func aClaimElsewhereSaysNothingToWhoIsNotInLine() {
        var machine = active()
        #expect(machine.claimedElsewhere(for: .seconds(90), occasion(.seconds(1))) == .nothing)
        #expect(machine.phase == .resting)
    }

    @Test func anotherGrantInTheRowEndsTheWaitForAnotherDaemon() {
        var machine = queued()
        _ = machine.claimedElsewhere(for: .seconds(90), occasion(.seconds(540)))
        let step = machine.rowChanged(row(2), occasion(.seconds(541)))
        #expect(machine.phase == .resting)
        #expect(step.deadline == .arm(start + .seconds(541)))
    }
}

extension GrantStateMachineTests {
    private func spent(_ refreshes: Int, of budget: Int) -> (GrantStateMachine, (Duration) -> Occasion) {
        let policy = RefreshPolicy(dailyBudget: budget)
        func occasion(_ after: Duration) -> Occasion { Occasion(now: start + after, draw: 0.5, policy: policy) }
        var (machine, _) = GrantStateMachine.loaded(row(), occasion(.zero))
        for number in 0..<refreshes {
            let at = Duration.seconds(10 * number)
            _ = number == 0 ? machine.due(occasion(at)) : machine.demanded(occasion(at))
            _ = machine.begun(version: 1, occasion(at))
            _ = machine.granted(answer("a\(number)", sentAfter: at), using: 1, occasion(at))
            _ = machine.stored(grantVersion: 1, occasion(at))
        }
        return (machine, occasion)
    }

    @Test func beyondTheBudgetARefreshWaitsUntilTheTokenIsAboutToDie() {
        var (machine, occasion) = spent(3, of: 3)
        let step = machine.due(occasion(.seconds(600)))
        #expect(machine.isPutOff)
        #expect(step == Step(.arm(start + .seconds(20 + 900 - 30)), .none))
        #expect(machine.demanded(occasion(.seconds(601))) == .nothing)
        #expect(machine.prospect(at: start + .seconds(601)) == .backingOff(until: start + .seconds(890)))
        #expect(machine.status(at: start + .seconds(601)) == .active)
        #expect(machine.due(occasion(.seconds(890))).effect == .enqueue, "an account is not let die for a budget")
        _ = machine.begun(version: 1, occasion(.seconds(890)))
        #expect(!machine.isPutOff)
    }

    @Test func aNewerTokenInTheRowEndsAPostponement() {
        var (machine, occasion) = spent(3, of: 3)
        _ = machine.due(occasion(.seconds(600)))
        _ = machine.rowChanged(row(token: "b1", expiresIn: .seconds(1500)), occasion(.seconds(601)))
        #expect(!machine.isPutOff)
        #expect(machine.prospect(at: start + .seconds(601)) == .possible)
    }

    @Test func aCallerCannotSpendMoreThanTheBudgetEither() {
        var (machine, occasion) = spent(3, of: 3)
        let step = machine.demanded(occasion(.seconds(5)))
        #expect(step.effect == .none)
        #expect(machine.isPutOff)
    }

    @Test func withinTheBudgetAndOnTheNextDayNothingIsPutOff() {
        var (machine, occasion) = spent(2, of: 3)
        #expect(machine.due(occasion(.seconds(600))).effect == .enqueue)
        var (other, later) = spent(3, of: 3)
        _ = other.rowChanged(row(token: "x", expiresIn: .seconds(87_000)), later(.seconds(86_300)))
        #expect(other.due(later(.seconds(86_400))).effect == .enqueue)
    }

    @Test func beyondTheBudgetAnAccountWithoutALiveTokenIsTriedABudgetsShareOfADayApart() {
        var (machine, occasion) = spent(3, of: 3)
        let share = Duration.seconds(86_400 / 3)
        let first = Duration.seconds(1000)
        #expect(machine.due(occasion(first)) == Step(.arm(start + first + share), .none))
        #expect(machine.demanded(occasion(first)) == .nothing, "nor for a caller")
        #expect(machine.due(occasion(first + share)).effect == .enqueue)
        _ = machine.begun(version: 1, occasion(first + share))
        _ = machine.failed(RefreshFailure(.connect, text: "refused"), using: 1, occasion(first + share))
        #expect(machine.due(occasion(first + share + .seconds(2))).effect == .none)
    }

    @Test func aCallerDoesNotHaveATokenReplacedBeforeTheFloor() {
        var machine = active()
        #expect(machine.demanded(occasion(.seconds(9))) == Step(.arm(start + .seconds(10)), .none))
        #expect(machine.due(occasion(.seconds(10))).effect == .enqueue)
        var other = active()
        #expect(other.demanded(occasion(.seconds(10))).effect == .enqueue)
    }
}
