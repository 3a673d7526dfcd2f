// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import TestSupport
import Testing
import TokenCore

/// People who are sent to TastyTrade and come back with a code (hard case H32).
@Suite(.timeLimit(.minutes(1))) struct CodeFlowTests {
    private let fixture = FlowFixture()
    private let old = TableDouble.Row(refreshToken: "old", accessToken: "a0")
    private let new = TableDouble.Row(refreshToken: "new", accessToken: "a1")

    @Test func theAddressAsksForACodeWithAllThatTheClientIs() async throws {
        let start = try await fixture.begin()
        #expect(
            start.url.reveal() == "https://cert-my.staging-tasty.works/auth.html?response_type=code"
                + "&client_id=0b6e1d6c-3f6d-4d6e-9a57-0d1c7c0f5a11"
                + "&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Ftastytrade%2Foauth%2Fcallback&scope=read%20trade&state="
                + start.state.reveal()
        )
        #expect(start.expiresAt == fixture.base.clock.now.wall + .seconds(600))
        #expect(start.state.reveal().utf8.count == 43)
        #expect("\(start)".contains(start.state.reveal()) == false)
    }

    @Test func aClientOfTheOtherEnvironmentSendsToItsOwnPage() async throws {
        fixture.base.table.add(ConnectorFixture.client())
        let start = try await fixture.begin(client: "second")
        #expect(
            start.url.reveal().hasPrefix("https://my.tastytrade.com/auth.html?response_type=code&client_id=6e1d6c0b")
        )
        #expect(fixture.table.begun.map(\.client) == ["second"])
        async let answer = fixture.finish(start.state)
        let call = await fixture.give("new")
        #expect(call.client.environment == .production && call.client.apiURL == "https://api.tastyworks.com")
        #expect(call.redirectURI == "https://app.example/tastytrade/oauth/callback")
        _ = await fixture.prove("a1")
        #expect(await answer.failure == nil)
        #expect(fixture.row?.client == "second")
    }

    @Test func h32TheOldGrantStaysUntilTheNewOneProvedItself() async throws {
        let start = try await fixture.begin()
        async let answer = fixture.finish(start.state)
        let call = await fixture.give("new")
        #expect(call.code == Secret("code") && call.client == ConnectorFixture.registration)
        let proof = await fixture.base.endpoint.nextCall()
        #expect(proof.refreshToken == Secret("new"))
        #expect(fixture.row == old)
        proof.answer(fixture.base.answer("a1"))
        #expect(await answer.failure == nil)
        #expect(fixture.row == new)
        #expect(await fixture.base.told.next() == "row 42 proven")
        #expect(fixture.table.begun.isEmpty)
    }

    @Test func h32ItIsFinishedByAnyDaemonAndOnce() async throws {
        let start = try await fixture.begin()
        let other = fixture.anotherDaemon()
        async let answer = fixture.finish(start.state, at: other)
        _ = await fixture.give("new")
        _ = await fixture.prove("a1")
        #expect(await answer.failure == nil)
        for flow in [fixture.flow, other] {
            let again = await fixture.finish(start.state, at: flow).failure
            #expect(again?.kind == .invalidState && again?.text.contains("works once") == true)
        }
        #expect(fixture.exchange.calls.count == 0 && fixture.row == new)
    }

    @Test func h32AfterTenMinutesItIsTooLate() async throws {
        let start = try await fixture.begin()
        fixture.table.expire()
        let failure = await fixture.finish(start.state).failure
        #expect(failure?.kind == .invalidState && failure?.text.contains("ten minutes") == true)
        #expect(fixture.exchange.calls.count == 0 && fixture.row == old)
    }

    @Test func h32AStateThatNobodyBeganIsNone() async {
        #expect(await fixture.finish(Secret("state")).failure?.kind == .invalidState)
        #expect(await fixture.finish(Secret("")).failure?.kind == .invalidState)
        #expect(fixture.exchange.calls.count == 0)
    }

    @Test(arguments: [
        ("access_denied", "not allowed"), ("invalid_scope", "scope"), ("unauthorized_client", "client"),
        ("server_error", "fault"), ("temporarily_unavailable", "not available"), ("<script>", "not known"),
    ])
    func h32WhoSaysNoKeepsHisGrantAndHearsWhatToDo(_ error: String, _ words: String) async throws {
        let start = try await fixture.begin()
        let failure = await fixture.finish(start.state, .error(error)).failure
        #expect(failure?.kind == .grantRefused)
        #expect(failure?.text.lowercased().contains(words) == true)
        #expect(failure?.explanation?.whatToDo.isEmpty == false)
        #expect(failure?.text.contains("<script>") == false || error == "<script>")
        #expect(fixture.row == old && fixture.table.begun.isEmpty && fixture.exchange.calls.count == 0)
        #expect(await fixture.finish(start.state).failure?.kind == .invalidState)
    }

    @Test func h32ACodeThatIsNotTakenChangesNothing() async throws {
        let start = try await fixture.begin()
        async let answer = fixture.finish(start.state)
        await fixture.exchange.calls.next().fail(RefreshFailure(.grantRefused, text: "Invalid code"))
        let failure = await answer.failure
        #expect(failure?.kind == .grantRefused)
        #expect(fixture.row == old && fixture.base.told.count == 0)
        #expect(await fixture.finish(start.state).failure?.kind == .invalidState)
    }

    @Test(arguments: [RefreshFailure.Kind.timeout, .connectionLost, .gateway, .serverFault, .throttled, .malformed])
    func h32AnExchangeThatMayHaveSpentTheCodeIsNotTriedAgain(_ kind: RefreshFailure.Kind) async throws {
        let start = try await fixture.begin()
        async let answer = fixture.finish(start.state)
        await fixture.exchange.calls.next().fail(RefreshFailure(kind, text: "no refresh token returned"))
        let failure = await answer.failure
        #expect(failure?.kind == .unavailable && failure?.retryAfter == nil)
        #expect(failure?.text.contains("Begin again") == true)
        #expect(await fixture.finish(start.state).failure?.kind == .invalidState)
        #expect(fixture.exchange.calls.count == 0 && fixture.row == old)
    }

    @Test(arguments: [RefreshFailure.Kind.connect, .nameResolution, .tls])
    func aCodeThatWasNeverSentIsSentAtTheNextTry(_ kind: RefreshFailure.Kind) async throws {
        let start = try await fixture.begin()
        async let answer = fixture.finish(start.state)
        await fixture.exchange.calls.next().fail(RefreshFailure(kind, text: "away"))
        let failure = await answer.failure
        #expect(failure?.kind == .unavailable && failure?.retryAfter != nil)
        fixture.base.clock.advance(by: .seconds(5))
        async let again = fixture.finish(start.state)
        _ = await fixture.give("new")
        _ = await fixture.prove("a1")
        #expect(await again.failure == nil)
        #expect(fixture.row == new)
    }

    @Test func aGrantThatNobodyCouldProveIsProvedAtTheNextTry() async throws {
        let start = try await fixture.begin()
        async let answer = fixture.finish(start.state)
        _ = await fixture.give("new")
        await fixture.base.endpoint.nextCall().fail(RefreshFailure(.serverFault, text: "busy"))
        #expect(await answer.failure?.kind == .unavailable)
        #expect(fixture.row == old)
        fixture.base.clock.advance(by: .seconds(5))
        async let again = fixture.finish(start.state)
        #expect(await fixture.prove("a1") == Secret("new"))
        #expect(await again.failure == nil)
        #expect(fixture.row == new && fixture.exchange.calls.count == 0)
        #expect(await fixture.finish(start.state).failure?.kind == .invalidState)
    }

    @Test func aGrantThatCouldNotBeStoredIsStoredAtTheNextTry() async throws {
        let start = try await fixture.begin()
        async let answer = fixture.finish(start.state)
        _ = await fixture.give("new")
        let proof = await fixture.base.endpoint.nextCall()
        fixture.base.table.fail(with: StoreFailure(.unavailable, text: "gone"))
        proof.answer(fixture.base.answer("a1"))
        #expect(await answer.failure?.kind == .unavailable)
        fixture.base.table.fail(with: nil)
        fixture.base.clock.advance(by: .seconds(5))
        #expect(await fixture.finish(start.state).failure == nil)
        #expect(fixture.row == new && fixture.base.endpoint.unseen == 0)
    }

    @Test func aGrantThatIsRefusedAtItsProofIsNotStored() async throws {
        let start = try await fixture.begin()
        async let answer = fixture.finish(start.state)
        _ = await fixture.give("new")
        await fixture.base.endpoint.nextCall().fail(RefreshFailure(.grantRefused, text: "Invalid JWT"))
        #expect(await answer.failure?.kind == .grantRefused)
        #expect(fixture.row == old)
        fixture.base.clock.advance(by: .seconds(5))
        #expect(await fixture.finish(start.state).failure?.kind == .invalidState)
    }

    @Test func aRefreshTokenInAnAnswerThatIsNoGoodOtherwiseIsProved() async throws {
        let start = try await fixture.begin()
        async let answer = fixture.finish(start.state)
        await fixture.exchange.calls.next()
            .fail(RefreshFailure(.malformed, text: "no access token", newRefreshToken: Secret("new")))
        _ = await fixture.prove("a1")
        #expect(await answer.failure == nil)
        #expect(fixture.row == new)
    }

    @Test func whileAnotherGrantIsBeingProvedTheCodeWaits() async throws {
        let start = try await fixture.begin()
        async let pasted = fixture.base.attempt("pasted")
        let proof = await fixture.base.endpoint.nextCall()
        #expect(await fixture.finish(start.state).failure?.kind == .tooSoon)
        #expect(fixture.table.begun.count == 1 && fixture.exchange.calls.count == 0)
        proof.fail(RefreshFailure(.grantRefused, text: "Invalid JWT"))
        _ = await pasted
        fixture.base.clock.advance(by: .seconds(5))
        async let answer = fixture.finish(start.state)
        _ = await fixture.give("new")
        _ = await fixture.prove("a1")
        #expect(await answer.failure == nil)
    }

    @Test func whoeverGoesAwayIsConnectedAllTheSame() async throws {
        let (fixture, start) = (self.fixture, try await self.fixture.begin())
        let caller = Task { await fixture.finish(start.state) }
        let call = await fixture.exchange.calls.next()
        caller.cancel()
        call.answer("new", at: fixture.base.clock.now)
        _ = await fixture.prove("a1")
        #expect(await fixture.base.told.next() == "row 42 proven")
        #expect(fixture.row == new)
    }

    @Test func withoutARowAClientOrAnIDNobodyIsSentAway() async {
        let kinds = [
            await fixture.failure {
                _ = try await fixture.flow.beginAuthorization(of: UserID("7"), with: nil, from: .socket)
            },
            await fixture.failure { _ = try await fixture.begin(client: "second") },
        ].map { $0?.kind }
        #expect(kinds == [.unknownUser, .unknownClient])
        fixture.table.refuse(with: .noSchema)
        #expect(await fixture.failure { _ = try await fixture.begin() }?.text.contains("migrate") == true)
        fixture.table.refuse(with: nil)
        fixture.table.fail(with: StoreFailure(.unavailable, text: "gone"))
        #expect(await fixture.failure { _ = try await fixture.begin() }?.kind == .unavailable)
        #expect(fixture.table.begun.isEmpty)
    }

    @Test func withoutAClientIDNobodyIsSentAwayAndItIsSaidWhereItGoes() async {
        for id in [nil, ""] {
            let fixture = FlowFixture(ConnectorFixture(clientID: id))
            let failure = await fixture.failure { _ = try await fixture.begin() }
            #expect(failure?.kind == .invalid && failure?.text.contains("Set tastytrade.clientId") == true)
            #expect(fixture.table.begun.isEmpty)
            // One of the database is none the worse for it.
            fixture.base.table.add(ConnectorFixture.client())
            #expect(await fixture.failure { _ = try await fixture.begin(client: "second") } == nil)
        }
    }

    @Test func h31NoSecretIsLoggedOrQuoted() async throws {
        let start = try await fixture.begin()
        async let answer = fixture.finish(start.state, .code(Secret("code-canary")))
        await fixture.exchange.calls.next().fail(RefreshFailure(.grantRefused, text: "no"))
        let failure = await answer.failure
        let denied = try await fixture.begin()
        _ = await fixture.finish(denied.state, .error("access_denied"))
        let text = fixture.base.logged + (failure?.text ?? "")
        for secret in ["code-canary", start.state.reveal(), denied.state.reveal()] {
            #expect(!text.contains(secret))
        }
        #expect(text.contains("authorization.begun") && text.contains("authorization.failed"))
        // The client is told by its name alone.
        let id = try #require(ConnectorFixture.registration.clientID)
        #expect(text.contains(LogKey.client) && text.contains("default") && !text.contains(id))
    }
}
