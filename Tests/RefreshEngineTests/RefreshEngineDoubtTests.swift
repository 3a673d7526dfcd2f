// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import InMemoryLogging
import Logging
import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// H2, H4: calls that another daemon made and did not account for, and claims that it gave back.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineDoubtTests {
    private let one = UserID("1")

    private func live(for life: Duration = .seconds(900)) -> WallTime { Moment.newYear.wall + life }

    private func started(rotates: Bool = true) async -> EngineFixture {
        let store = RecordingStore([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())])
        if rotates { try? await store.noteRotation(of: EngineFixture.client.name) }
        let fixture = EngineFixture(store)
        await fixture.start()
        return fixture
    }

    @Test(arguments: [false, true]) func aClaimSaysThatACallIsMadeOnlyWhereThatMayCostAGrant(rotates: Bool) async {
        let fixture = await started(rotates: rotates)
        await fixture.advance(by: .seconds(540))
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(fixture.store.claimsThatSend == [rotates])
    }

    @Test func h4ACallThatIsNotAccountedForIsWaitedForAndItsAnswerServed() async {
        let fixture = await started()
        fixture.store.doubt(one)
        await fixture.advance(by: .seconds(540))
        let end = await fixture.store.ends.next()
        #expect(end == ClaimEnd(Claim(user: one, epoch: 1), keptFor: .zero), "who has the answer can store it")
        await fixture.advance(by: .seconds(10))
        #expect(await fixture.store.ends.next().claim.epoch == 2)
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        #expect(await fixture.engine.report(on: one)?.status == .active)
        fixture.store[one] = .init(refreshToken: "r2", accessToken: "a1", expiresAt: live(for: .seconds(1440)))
        fixture.store.tell(.users([one]))
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func h4TheCallIsRiskedBeforeTheTokenDiesAndRefusalsSayThatTheOutcomeIsUnknown() async {
        let fixture = await started()
        fixture.store.doubt(one)
        await fixture.advance(by: .seconds(870))
        let refusal = RefreshFailure(.grantRefused, text: "invalid_grant")
        (await fixture.endpoint.nextCall()).fail(refusal)
        let end = await fixture.store.ends.next()
        #expect(end.outcome == .lost, "the next one is to know of it")
        (await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }).fail(refusal)
        await fixture.settled { await fixture.engine.report(on: one)?.status == .unknownOutcome }
    }

    @Test func h4ADoubtTellsThatTheProviderRotatesWhereThatWasNotKnown() async {
        let fixture = await started(rotates: false)
        fixture.store.doubt(one)
        await fixture.advance(by: .seconds(540))
        _ = await fixture.store.ends.next()
        await fixture.advance(by: .seconds(10))
        _ = await fixture.store.ends.next()
        #expect(fixture.store.claimsThatSend == [false, true])
    }

    @Test(
        arguments: [
            (RefreshFailure(.timeout, text: "no reply"), .lost), (RefreshFailure(.connect, text: "refused"), .known),
        ] as [(RefreshFailure, ClaimEnd.Outcome)]
    )
    func aClaimEndsWithWhatIsKnownOfItsCall(_ failure: RefreshFailure, _ outcome: ClaimEnd.Outcome) async {
        let fixture = await started()
        await fixture.advance(by: .seconds(540))
        (await fixture.endpoint.nextCall()).fail(failure)
        #expect(await fixture.store.ends.next().outcome == outcome)
    }

    @Test func h1AReplyThatAnotherDaemonLostIsNotWaitedForAndTheCallMadeAtOnce() async {
        let fixture = await started()
        fixture.store.loseReply(to: one)
        await fixture.advance(by: .seconds(540))
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1", rotated: "r2"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(await fixture.engine.report(on: one)?.status == .active)
    }

    @Test func h1ARefusalAfterAReplyThatAnotherDaemonLostSaysThatTheOutcomeIsUnknown() async {
        let fixture = await started()
        fixture.store.loseReply(to: one)
        await fixture.advance(by: .seconds(540))
        let refusal = RefreshFailure(.grantRefused, text: "invalid_grant")
        (await fixture.endpoint.nextCall()).fail(refusal)
        #expect(await fixture.store.ends.next().outcome == .lost)
        (await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }).fail(refusal)
        await fixture.settled { await fixture.engine.report(on: one)?.status == .unknownOutcome }
    }

    @Test func h1WhatAClaimSaysOfALostReplyIsToldOnceTheDatabaseIsBack() async {
        let fixture = await started()
        await fixture.advance(by: .seconds(540))
        let call = await fixture.endpoint.nextCall()
        fixture.store.fail(with: StoreFailure(.unavailable, text: "gone"))
        call.fail(RefreshFailure(.timeout, text: "no reply"))
        await fixture.settled { fixture.store.count("end") == 1 }
        fixture.store.fail(with: nil)
        await fixture.advance(by: .seconds(3))
        let end = await fixture.store.ends.next()
        #expect(end == ClaimEnd(Claim(user: one, epoch: 1), keptFor: .zero, outcome: .lost))
    }

    @Test func aClaimThatIsGivenBackIsTakenAtOnce() async {
        let fixture = await started()
        fixture.store.claimElsewhere(one, for: .seconds(90))
        await fixture.advance(by: .seconds(540))
        await fixture.settled { fixture.store.count("claim") == 1 }
        await fixture.turn()
        fixture.store.claimElsewhere(one, for: nil)
        fixture.store.tell(.released([one, UserID("nobody")]))
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
    }

    /// A call that began before another daemon claimed the account, with its answer on the way into the row.
    private func overtaken(rotated: String?) async -> EngineFixture {
        let fixture = await started()
        fixture.store.hold("write")
        await fixture.advance(by: .seconds(540))
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1", rotated: rotated))
        _ = await fixture.store.writes.next()
        fixture.store.loseClaim(of: one)
        return fixture
    }

    @Test func h2TheWholeLateAnswerGoesInWhereTheRowHoldsTheRefreshTokenThatWasSent() async {
        let fixture = await overtaken(rotated: "r2")
        fixture.store.release("write")
        let second = await fixture.store.writes.next()
        #expect(second.first?.claim == nil && second.first?.answer.accessToken == Secret("a1"))
        fixture.store.release("write")
        await fixture.settled { fixture.token(of: one) == "a1" && fixture.store[one]?.accessToken == "a1" }
        #expect(fixture.store[one]?.refreshToken == "r2")
        #expect(fixture.store.count("salvage") == 0)
        await fixture.settled { fixture.journal.standing.entries == 0 }
    }

    @Test func h2WhereTheRowHoldsAnotherRefreshTokenTheLateAnswerIsDroppedAndThatIsSaid() async {
        let fixture = await overtaken(rotated: "r2")
        fixture.store[one] = .init(refreshToken: "theirs", accessToken: "b1", expiresAt: live(for: .seconds(1440)))
        for _ in 0..<2 { fixture.store.release("write") }
        await fixture.settled { fixture.token(of: one) == "b1" }
        #expect(fixture.store[one]?.refreshToken == "theirs" && fixture.store[one]?.accessToken == "b1")
        await fixture.settled { fixture.log.entries.contains { $0.metadata["event"] == "grant.superseded" } }
    }

    @Test func h2ALateCopyOverwritesNothing() async {
        let fixture = await overtaken(rotated: nil)
        fixture.store[one] = .init(refreshToken: "r1", accessToken: "b1", expiresAt: live(for: .seconds(1500)))
        fixture.store.release("write")
        await fixture.settled { fixture.token(of: one) == "b1" }
        #expect(fixture.store[one]?.accessToken == "b1")
    }
}
