// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

/// H1, H3, H4: replies that were lost on a provider that rotates refresh tokens, and what the journal kept.
extension GrantStateMachineTests {
    private var lost: RefreshFailure { RefreshFailure(.connectionLost, text: "the connection broke") }

    private func rotating(_ after: Duration) -> Occasion {
        Occasion(now: start + after, draw: 0.5, policy: policy, rotates: true)
    }

    /// A machine whose reply was lost and which is about to be tried again.
    private func afterLostReply() -> GrantStateMachine {
        var machine = active()
        _ = machine.due(rotating(.seconds(540)))
        _ = machine.begun(version: 1, rotating(.seconds(540)))
        _ = machine.failed(lost, using: 1, rotating(.seconds(545)))
        return machine
    }

    private func triedAgain() -> GrantStateMachine {
        var machine = afterLostReply()
        _ = machine.due(rotating(.seconds(546)))
        _ = machine.begun(version: 1, rotating(.seconds(546)))
        return machine
    }

    @Test func h1ALostReplyIsTriedAgainAndTwoRefusalsSayThatTheOutcomeIsUnknown() {
        var machine = active()
        _ = machine.due(rotating(.seconds(540)))
        _ = machine.begun(version: 1, rotating(.seconds(540)))
        let step = machine.failed(lost, using: 1, rotating(.seconds(545)))
        guard case .arm(let next) = step.deadline else {
            Issue.record("a lost reply is tried again")
            return
        }
        #expect(next.wall - (start + .seconds(545)).wall <= .seconds(1), "a period of grace may be short")
        #expect(machine.needsJournal)
        _ = machine.due(rotating(.seconds(546)))
        _ = machine.begun(version: 1, rotating(.seconds(546)))
        #expect(
            machine.failed(refusal, using: 1, rotating(.seconds(547))) == Step(.arm(start + .seconds(557)), .reread)
        )
        #expect(machine.needsJournal && machine.status(at: start + .seconds(547)) == .degraded, "one may be a mistake")
        _ = machine.due(rotating(.seconds(557)))
        _ = machine.begun(version: 1, rotating(.seconds(557)))
        #expect(machine.failed(refusal, using: 1, rotating(.seconds(558))) == Step(.disarm, .reread))
        #expect(machine.status(at: start + .seconds(558)) == .unknownOutcome)
        #expect(!machine.needsJournal, "the database remembers it from here on")
        #expect(machine.life?.isAlive(at: start + .seconds(558)) == true, "the token at hand lives on")
        #expect(machine.due(rotating(.seconds(9000))) == .nothing)
        #expect(machine.demanded(rotating(.seconds(9000))) == .nothing, "nobody has it tried again")
    }

    /// A machine whose grant was refused twice after a lost reply.
    private func unknown() -> GrantStateMachine {
        var machine = triedAgain()
        _ = machine.failed(refusal, using: 1, rotating(.seconds(547)))
        _ = machine.due(rotating(.seconds(557)))
        _ = machine.begun(version: 1, rotating(.seconds(557)))
        _ = machine.failed(refusal, using: 1, rotating(.seconds(558)))
        return machine
    }

    @Test func h1ASuccessEndsTheSuspicion() {
        var machine = triedAgain()
        // The same token once more, as a provider may give it.
        _ = machine.granted(answer("a1", sentAfter: .seconds(546)), using: 1, rotating(.seconds(547)))
        _ = machine.stored(grantVersion: 1, rotating(.seconds(548)))
        #expect(!machine.needsJournal)
    }

    @Test func h1ATokenThatAnotherDaemonHadForTheSameGrantEndsTheUnknown() {
        var machine = unknown()
        let step = machine.rowChanged(row(1, token: "a2", expiresIn: .seconds(1400)), rotating(.seconds(560)))
        #expect(step.effect == .adopt && machine.status(at: start + .seconds(560)) == .active)
    }

    @Test(arguments: [(503, false), (500, true), (502, true), (504, true)]) func h1AServiceThatIsBusyLostNothing(
        _ status: Int,
        _ isLost: Bool
    ) {
        var machine = active()
        _ = machine.due(rotating(.seconds(540)))
        _ = machine.begun(version: 1, rotating(.seconds(540)))
        _ = machine.failed(
            RefreshFailure(.serverFault, httpStatus: status, text: "x"),
            using: 1,
            rotating(.seconds(541))
        )
        #expect(machine.needsJournal == isLost)
    }

    @Test func h1TheOutcomeIsKnownAgainWithAnotherGrantInTheRow() {
        var machine = unknown()
        #expect(machine.rowChanged(row(1, token: "a1", expiresIn: .seconds(900)), rotating(.seconds(560))) == .nothing)
        let step = machine.rowChanged(row(2, token: "a1", expiresIn: .seconds(900)), rotating(.seconds(561)))
        #expect(step.deadline == .arm(start + .seconds(561)))
        #expect(machine.status(at: start + .seconds(561)) == .active)
    }

    @Test func h1AProviderWithGraceTakesTheOldOneOnceMore() {
        var machine = triedAgain()
        let step = machine.granted(
            answer("a2", sentAfter: .seconds(546), rotated: "r2"),
            using: 1,
            rotating(.seconds(547))
        )
        guard case .store = step.effect else {
            Issue.record("the answer is stored")
            return
        }
        _ = machine.stored(grantVersion: 2, rotating(.seconds(548)))
        #expect(machine.status(at: start + .seconds(548)) == .active)
        #expect(!machine.needsJournal)
    }

    @Test func h1FailuresOfAnotherKindInBetweenChangeNothingOfThat() {
        var machine = triedAgain()
        _ = machine.failed(RefreshFailure(.connect, text: "refused"), using: 1, rotating(.seconds(547)))
        #expect(machine.needsJournal)
        for second in [560, 575] {
            _ = machine.due(rotating(.seconds(second)))
            _ = machine.begun(version: 1, rotating(.seconds(second)))
            _ = machine.failed(refusal, using: 1, rotating(.seconds(second + 1)))
        }
        #expect(machine.standing == .unknownOutcome)
    }

    @Test func h1WhereNothingRotatesALostReplyIsAFailureLikeAnother() {
        var machine = active()
        _ = machine.due(occasion(.seconds(540)))
        _ = machine.begun(version: 1, occasion(.seconds(540)))
        _ = machine.failed(lost, using: 1, occasion(.seconds(545)))
        #expect(!machine.needsJournal)
        _ = machine.due(occasion(.seconds(546)))
        _ = machine.begun(version: 1, occasion(.seconds(546)))
        _ = machine.failed(refusal, using: 1, occasion(.seconds(547)))
        #expect(machine.standing == .good, "a refusal is confirmed before it counts")
    }

    @Test(arguments: [
        RefreshFailure.Kind.connect, .tls, .nameResolution, .throttled, .clientRefused, .journalUnavailable,
    ])
    func h1WhatWasNotActedUponIsNoLostReply(kind: RefreshFailure.Kind) {
        var machine = active()
        _ = machine.due(rotating(.seconds(540)))
        _ = machine.begun(version: 1, rotating(.seconds(540)))
        _ = machine.failed(RefreshFailure(kind, text: "x"), using: 1, rotating(.seconds(541)))
        #expect(!machine.needsJournal)
    }

    @Test func h1AnUnknownOutcomeIsRememberedAcrossARestart() {
        func memory(_ version: Int64) -> GrantMemory {
            GrantMemory(
                status: .unknownOutcome,
                grantVersion: version,
                generation: 3,
                consecutiveFailures: 2,
                lastError: "Grant revoked",
                lastRefreshedAt: nil,
                lifetime: nil
            )
        }
        let (same, step) = GrantStateMachine.loaded(row(1, memory: memory(1)), occasion(.zero))
        #expect(same.standing == .unknownOutcome && step.deadline == .disarm)
        let (other, _) = GrantStateMachine.loaded(row(2, memory: memory(1)), occasion(.zero))
        #expect(other.standing == .good, "another grant is in the row")
        var running = active()
        #expect(
            running.rowChanged(row(1, token: "a1", expiresIn: .seconds(900), memory: memory(1)), occasion(.seconds(9)))
                .deadline == .disarm
        )
        #expect(running.standing == .unknownOutcome, "another daemon found it out")
        #expect(running.lastError == "Grant revoked")
    }

    @Test func h3ACallThatTheProcessBeforeHadUnderWayIsTriedAtOnce() {
        var (machine, _) = GrantStateMachine.loaded(row(1, token: "a1", expiresIn: .seconds(400)), rotating(.zero))
        #expect(machine.interrupted(using: 1, rotating(.zero)) == Step(.arm(start)))
        #expect(machine.needsJournal && machine.status(at: start) == .degraded)
        for second in [0, 12] {
            _ = machine.due(rotating(.seconds(second)))
            _ = machine.begun(version: 1, rotating(.seconds(second)))
            _ = machine.failed(refusal, using: 1, rotating(.seconds(second + 1)))
        }
        #expect(machine.standing == .unknownOutcome)
        var (other, _) = GrantStateMachine.loaded(row(2), rotating(.zero))
        #expect(other.interrupted(using: 1, rotating(.zero)) == .nothing, "another grant is in the row")
    }

    @Test func h3AnAnswerOutOfTheJournalIsHandedOutAndStored() {
        var (machine, _) = GrantStateMachine.loaded(row(1, token: "a1", expiresIn: .seconds(10)), rotating(.zero))
        let kept = answer("a2", sentAfter: .seconds(-60), rotated: "r2").journaled
        #expect(machine.recovered(kept, rotating(.zero)) == Step(.arm(start), .publish(kept)))
        #expect(machine.due(rotating(.zero)) == Step(.disarm, .store(kept)))
        _ = machine.stored(grantVersion: 2, rotating(.seconds(1)))
        #expect(
            machine.grantVersion == 2 && machine.status(at: start + .seconds(1)) == .active && !machine.needsJournal
        )
    }

    @Test func h3OfAnAnswerWhoseTokenIsDeadTheRefreshTokenIsStored() {
        var (machine, _) = GrantStateMachine.loaded(row(1), rotating(.zero))
        let dead = answer("a2", sentAfter: .seconds(-901), rotated: "r2")
        #expect(machine.recovered(dead, rotating(.zero)) == Step(.disarm, .salvage(Secret("r2"))))
        var (refused, _) = GrantStateMachine.loaded(row(1), rotating(.zero))
        #expect(refused.recovered(Secret("r3"), rotating(.zero)) == Step(.disarm, .salvage(Secret("r3"))))
    }

    @Test func h4AJournaledAnswerIsHandedOutWhileTheDatabaseIsAway() {
        var machine = refreshing()
        let kept = answer("a1", sentAfter: .zero, rotated: "r2").journaled
        #expect(machine.granted(kept, using: 1, rotating(.zero)) == Step(.arm(start + .seconds(1)), .store(kept)))
        #expect(machine.storeFailed(away, rotating(.zero)).effect == .publish(kept))
        for second in [100, 200, 899] {
            guard case .store(kept) = machine.due(rotating(.seconds(second))).effect else {
                Issue.record("it is stored again and again, and no other refresh is made of the old refresh token")
                return
            }
            _ = machine.storeFailed(away, rotating(.seconds(second)))
        }
    }

    @Test func h8AnAnswerThatCouldNotBeJournaledWaitsForTheDatabase() {
        var machine = refreshing()
        let bare = answer("a1", sentAfter: .zero, rotated: "r2")
        #expect(machine.granted(bare, using: 1, rotating(.zero)) == Step(.disarm, .store(bare)))
        #expect(machine.storeFailed(away, rotating(.zero)).effect == .none)
    }
}
