// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

// MARK: - Storing

extension GrantStateMachineTests {
    var away: RefreshFailure { RefreshFailure(.storeUnavailable, text: "database away") }

    @Test func aMereCopyKeepsNobodyWaitingLongerThanASecond() {
        var machine = refreshing()
        let answer = answer("a1", sentAfter: .zero)
        let step = machine.granted(answer, using: 1, occasion(.seconds(1)))
        #expect(step == Step(.arm(start + .seconds(2)), .store(answer)))
        #expect(machine.prospect(at: start + .seconds(1)) == .underWay)
        #expect(machine.due(occasion(.seconds(2))) == Step(.disarm, .publish(answer)))
        #expect(machine.status(at: start + .seconds(2)) == .refreshing, "it is still being stored")
        #expect(machine.stored(grantVersion: 1, occasion(.seconds(12))).effect == .none)
        #expect(machine.status(at: start + .seconds(12)) == .active)
    }

    @Test func aNewRefreshTokenIsWaitedForHoweverLongItTakes() {
        var machine = refreshing()
        let answer = answer("a1", sentAfter: .zero, rotated: "r2")
        #expect(machine.granted(answer, using: 1, occasion(.seconds(1))) == Step(.disarm, .store(answer)))
    }

    @Test func anAnswerThatCannotBeStoredIsHandedOutAllTheSame() {
        var machine = refreshing()
        let given = answer("a1", sentAfter: .zero)
        _ = machine.granted(given, using: 1, occasion(.zero))
        let step = machine.storeFailed(away, occasion(.zero, draw: 1))
        #expect(step == Step(.arm(start + .seconds(1)), .publish(given)))
        #expect(machine.status(at: start) == .degraded)
        #expect(machine.due(occasion(.seconds(1))) == Step(.disarm, .store(given)))
        #expect(machine.stored(grantVersion: 1, occasion(.seconds(1))) == Step(.arm(start + .seconds(540)), .none))
        #expect(machine.status(at: start + .seconds(1)) == .active)
    }

    @Test func aNewRefreshTokenIsSafeBeforeAnythingComesOfIt() {
        var machine = refreshing()
        let given = answer("a1", sentAfter: .zero, rotated: "r2")
        _ = machine.granted(given, using: 1, occasion(.zero))
        #expect(machine.storeFailed(away, occasion(.zero, draw: 1)) == Step(.arm(start + .seconds(1)), .none))
        #expect(machine.due(occasion(.seconds(1))) == Step(.disarm, .store(given)))
        // Even when the next refresh would be due, the new refresh token is not given up.
        #expect(machine.due(occasion(.seconds(899))) == Step(.disarm, .store(given)))
        #expect(machine.stored(grantVersion: 9, occasion(.seconds(899))).effect == .publish(given))
        #expect(machine.grantVersion == 9)
    }

    @Test func aRowThatTakesNoWritesDoesNotKeepTheTokenFromBeingRefreshed() {
        var machine = refreshing()
        _ = machine.granted(answer("a1", sentAfter: .zero), using: 1, occasion(.zero))
        _ = machine.storeFailed(away, occasion(.zero))
        #expect(machine.due(occasion(.seconds(700))) == Step(.disarm, .enqueue))
    }

    @Test func aSupersededAnswerThatIsHandedOutKeepsItsSchedule() {
        var machine = refreshing()
        _ = machine.granted(answer("a1", sentAfter: .zero), using: 1, occasion(.zero))
        _ = machine.storeFailed(away, occasion(.zero))
        let step = machine.superseded(occasion(.seconds(1)))
        #expect(step.effect == .reread)
        guard case .arm(let next) = step.deadline else { return #expect(Bool(false), "no deadline") }
        #expect(next.remaining(at: start) > .milliseconds(1400))
        #expect(machine.life != nil)
    }

    @Test func aSupersededAnswerWithANewRefreshTokenIsNotDropped() {
        var machine = refreshing()
        _ = machine.granted(answer("a1", sentAfter: .zero, rotated: "r2"), using: 1, occasion(.zero))
        #expect(machine.superseded(occasion(.zero)).effect == .salvage(Secret("r2")))
        #expect(machine.life == nil, "nothing is handed out")
    }

    @Test func aNewRefreshTokenDoesNotWaitLongForADatabaseThatIsAway() {
        var machine = refreshing()
        _ = machine.granted(answer("a1", sentAfter: .zero, rotated: "r2"), using: 1, occasion(.zero))
        for _ in 1...12 {
            let step = machine.storeFailed(away, occasion(.zero))
            guard case .arm(let next) = step.deadline else { return #expect(Bool(false), "no deadline") }
            #expect(next.remaining(at: start) <= .seconds(5))
            _ = machine.due(occasion(.seconds(5)))
        }
    }

    @Test func aSupersededAnswerIsDroppedAndTheRowReadAgain() {
        var machine = refreshing()
        _ = machine.granted(answer("a1", sentAfter: .zero), using: 1, occasion(.zero))
        #expect(machine.superseded(occasion(.zero)).effect == .reread)
        #expect(machine.life == nil)
    }
}

// MARK: - A row that holds it already

extension GrantStateMachineTests {
    @Test(arguments: [false, true])
    func h6AnAnswerThatIsFoundInTheRowIsStoredThoughNobodySaidSo(_ isPublished: Bool) {
        var machine = refreshing()
        let answer = answer("a1", sentAfter: .zero, rotated: "r2").journaled
        _ = machine.granted(answer, using: 1, occasion(.seconds(1)))
        if isPublished { _ = machine.due(occasion(.seconds(3))) }
        let step = machine.rowChanged(row(2, token: "a1", expiresIn: .seconds(900)), occasion(.seconds(4)))
        #expect(machine.phase == .resting && machine.grantVersion == 2)
        #expect(step.effect == (isPublished ? .none : .publish(answer)))
        #expect(
            machine.deadline.map { $0.remaining(at: start + .seconds(4)) > .seconds(300) } == true,
            "nothing is due"
        )
    }
}

// MARK: - Clocks and memory

extension GrantStateMachineTests {
    private func remembered(
        _ status: GrantStatus,
        lifetime: Duration?,
        tokenEndsAt: BootTime? = nil
    ) -> GrantMemory {
        GrantMemory(
            status: status,
            grantVersion: 1,
            generation: 3,
            consecutiveFailures: 2,
            lastError: "Grant revoked",
            lastRefreshedAt: nil,
            lifetime: lifetime,
            tokenEndsAt: tokenEndsAt
        )
    }

