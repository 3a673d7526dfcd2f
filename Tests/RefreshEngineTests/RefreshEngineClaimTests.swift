// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// Accounts that other daemons refresh too, and a database that is away.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineClaimTests {
    private let one = UserID("1")

    private func live(for life: Duration = .seconds(900)) -> WallTime { Moment.newYear.wall + life }

    @Test func whatAnotherDaemonHasInHandIsNotCalledForAndItsResultServed() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())])
        fixture.store.claimElsewhere(one, for: .seconds(90))
        await fixture.start()
        await fixture.advance(by: .seconds(540))
        await fixture.settled {
            fixture.engine.entry(for: one)?.prospect == .underWay && fixture.store.count("claim") == 1
        }
        await fixture.turn()
        fixture.store[one] = .init(refreshToken: "r1", accessToken: "a1", expiresAt: live(for: .seconds(1440)))
        await fixture.advance(by: .seconds(10))
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(fixture.endpoint.unseen == 0, "the other one made the call")
        #expect((await fixture.engine.report(on: one))?.status == .active)
    }

    @Test func aClaimThatPassedOnIsTakenUp() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())])
        fixture.store.claimElsewhere(one, for: .seconds(3))
        await fixture.start()
        await fixture.advance(by: .seconds(540))
        await fixture.settled { fixture.store.count("claim") == 1 }
        fixture.store.claimElsewhere(one, for: nil)
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
        call.answer(fixture.answer("a1"))
        let write = await fixture.store.writes.next()
        #expect(write.first?.claim == Claim(user: one, epoch: 1))
    }

    @Test func aNewerTokenInTheRowAtTheClaimSparesTheCallAndGivesTheClaimBack() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())])
        await fixture.start()
        fixture.store[one] = .init(refreshToken: "r1", accessToken: "a1", expiresAt: live(for: .seconds(1440)))
        await fixture.advance(by: .seconds(540))
        let end = await fixture.store.ends.next()
        #expect(end == ClaimEnd(Claim(user: one, epoch: 1), keptFor: .zero))
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func aClaimIsKeptUntilTheNextTryAfterAFailure() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())])
        await fixture.start()
        await fixture.advance(by: .seconds(540))
        (await fixture.endpoint.nextCall()).fail(RefreshFailure(.connect, text: "refused"))
        let end = await fixture.store.ends.next()
        #expect(end.claim == Claim(user: one, epoch: 1))
        #expect(end.keptFor == .milliseconds(500))
    }

    @Test func aClaimOnWhatAPersonHasToMendIsGivenBack() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())])
        await fixture.start()
        await fixture.advance(by: .seconds(540))
        let refusal = RefreshFailure(.grantRefused, text: "invalid_grant")
        (await fixture.endpoint.nextCall()).fail(refusal)
        #expect(await fixture.store.ends.next().keptFor > .zero)
        (await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }).fail(refusal)
        #expect(await fixture.store.ends.next().keptFor == .zero)
        #expect(await fixture.engine.report(on: one)?.status == .reauthorizationRequired)
    }

    @Test func aStopGivesBackWhatWasClaimedAndNotBegun() async throws {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        fixture.store.hold("claim")
        await fixture.start()
        await fixture.settled { fixture.store.count("claim") == 1 }
        await fixture.engine.drain()
        fixture.store.release("claim")
        #expect(await fixture.store.ends.next() == ClaimEnd(Claim(user: one, epoch: 1), keptFor: .zero))
        try await fixture.engine.ended()
        #expect(fixture.endpoint.unseen == 0)
    }
}

extension RefreshEngineClaimTests {
    private var away: StoreFailure { StoreFailure(.unavailable, text: "gone") }

