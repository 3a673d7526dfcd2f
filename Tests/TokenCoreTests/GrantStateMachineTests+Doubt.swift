// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

/// H2, H4: another daemon made a call under a claim that ran out, and nobody knows yet what came of it.
extension GrantStateMachineTests {
    private func rotating(_ after: Duration) -> Occasion {
        Occasion(now: start + after, draw: 0.5, policy: policy, rotates: true)
    }

    /// A machine with a token of 900 s from the start, in line for the next.
    private func queued() -> GrantStateMachine {
        var machine = active()
        _ = machine.due(rotating(.seconds(540)))
        return machine
    }

    @Test func h4AnotherDaemonsCallIsWaitedForAsLongAsTheTokenAtHandLives() {
        var machine = queued()
        var now = Duration.seconds(540)
        var looks = 0
        while machine.phase == .queued {
            let step = machine.doubted(rotating(now))
            guard machine.phase == .inDoubt else { break }
            #expect(machine.status(at: start + now) == .active, "nothing failed")
            guard case .arm(let next) = step.deadline, step.effect == .none else {
                Issue.record("it is looked at again")
                return
            }
            #expect(next.remaining(at: start + now) <= .seconds(10))
            #expect(machine.prospect(at: start + now) == .backingOff(until: next), "no caller waits for it")
            now = next.wall - start.wall
            looks += 1
            #expect(machine.due(rotating(now)).effect == .enqueue)
        }
        #expect(now == .seconds(870), "30 s before its end the call is risked")
        #expect(looks == 33)
        #expect(machine.needsJournal && machine.status(at: start + now) == .degraded)
        _ = machine.begun(version: 1, rotating(now))
        #expect(machine.failed(refusal, using: 1, rotating(.seconds(871))).effect == .reread)
        _ = machine.due(rotating(.seconds(882)))
        #expect(machine.doubted(rotating(.seconds(882))) == .nothing, "the risk is taken already")
        _ = machine.begun(version: 1, rotating(.seconds(882)))
        _ = machine.failed(refusal, using: 1, rotating(.seconds(883)))
        #expect(machine.status(at: start + .seconds(883)) == .unknownOutcome, "and not that the grant was taken back")
    }

    @Test func h4WithoutALiveTokenThereIsNothingToWaitWith() {
        var (machine, _) = GrantStateMachine.loaded(row(), rotating(.zero))
        _ = machine.due(rotating(.zero))
        #expect(machine.doubted(rotating(.zero)) == .nothing)
        #expect(machine.phase == .queued && machine.needsJournal)
        _ = machine.begun(version: 1, rotating(.zero))
        _ = machine.granted(answer("a1", sentAfter: .zero, rotated: "r2"), using: 1, rotating(.seconds(1)))
        _ = machine.stored(grantVersion: 2, rotating(.seconds(1)))
        #expect(!machine.needsJournal && machine.status(at: start + .seconds(1)) == .active)
    }

    @Test func h4TheOtherDaemonsAnswerEndsTheDoubt() {
        var machine = queued()
        _ = machine.doubted(rotating(.seconds(540)))
        let step = machine.rowChanged(row(2, token: "b1", expiresIn: .seconds(1430)), rotating(.seconds(545)))
        #expect(step.effect == .adopt)
        #expect(machine.phase == .resting && machine.streak == nil && machine.grantVersion == 2)
    }

    @Test func h1AReplyThatAnotherDaemonLostIsNotWaitedFor() {
        var machine = queued()
        #expect(machine.lostElsewhere(rotating(.seconds(540))) == .nothing)
        #expect(machine.phase == .queued && machine.needsJournal)
        #expect(machine.lostElsewhere(rotating(.seconds(540))) == .nothing)
        #expect(machine.streak?.count == 1, "it is noted once")
        _ = machine.begun(version: 1, rotating(.seconds(540)))
        _ = machine.failed(refusal, using: 1, rotating(.seconds(541)))
        _ = machine.due(rotating(.seconds(560)))
        _ = machine.begun(version: 1, rotating(.seconds(560)))
        _ = machine.failed(refusal, using: 1, rotating(.seconds(561)))
        #expect(machine.status(at: start + .seconds(561)) == .unknownOutcome)
    }

