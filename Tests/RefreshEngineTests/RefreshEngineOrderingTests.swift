// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

@Suite(.timeLimit(.minutes(1))) struct RefreshEngineOrderingTests {
    private let one = UserID("1")
    private let two = UserID("2")

    private func live(_ token: String, for duration: Duration = .seconds(900)) -> RecordingStore.Row {
        .init(refreshToken: "r-\(token)", accessToken: token, expiresAt: Moment.newYear.wall + duration)
    }

    @Test func anOrderReplacesALiveTokenAndTheNextWaitsFiveSeconds() async {
        let fixture = EngineFixture([one: live("a0")])
        await fixture.start()
        await fixture.advance(by: .seconds(10))
        let verdict = await fixture.engine.refresh(one) { $0?.bareToken == "a0" }
        #expect(verdict.replaced == "a0")
        let call = await fixture.endpoint.nextCall()
        #expect((await fixture.engine.refresh(one) { _ in true }).replaced == "a0", "it joins")
        call.answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        guard case .tooSoon(.seconds(5), .justRefreshed) = await fixture.engine.refresh(one, if: { _ in true }) else {
            Issue.record("another one was begun at once")
            return
        }
        await fixture.advance(by: .seconds(5))
        #expect((await fixture.engine.refresh(one) { _ in true }).replaced == "a1")
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a2"))
        await fixture.settled { fixture.token(of: one) == "a2" }
    }

    @Test func anOrderForAnotherTokenThanTheCurrentOneBeginsNothing() async {
        let fixture = EngineFixture([one: live("a0")])
        await fixture.start()
        await fixture.advance(by: .seconds(10))
        guard case .stale(let current?) = await fixture.engine.refresh(one, if: { $0?.bareToken == "older" }) else {
            Issue.record("it was taken for the current one")
            return
        }
        #expect(current.bareToken == "a0")
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func aDeadTokenIsNoCurrentOne() async {
        let fixture = EngineFixture([one: live("a0", for: .seconds(-5)), two: live("b0")])
        await fixture.start()
        guard case .stale(nil) = await fixture.engine.refresh(one, if: { $0 != nil }) else {
            Issue.record("a dead token was shown to the caller")
            return
        }
        guard case .unknownUser = await fixture.engine.refresh(UserID("nobody"), if: { _ in true }) else {
            Issue.record("nobody is known")
            return
        }
    }

    @Test func whoTakesTheSlotOfARemovedAccountInheritsNothingOfIt() async {
        let fixture = EngineFixture([one: live("a0")])
        await fixture.start()
        for change in [{ fixture.store[one] = nil }, { fixture.store[two] = live("b0", for: .seconds(7200)) }] {
            change()
            await fixture.advance(by: .seconds(60))
            _ = await fixture.store.passes.next()
            await fixture.turn()
        }
        #expect(fixture.engine.entry(for: one) == nil)
        #expect(fixture.token(of: two) == "b0")
        // The first would be due now, the second is not.
        await fixture.advance(by: .seconds(600))
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        #expect((await fixture.engine.report(on: two))?.status == .active)
    }
}

extension RefreshVerdict {
    /// The token that is being replaced, where a refresh is under way.
    fileprivate var replaced: String? {
        if case .underWay(let token) = self { token?.bareToken } else { nil }
    }
}
