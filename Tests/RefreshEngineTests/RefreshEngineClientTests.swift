// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import MetricsText
import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// Several OAuth clients: each account's refresh token goes out with its own client's secret, to its own environment, and one
/// client's fault stops nobody else's accounts.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineClientTests {
    private let ours = UserID("1")
    private let theirs = UserID("2")
    private let fast = EngineConfiguration(maxPerSecond: 1000)
    private let notUs = RefreshFailure(.clientRefused, httpStatus: 401, code: "invalid_client", text: "Unknown client")

    private func client(
        _ name: String = "second",
        _ secret: Result<Secret, SharedSecretFailure> = .success(Secret("s2")),
        _ environment: TradeEnvironment = .production
    ) -> StoredClient {
        StoredClient(
            name: name,
            environment: environment,
            clientID: "id of \(name)",
            clientSecret: secret,
            redirectURI: "http://localhost:3000/tastytrade/oauth/callback",
            scopes: ["read"]
        )
    }

    /// One account of the configuration's client, and one of another's.
    private func fixture(_ clients: [StoredClient]) async -> EngineFixture {
        let fixture = EngineFixture(
            [ours: .init(refreshToken: "r1"), theirs: .init(refreshToken: "r2", client: "second")],
            fast
        )
        fixture.store.replaceClients(with: clients)
        await fixture.engine.start(fixture.alarm)
        return fixture
    }

    private func calls(_ count: Int, _ fixture: EngineFixture) async -> [String: ScriptedEndpoint.Call] {
        var calls: [String: ScriptedEndpoint.Call] = [:]
        for _ in 0..<count {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(10)) }
            calls[call.refreshToken.reveal()] = call
        }
        return calls
    }

    @Test func eachGrantIsSentWithItsOwnClientsSecretToItsOwnEnvironment() async throws {
        let fixture = await fixture([client()])
        let calls = await calls(2, fixture)
        #expect(calls["r1"]?.client == EngineFixture.client)
        let second = try #require(calls["r2"]?.client)
        #expect(second.name == "second" && second.environment == .production && second.clientID == "id of second")
        #expect(second.clientSecret == Secret("s2") && second.apiURL == TradeEnvironment.production.defaultAPIURL)
        let report = await fixture.engine.report(on: theirs)
        #expect(report?.client == "second" && report?.environment == .production)
    }

    /// Whoever shows a token to TastyTrade has to know whose it is, at the moment of the token and not of a question before.
    @Test func aTokenAndItsClientAreToldTogether() async throws {
        let fixture = await fixture([client()])
        #expect(await fixture.engine.servedToken(of: theirs) == nil)
        for call in await calls(2, fixture).values { call.answer(fixture.answer("a\(call.refreshToken.reveal())")) }
        await fixture.settled { fixture.token(of: theirs) == "ar2" && fixture.token(of: ours) == "ar1" }
        let (token, client) = try #require(await fixture.engine.servedToken(of: theirs))
        #expect(token.bareToken == "ar2" && client.name == "second" && client.environment == .production)
        fixture.store[theirs] = RecordingStore.Row(
            refreshToken: "r3",
            accessToken: "a3",
            expiresAt: fixture.clock.now.wall + .seconds(900)
        )
        await fixture.engine.rowWasWritten(of: theirs, isProven: true)
        let next = try #require(await fixture.engine.servedToken(of: theirs))
        #expect(next.token.bareToken == "a3" && next.client == EngineFixture.client)
    }

    @Test func aClientOfTheConfigurationsEnvironmentIsCalledWhereThatOneIs() async {
        let fixture = await fixture([client("second", .success(Secret("s2")), .sandbox)])
        #expect(await calls(2, fixture)["r2"]?.client.apiURL == "http://localhost")
    }

    @Test func aClientThatIsRefusedStopsItsOwnAccountsOnly() async throws {
        let fixture = await fixture([client()])
        let calls = await calls(2, fixture)
        calls["r2"]?.fail(notUs)
        calls["r1"]?.answer(fixture.answer("a1"))
        await fixture.settled { await fixture.engine.summary().stoppedFor != nil }
        #expect(await fixture.engine.summary().stoppedFor?.hasPrefix("client second: ") == true)
        await fixture.settled { fixture.token(of: ours) == "a1" }
        guard case .unavailable = await fixture.engine.refresh(theirs, if: { _ in true }) else {
            Issue.record("its client stands still")
            return
        }
        await fixture.advance(by: .seconds(540))
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(10)) }
        #expect(["r1", "r2"].contains(next.refreshToken.reveal()))
        await fixture.engine.measure()
        let text = fixture.metrics.text
        #expect(text.contains(#"tastytokend_breaker_open{client="default"} 0"#), "\(text)")
        #expect(text.contains(#"tastytokend_breaker_open{client="second"} 1"#))
    }

    @Test func aSecretThatIsReplacedIsUsedByTheNextCall() async {
        let fixture = await fixture([client()])
        for call in await calls(2, fixture).values { call.answer(fixture.answer("a\(call.refreshToken.reveal())")) }
        await fixture.settled { fixture.token(of: theirs) == "ar2" }
        fixture.store.replaceClients(with: [client("second", .success(Secret("replaced")))])
        await fixture.advance(by: .seconds(60))
        await fixture.settled { fixture.store.count("clients") == 2 }
        await fixture.advance(by: .seconds(480))
        #expect(await calls(2, fixture)["r2"]?.client.clientSecret == Secret("replaced"))
    }

    @Test func aClientWhoseSecretDoesNotOpenIsNotCalledFor() async {
        let fixture = await fixture([client("second", .failure(.noSealingKey))])
        let calls = await calls(1, fixture)
        #expect(calls["r1"] != nil)
        calls["r1"]?.answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: ours) == "a1" }
        await fixture.advance(by: .seconds(1))
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        #expect(await fixture.engine.summary().stoppedFor?.contains("tastytokend keygen") == true)
        #expect(await fixture.engine.explanation(of: theirs)?.reason.contains("client secret") == true)
        fixture.store.replaceClients(with: [client()])
        await fixture.advance(by: .seconds(60))
        #expect(await self.calls(1, fixture)["r2"]?.client.clientSecret == Secret("s2"))
        #expect(await fixture.engine.summary().stoppedFor == nil)
    }

    /// Another daemon found out; the first call for it here is written down before it is made.
    @Test func h3AClientThatComesLaterIsKnownToRotateFromItsFirstCallOn() async throws {
        let fixture = await fixture([])
        await calls(1, fixture)["r1"]?.answer(fixture.answer("a1"))
        await fixture.settled { fixture.engine.isReady && fixture.token(of: ours) == "a1" }
        #expect(fixture.store.claimsThatSend == [false])
        try await fixture.store.noteRotation(of: "second")
        fixture.store.replaceClients(with: [client()])
        await fixture.advance(by: .seconds(60))
        #expect(await calls(1, fixture)["r2"] != nil)
        #expect(fixture.store.claimsThatSend == [false, true])
        #expect(fixture.journal.open[theirs]?.content == .intent(lastRefreshedAt: nil))
        #expect(fixture.journal.open[ours] == nil)
    }

    @Test func aRowOfAClientThatWasNotHeardOfWaitsForIt() async {
        let fixture = await fixture([])
        let calls = await calls(1, fixture)
        #expect(calls["r1"] != nil)
        calls["r1"]?.answer(fixture.answer("a1"))
        await fixture.settled { fixture.engine.isReady }
        #expect(fixture.engine.entry(for: theirs) == nil, "nothing is made of a row whose client is not known")
        fixture.store.replaceClients(with: [client()])
        await fixture.advance(by: .seconds(60))
        #expect(await self.calls(1, fixture)["r2"]?.client.name == "second")
    }

    @Test func anAccountThatIsConnectedAnewGoesOnWithItsNewClient() async {
        let fixture = await fixture([client()])
        for call in await calls(2, fixture).values { call.answer(fixture.answer("a\(call.refreshToken.reveal())")) }
        await fixture.settled { fixture.token(of: ours) == "ar1" }
        fixture.store[ours] = .init(refreshToken: "r3", client: "second")
        fixture.store.tell(.users([ours]))
        let call = await calls(1, fixture)["r3"]
        #expect(call?.client.name == "second")
        #expect(await fixture.engine.report(on: ours)?.client == "second")
    }

    /// The row says so when it is read under the claim, and not before.
    @Test func aGrantThatTurnsOutToBeAnotherClientsIsNotSentWithThisOnesSecret() async {
        let fixture = await fixture([client()])
        for call in await calls(2, fixture).values { call.answer(fixture.answer("a\(call.refreshToken.reveal())")) }
        await fixture.settled { fixture.token(of: ours) == "ar1" }
        fixture.store[ours]?.client = "second"
        await fixture.advance(by: .seconds(540))
        let calls = await calls(2, fixture)
        #expect(calls["r1"]?.client.name == "second" && calls["r2"]?.client.name == "second")
    }
}