    @Test func aDoubtSaysNothingToWhoIsNotInLine() {
        var machine = active()
        #expect(machine.doubted(rotating(.seconds(1))) == .nothing)
        #expect(machine.phase == .resting && machine.streak == nil)
    }

    @Test func aClaimThatIsGivenBackWakesWhoeverWaitsForIt() {
        var machine = queued()
        #expect(machine.claimReleased(rotating(.seconds(540))) == .nothing, "who is in line stays there")
        _ = machine.claimedElsewhere(for: .seconds(90), rotating(.seconds(540)))
        #expect(machine.claimReleased(rotating(.seconds(541))) == Step(.disarm, .enqueue))
        #expect(machine.phase == .queued)
        var other = active()
        #expect(other.claimReleased(rotating(.seconds(1))) == .nothing)
    }

    /// A machine whose rotated answer was written with a claim that had passed on.
    private func fenced(rotated: String? = "r2") -> (GrantStateMachine, Step) {
        var machine = queued()
        _ = machine.begun(version: 1, rotating(.seconds(540)))
        let answer = answer("a2", sentAfter: .seconds(540), rotated: rotated)
        _ = machine.granted(answer, using: 1, rotating(.seconds(640)))
        let step = machine.fenced(rotating(.seconds(641)))
        return (machine, step)
    }

    @Test func h2TheWholeAnswerOfAHolderThatWasPausedGoesInByItsRefreshTokensVersion() {
        var (machine, step) = fenced()
        guard case .store(let answer) = step.effect else {
            Issue.record("it is stored once more, without the claim")
            return
        }
        #expect(answer.accessToken == Secret("a2") && answer.newRefreshToken == Secret("r2"))
        #expect(machine.stored(grantVersion: 2, rotating(.seconds(642))).effect == .publish(answer))
        #expect(machine.grantVersion == 2 && machine.status(at: start + .seconds(642)) == .active)
    }

    @Test func h2WhereTheRowHasMovedOnTheLateAnswerIsDropped() {
        var (machine, _) = fenced()
        #expect(machine.superseded(rotating(.seconds(642))).effect == .salvage(Secret("r2")), "it may be sealed anew")
        #expect(machine.salvageSuperseded(rotating(.seconds(643))).effect == .reread)
        #expect(machine.tokenIs("a1") && machine.phase == .resting, "nothing of it was handed out")
    }

    @Test func h7ASuccessOfAnotherDaemonDuringACallMakesItsRefusalTheFirst() {
        var machine = active()
        for at in [540, 550] {
            _ = machine.due(occasion(.seconds(at)))
            _ = machine.begun(version: 1, occasion(.seconds(at)))
            if at == 540 { _ = machine.failed(refusal, using: 1, occasion(.seconds(at))) }
        }
        _ = machine.rowChanged(row(token: "b1", expiresIn: .seconds(1450)), occasion(.seconds(551)))
        #expect(machine.failed(refusal, using: 1, occasion(.seconds(552))).effect == .reread)
        #expect(machine.status(at: start + .seconds(552)) == .degraded)
    }

    @Test func h2ALateCopyDoesNotGoInSinceThereMayBeANewerOne() {
        let (machine, step) = fenced(rotated: nil)
        #expect(step.effect == .reread)
        #expect(machine.phase == .resting && machine.tokenIs("a1"))
    }
}

extension GrantStateMachine {
    /// Whether that is the token at hand.
    fileprivate func tokenIs(_ text: String) -> Bool {
        var other = self
        let life = TokenLife(sentAt: .newYear, lifetime: .seconds(900))
        let row = GrantRow(
            user: UserID("42"),
            grant: .present(version: grantVersion),
            accessToken: Secret(text),
            expiresAt: life.expiresAt.wall + .seconds(90_000),
            memory: nil
        )
        return other.rowChanged(row, Occasion(now: .newYear, draw: 0.5, policy: RefreshPolicy())).effect != .adopt
    }
}