    private func fixture(_ configuration: EngineConfiguration = EngineConfiguration()) async -> EngineFixture {
        let fixture = EngineFixture(
            [one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())],
            configuration
        )
        await fixture.start()
        if configuration.refreshesWithoutDatabase { await fixture.settled { fixture.store.count("grants") == 1 } }
        await fixture.turn()
        return fixture
    }

    @Test func withTheDatabaseAwayAccountsAreRefreshedUnclaimedAndWrittenBackLater() async {
        let fixture = await fixture()
        let before = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(10)) }
        before.answer(fixture.answer("a1"))
        await fixture.settled { fixture.store[one]?.accessToken == "a1" && fixture.token(of: one) == "a1" }
        fixture.store.fail(with: away)
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(10)) }
        #expect(call.refreshToken == Secret("r1"))
        call.answer(fixture.answer("a2"))
        await fixture.settled { fixture.token(of: one) == "a2" }
        fixture.store.fail(with: nil)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.store[one]?.accessToken == "a2"
        }
        #expect((await fixture.engine.report(on: one))?.status == .active)
    }

    @Test(arguments: [
        (StoreFailure(.misconfigured, sqlState: "28P01", text: "the login was refused", isOutOfReach: true), true),
        (StoreFailure(.timeout, text: "silence", isOutOfReach: true), true),
        (StoreFailure(.timeout, sqlState: "57014", text: "statement timeout"), false),
        (StoreFailure(.refused, sqlState: "42501", text: "permission denied"), false),
    ]) func onlyADatabaseOutOfReachIsDoneWithoutUntilATokenIsAboutToDie(
        _ failure: StoreFailure,
        _ isDoneWithout: Bool
    ) async {
        let fixture = await fixture()
        let before = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(10)) }
        before.answer(fixture.answer("a1"))
        await fixture.settled { fixture.store[one]?.accessToken == "a1" && fixture.token(of: one) == "a1" }
        fixture.store.fail(with: failure)
        if isDoneWithout {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(10)) }
            call.answer(fixture.answer("a2"))
            await fixture.settled { fixture.token(of: one) == "a2" }
        } else {
            await fixture.advance(by: .seconds(540))
            await fixture.settled { (await fixture.engine.report(on: one))?.status == .degraded }
            #expect(fixture.endpoint.unseen == 0)
            // Nothing was ever rotated, and a token that dies helps nobody.
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(5)) }
            #expect(fixture.token(of: one) == "a1", "not before its last moment, and not after it")
            call.answer(fixture.answer("a2"))
            await fixture.settled { fixture.token(of: one) == "a2" }
        }
    }

    @Test func aDaemonThatHasRefreshedNothingYetGoesOnWithoutTheDatabaseToo() async {
        let fixture = await fixture()
        fixture.store.fail(with: away)
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(10)) }
        call.answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
    }

    @Test func whatAnotherDaemonOrTheOneBeforeSawOfRotationCounts() async {
        let store = RecordingStore([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())])
        try? await store.noteRotation(of: EngineFixture.client.name)
        let fixture = EngineFixture(store)
        await fixture.start()
        await fixture.settled { store.count("sawRotation") == 1 }
        await fixture.turn()
        store.fail(with: away)
        await fixture.advance(by: .seconds(540))
        await fixture.settled { (await fixture.engine.report(on: one))?.status == .degraded }
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func rotationIsNotedForTheOthersAsSoonAsTheDatabaseTakesIt() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        fixture.store.fail(with: away)
        call.answer(fixture.answer("a1", rotated: "r2"))
        await fixture.settled { fixture.store.count("noteRotation") == 1 }
        fixture.store.fail(with: nil)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.store.count("noteRotation") == 2
        }
        #expect((try? await fixture.store.sawRotation(of: EngineFixture.client.name)) == true)
    }

    @Test func aClaimThatGrewOldBeforeItsCallIsGivenBackAndMadeAnew() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        fixture.store.hold("claim")
        await fixture.start()
        await fixture.settled { fixture.store.count("claim") == 1 }
        fixture.clock.advance(by: .seconds(61))
        fixture.store.release("claim")
        #expect(await fixture.store.ends.next() == ClaimEnd(Claim(user: one, epoch: 1), keptFor: .zero))
        #expect(fixture.endpoint.unseen == 0)
        fixture.store.release("claim")
        _ = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
        #expect(fixture.store.count("claim") == 2)
    }

    @Test func aRotatedAnswerThatLostItsClaimIsKeptAllTheSame() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        fixture.store.hold("write")
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1", rotated: "r2"))
        await fixture.settled { fixture.store.writes.count == 1 }
        fixture.store.loseClaim(of: one)
        for _ in 0..<2 { fixture.store.release("write") }
        await fixture.settled { fixture.store[one]?.refreshToken == "r2" }
    }

    @Test func aGrantThatAnotherDaemonHadRefusedIsNotTriedHereToo() async {
        var row = RecordingStore.Row(refreshToken: "r1", accessToken: "a0", expiresAt: live())
        let fixture = EngineFixture([one: row])
        await fixture.start()
        row.memory = GrantMemory(
            status: .reauthorizationRequired,
            grantVersion: RecordingStore.version(of: "r1"),
            generation: 2,
            consecutiveFailures: 2,
            lastError: "Grant revoked",
            lastRefreshedAt: nil,
            lifetime: nil
        )
        fixture.store[one] = row
        await fixture.advance(by: .seconds(540))
        await fixture.settled { (await fixture.engine.report(on: one))?.status == .reauthorizationRequired }
        let report = await fixture.engine.report(on: one)
        #expect(report?.consecutiveFailures == 2 && report?.lastError?.contains("Grant revoked") == true)
        #expect(fixture.endpoint.unseen == 0)
        #expect(fixture.token(of: one) == "a0", "what is alive is served")
    }

    @Test func aProviderThatRotatesIsNotAskedWithoutTheDatabase() async {
        let fixture = await fixture()
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(10)) }
        call.answer(fixture.answer("a1", rotated: "r2"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        fixture.store.fail(with: away)
        await fixture.advance(by: .seconds(560))
        await fixture.settled { (await fixture.engine.report(on: one))?.status == .degraded }
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func aNewRefreshTokenInABrokenReplyIsRotationTooAndNothingIsAskedWithoutTheDatabase() async {
        let fixture = await fixture()
        let first = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(10)) }
        first.answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        let second = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(10)) }
        second.fail(RefreshFailure(.malformed, text: "no access_token", newRefreshToken: Secret("r2")))
        await fixture.settled { fixture.store[one]?.refreshToken == "r2" }
        let third = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(10)) }
        third.answer(fixture.answer("a2"))
        await fixture.settled { fixture.token(of: one) == "a2" }
        fixture.store.fail(with: away)
        await fixture.advance(by: .seconds(560))
        await fixture.settled { (await fixture.engine.report(on: one))?.status == .degraded }
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func theEndOfASalvageLeavesTheClaimOfALaterCallAlone() async {
        let fixture = EngineFixture(
            [one: .init(refreshToken: "r1")],
            EngineConfiguration(maxPerSecond: 1000, reconcileEvery: .seconds(1))
        )
        fixture.store.hold("salvage")
        await fixture.start()
        (await fixture.endpoint.nextCall()).fail(
            RefreshFailure(.malformed, text: "no access_token", newRefreshToken: Secret("r2"))
        )
        await fixture.settled { (await fixture.engine.report(on: one))?.consecutiveFailures == 1 }
        fixture.store[one] = .init(refreshToken: "by hand")
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
        #expect(call.refreshToken == Secret("by hand"))
        fixture.store.release("salvage")
        await fixture.turn()
        #expect(fixture.store.ends.count == 0, "the claim is needed for the call")
        call.answer(fixture.answer("a1"))
        #expect(await fixture.store.writes.next().first?.claim != nil)
    }

    @Test func neverMeansNever() async {
        let fixture = await fixture(EngineConfiguration(refreshesWithoutDatabase: false))
        fixture.store.fail(with: away)
        await fixture.advance(by: .seconds(540))
        await fixture.settled { (await fixture.engine.report(on: one))?.status == .degraded }
        #expect(fixture.endpoint.unseen == 0)
        #expect(fixture.store.count("grants") == 0)
    }
}