    @Test func aTokenStoredWhileAClockRanAheadIsNotBelievedForLongerThanItsLife() {
        let memory = remembered(.active, lifetime: .seconds(900))
        let (machine, _) = GrantStateMachine.loaded(
            row(token: "a", expiresIn: .seconds(8100), memory: memory),
            occasion(.zero)
        )
        #expect(machine.life?.remaining(at: start) == .seconds(900))
    }

    @Test func aRefusedGrantIsKnownAgainWithItsReason() {
        let (machine, _) = GrantStateMachine.loaded(
            row(memory: remembered(.reauthorizationRequired, lifetime: nil)),
            occasion(.zero)
        )
        #expect(machine.streak?.count == 2)
        #expect(machine.lastError == "Grant revoked")
    }

    @Test func aWallClockSetBackDoesNotMakeAGoodAnswerLookLikeNoProgress() {
        var machine = active()
        let setBack = Moment(wall: start.wall + .seconds(540 - 3600), boot: start.boot + .seconds(540))
        let later = Occasion(now: setBack, draw: 0.5, policy: policy)
        _ = machine.due(later)
        _ = machine.begun(version: 1, later)
        let life = TokenLife(sentAt: setBack, lifetime: .seconds(900))
        _ = machine.granted(TokenAnswer(accessToken: Secret("a2"), life: life), using: 1, later)
        _ = machine.stored(grantVersion: 1, later)
        #expect(machine.streak == nil)
        #expect(machine.status(at: setBack) == .active)
    }

    @Test func aProbeThatWasNeverSentIsNotCounted() {
        var machine = refused()
        for hour in 0..<30 {
            let at = Duration.seconds(3610 + 3600 * hour)
            _ = machine.due(occasion(at))
            let step = machine.failed(away, using: 1, occasion(at))
            #expect(step.deadline == .arm(start + at + .seconds(3600)))
        }
    }
}

// MARK: - No progress

extension GrantStateMachineTests {
    @Test func theSameTokenAgainLivesNoLongerAndWaitsLikeAFailure() {
        var machine = active()
        _ = machine.due(occasion(.seconds(540)))
        _ = machine.begun(version: 1, occasion(.seconds(540)))
        let step = machine.granted(answer("a1", sentAfter: .seconds(540)), using: 1, occasion(.seconds(540)))
        guard case .store(let kept) = step.effect else {
            Issue.record("an answer is stored, progress or not")
            return
        }
        #expect(kept.life.expiresAt == start + .seconds(900))
        let next = machine.stored(grantVersion: 1, occasion(.seconds(540), draw: 1))
        #expect(next.deadline == .arm(start + .seconds(541)))
        #expect(machine.streak?.last.kind == .noProgress)
        #expect(machine.status(at: start + .seconds(540)) == .degraded)
    }

    @Test func progressEndsThat() {
        var machine = active()
        for (second, token) in [(540, "a1"), (545, "a2")] {
            _ = machine.due(occasion(.seconds(second)))
            _ = machine.begun(version: 1, occasion(.seconds(second)))
            _ = machine.granted(answer(token, sentAfter: .seconds(second)), using: 1, occasion(.seconds(second)))
            _ = machine.stored(grantVersion: 1, occasion(.seconds(second)))
        }
        #expect(machine.status(at: start + .seconds(546)) == .active)
        #expect(machine.streak == nil)
    }

    /// The row's expiry is by the wall clock of another daemon, 400 s ahead or behind; what the database's clock says counts.
    @Test(arguments: [1000, 200]) func h15ATokenEndsWhenTheDatabasesClockSaysSo(_ expiresIn: Int) {
        let memory = remembered(.active, lifetime: .seconds(900), tokenEndsAt: start.boot + .seconds(600))
        let row = row(token: "a1", expiresIn: .seconds(expiresIn), memory: memory)
        let (machine, step) = GrantStateMachine.loaded(row, occasion(.zero))
        #expect(machine.life?.expiresAt == start + .seconds(600))
        #expect(step.effect == .adopt)
    }

    @Test func noTokenGainsLifeByTheDatabasesClock() {
        let memory = remembered(.active, lifetime: .seconds(900), tokenEndsAt: start.boot + .seconds(5000))
        let (machine, _) = GrantStateMachine.loaded(
            row(token: "a1", expiresIn: .seconds(800), memory: memory),
            occasion(.zero)
        )
        #expect(machine.life?.expiresAt == start + .seconds(900))
    }
}
