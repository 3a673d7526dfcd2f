// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// Calls that are made beside the line while a person waits (architecture.md, decision 6).
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineBesideTheLineTests {
    private let user = UserID("1")
    private let other = UserID("42")

    private func fixture() async -> EngineFixture {
        let life = Moment.newYear.wall + .seconds(900)
        let fixture = EngineFixture([user: .init(refreshToken: "r1", accessToken: "a1", expiresAt: life)])
        await fixture.start()
        return fixture
    }

    private func end(_ failure: RefreshFailure?, _ fixture: EngineFixture) async {
        await fixture.engine.callEnded(for: other, of: nil, begunAt: fixture.clock.now, failure)
    }

    @Test func nothingStandsInTheWayUntilTheEndpointSaysSo() async {
        let fixture = await fixture()
        #expect(await fixture.engine.obstacle(ofClient: nil) == nil)
        #expect(await fixture.engine.obstacle(ofClient: "nobody's") == nil)
        await end(RefreshFailure(.throttled, text: "slow down", retryAfter: .seconds(30)), fixture)
        #expect(await fixture.engine.obstacle(ofClient: nil)?.wait == .seconds(30))
        await fixture.advance(by: .seconds(30))
        #expect(await fixture.engine.obstacle(ofClient: nil) == nil)
    }

    @Test func aClientThatIsRefusedIsRefusedForAllAndCalledForAgainNowAndThen() async {
        let fixture = await fixture()
        await end(RefreshFailure(.clientRefused, httpStatus: 401, code: "invalid_client", text: "Unknown"), fixture)
        #expect(await fixture.engine.summary().stoppedFor?.contains("the OAuth client is refused") == true)
        #expect(await fixture.engine.obstacle(ofClient: nil)?.reason.contains("the OAuth client is refused") == true)
        await fixture.advance(by: .seconds(1))
        #expect(await fixture.engine.obstacle(ofClient: nil) == nil, "that is the probe")
        #expect(await fixture.engine.obstacle(ofClient: nil) != nil, "and the next is later")
        await end(nil, fixture)
        #expect(await fixture.engine.summary().stoppedFor == nil)
        #expect(await fixture.engine.obstacle(ofClient: nil) == nil)
    }

    @Test func anEndpointThatRefusesAGrantIsThereAgain() async {
        let fixture = await fixture()
        for number in 1...12 {
            let away = RefreshFailure(.connect, text: "no connection")
            await fixture.engine.callEnded(for: UserID("\(number)"), of: nil, begunAt: fixture.clock.now, away)
        }
        #expect(await fixture.engine.summary().stoppedFor?.contains("does not answer") == true)
        await end(RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "no"), fixture)
        #expect(await fixture.engine.summary().stoppedFor == nil)
    }

    @Test func refusedGrantsThatPeopleEnterSayNothingOfTheClient() async {
        let fixture = await fixture()
        let refusal = RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "no")
        for number in 1...50 {
            await fixture.engine.callEnded(for: UserID("\(number)"), of: nil, begunAt: fixture.clock.now, refusal)
        }
        #expect(await fixture.engine.summary().stoppedFor == nil)
        #expect(await fixture.engine.report(on: user)?.status == .active)
    }
}
