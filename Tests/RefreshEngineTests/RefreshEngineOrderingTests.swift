// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// Refreshes that callers order (product.md, `POST refresh`).
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineOrderingTests {
    private let one = UserID("1")

    private func fixture() async -> EngineFixture {
        let expiresAt = Moment.newYear.wall + .seconds(800)
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: expiresAt)])
        await fixture.start()
        return fixture
    }

    private func name(_ verdict: RefreshVerdict) -> String {
        switch verdict {
        case .underWay(let token): "under way, replacing \(token?.bareToken ?? "nothing")"
        case .stale(let token): "stale, current \(token?.bareToken ?? "nothing")"
        case .tooSoon: "too soon"
        case .unavailable(let code, _): code.rawValue
        case .unknownUser: "unknown"
        }
    }

    @Test func anOrderReplacesATokenThatHasLongToLive() async {
        let fixture = await fixture()
        #expect(name(await fixture.engine.refresh(one) { $0?.bareToken == "a0" }) == "under way, replacing a0")
        #expect(name(await fixture.engine.refresh(one) { _ in true }) == "under way, replacing a0", "joined")
        let call = await fixture.endpoint.nextCall()
        call.answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(name(await fixture.engine.refresh(one) { _ in true }) == "too soon")
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func anOrderForAnotherTokenBeginsNothing() async {
        let fixture = await fixture()
        #expect(name(await fixture.engine.refresh(one) { $0?.bareToken == "older" }) == "stale, current a0")
        #expect(name(await fixture.engine.refresh(UserID("2")) { _ in true }) == "unknown")
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func aDeadTokenIsNobodysCurrentOne() async {
        let fixture = await fixture()
        fixture.clock.advance(by: .seconds(800))
        #expect(name(await fixture.engine.refresh(one) { $0 != nil }) == "stale, current nothing")
    }

    @Test func whoStopsBeginsNothing() async {
        let fixture = await fixture()
        await fixture.engine.drain()
        #expect(name(await fixture.engine.refresh(one) { _ in true }) == "token_unavailable")
    }
}
