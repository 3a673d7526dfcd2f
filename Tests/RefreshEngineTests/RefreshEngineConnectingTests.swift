// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// Rows that this daemon wrote itself because a person connected an account, or disconnected it.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineConnectingTests {
    private let user = UserID("1")

    private func row(_ grant: String?, _ token: String?, client: String? = nil) -> RecordingStore.Row {
        RecordingStore.Row(
            refreshToken: grant,
            accessToken: token,
            expiresAt: token.map { _ in Moment.newYear.wall + .seconds(900) },
            client: client
        )
    }

    private func token(_ fixture: EngineFixture) -> String? {
        fixture.engine.entry(for: user)?.token?.bareToken
    }

    @Test func theTokenThatProvedAGrantIsServedWhenTheCallReturns() async {
        let fixture = EngineFixture([user: row(nil, nil)])
        await fixture.start()
        #expect(token(fixture) == nil)
        fixture.store[user] = row("r2", "a2")
        await fixture.engine.rowWasWritten(of: user, isProven: true)
        #expect(token(fixture) == "a2")
        #expect(await fixture.engine.report(on: user)?.status == .active)
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func h32ACallInFlightForTheOldGrantGivesNothingToTheNewOne() async {
        let fixture = EngineFixture([user: row("r1", nil)])
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        fixture.store[user] = row("r2", "a2")
        await fixture.engine.rowWasWritten(of: user, isProven: true)
        #expect(token(fixture) == "a2")
        call.answer(fixture.answer("late"))
        await fixture.turn()
        #expect(token(fixture) == "a2")
        #expect(fixture.store[user]?.refreshToken == "r2" && fixture.store[user]?.accessToken == "a2")
    }

    @Test func aRefusedAccountIsActiveAgainWithAnotherGrant() async {
        let fixture = EngineFixture([user: row("r1", nil)])
        await fixture.start()
        let refusal = RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "Grant revoked")
        for _ in 0..<2 {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(5)) }
            call.fail(refusal)
            await fixture.turn()
        }
        #expect(await fixture.engine.report(on: user)?.status == .reauthorizationRequired)
        fixture.store[user] = row("r2", "a2")
        await fixture.engine.rowWasWritten(of: user, isProven: true)
        #expect(await fixture.engine.report(on: user)?.status == .active)
        #expect(token(fixture) == "a2")
    }

    @Test func aDisconnectedAccountHasNoTokenAnyMore() async {
        let fixture = EngineFixture([user: row("r1", "a1")])
        await fixture.start()
        #expect(token(fixture) == "a1")
        fixture.store[user] = row(nil, nil)
        await fixture.engine.rowWasWritten(of: user, isProven: false)
        #expect(token(fixture) == nil)
        #expect(await fixture.engine.report(on: user)?.status == .noGrant)
    }

    @Test func aRowThatCannotBeReadNowIsReadLater() async {
        let fixture = EngineFixture([user: row("r1", "a1")])
        await fixture.start()
        fixture.store[user] = row("r2", "a2")
        fixture.store.fail(with: StoreFailure(.unavailable, text: "gone"))
        await fixture.engine.rowWasWritten(of: user, isProven: true)
        #expect(token(fixture) == "a1")
        fixture.store.fail(with: nil)
        fixture.store.tell(.users([user]))
        await fixture.settled { token(fixture) == "a2" }
    }

    @Test func aClientThatWasPutInIsKnownWhenTheCallReturns() async {
        let fixture = EngineFixture([user: row(nil, nil)])
        await fixture.start()
        let client = StoredClient(
            name: "second",
            environment: .production,
            clientID: "id",
            clientSecret: .success(Secret("s2")),
            redirectURI: "http://localhost:3000/tastytrade/oauth/callback",
            scopes: ["read"]
        )
        fixture.store.replaceClients(with: [client])
        await fixture.engine.clientsWereChanged()
        fixture.store[user] = row("r2", "a2", client: "second")
        await fixture.engine.rowWasWritten(of: user, isProven: true)
        #expect(await fixture.engine.report(on: user)?.client == "second")
    }
}
