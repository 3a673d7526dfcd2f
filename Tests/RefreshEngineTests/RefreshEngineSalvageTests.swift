// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// H9 in the engine: what could be read of a broken reply is in the row before the next call.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineSalvageTests {
    private let one = UserID("1")
    private let fast = EngineConfiguration(maxPerSecond: 1000)
    private let broken = RefreshFailure(.malformed, text: "no access_token", newRefreshToken: Secret("r2"))
    private let away = StoreFailure(.unavailable, text: "connection refused")

    @Test func h9ANewRefreshTokenIsStoredAloneAndUsedNext() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        (await fixture.endpoint.nextCall()).fail(broken)
        await fixture.settled { fixture.store[one]?.refreshToken == "r2" }
        #expect(fixture.store[one]?.accessToken == nil)
        #expect(fixture.token(of: one) == nil, "nothing is handed out")
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
        #expect(next.refreshToken == Secret("r2"))
        next.answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(await fixture.engine.report(on: one)?.status == .active)
    }

    @Test func h9NoCallIsMadeUntilTheNewRefreshTokenIsStored() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        fixture.store.failWrites(with: away)
        (await fixture.endpoint.nextCall()).fail(broken)
        for _ in 0..<60 {
            await fixture.advance(by: .seconds(1))
            await fixture.turn()
        }
        #expect(fixture.endpoint.unseen == 0)
        #expect(fixture.store.count("salvage") > 10)
        fixture.store.failWrites(with: nil)
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
        #expect(next.refreshToken == Secret("r2"))
    }

    @Test func h9AStopStoresTheNewRefreshTokenFirst() async throws {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        await fixture.engine.drain()
        call.fail(broken)
        try await fixture.engine.ended()
        #expect(fixture.store[one]?.refreshToken == "r2")
    }

    @Test func h9ARowThatWasGivenAnotherGrantKeepsIt() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        fixture.store[one] = .init(refreshToken: "by hand")
        call.fail(broken)
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
        #expect(next.refreshToken == Secret("by hand"))
        #expect(fixture.store[one]?.refreshToken == "by hand")
    }
}
