// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import TestSupport
import Testing
import TokenCore

/// Grants that were made by hand (hard case H32): proved first, put into the row after that, the old one untouched until then.
@Suite(.timeLimit(.minutes(1))) struct ConnectTests {
    private let fixture = ConnectorFixture()
    private var user: UserID { ConnectorFixture.user }
    private let old = TableDouble.Row(refreshToken: "old", accessToken: "a0")

    @Test func h32TheOldGrantStaysUntilTheNewOneGaveAToken() async {
        let (table, endpoint) = (fixture.table, fixture.endpoint)
        async let attempt = fixture.attempt("new")
        let call = await endpoint.nextCall()
        #expect(call.refreshToken == Secret("new") && call.client == ConnectorFixture.registration)
        #expect(table.row(user) == old)
        call.answer(fixture.answer("a1"))
        #expect(await attempt.failure == nil)
        #expect(table.row(user) == TableDouble.Row(refreshToken: "new", accessToken: "a1"))
        #expect(await fixture.told.next() == "row 42 proven")
    }

    @Test func aNewRefreshTokenInTheAnswerIsTheOneThatIsStored() async {
        #expect(await fixture.connect("new", .success(fixture.answer("a1", rotated: "newer"))).failure == nil)
        #expect(fixture.table.row(user)?.refreshToken == "newer")
        #expect(await fixture.told.next() == "row 42 open")
    }

    @Test(arguments: [
        (RefreshFailure.Kind.grantRefused, EnrollmentFailure.Kind.grantRefused), (.clientRefused, .unavailable),
        (.requestRejected, .unavailable), (.throttled, .unavailable), (.serverFault, .unavailable),
        (.gateway, .unavailable), (.timeout, .unavailable), (.connect, .unavailable), (.malformed, .unavailable),
    ])
    func whatTheEndpointDidNotTakeChangesNothing(_ kind: RefreshFailure.Kind, _ expected: EnrollmentFailure.Kind) async
    {
        let failure = await fixture.connect("new", .failure(RefreshFailure(kind, text: "it said no"))).failure
        #expect(failure?.kind == expected)
        #expect(failure?.text.contains("it said no") == true)
        #expect((failure?.retryAfter == nil) == [.grantRefused, .clientRefused].contains(kind))
        #expect(failure?.text.contains("tried again until it works") == false, "nobody tries it by himself")
        #expect(fixture.table.row(user) == old && fixture.told.count == 0)
    }

    @Test func aRefusalSaysWhatIsStrikingAboutWhatWasEntered() async {
        let refusal = RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "no")
        let failure = await fixture.connect("garbage", .failure(refusal)).failure
        #expect(
            failure?.kind == .grantRefused && failure?.text.contains("This is no JWT") == true,
            "\(failure?.text ?? "")"
        )
        #expect(failure?.text.contains("garbage") == false)
    }

    @Test func anAnswerThatWasLostIsSaidToBeSo() async {
        let failure = await fixture.connect("new", .failure(RefreshFailure(.timeout, text: "no reply"))).failure
        #expect(failure?.text.contains("may have used the grant") == true)
    }

    @Test(arguments: ["", "  ", "two words", "a\u{7}b", "caf\u{E9}"])
    func whatIsSurelyNoRefreshTokenIsNotSent(_ pasted: String) async {
        let failure = await fixture.attempt(pasted).failure
        #expect(failure?.kind == .grantRefused)
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func whatWasCopiedAlongIsTakenOffAndSaid() async {
        let notes = await fixture.connect(" \"new\"\n", .success(fixture.answer("a1"))).notes
        #expect(fixture.table.row(user)?.refreshToken == "new")
        #expect((notes?.count ?? 0) >= 2)
    }

    @Test func h32TheGrantThatIsConnectedAlreadyCostsNoCallOfItsOwn() async {
        let notes = await fixture.attempt("old").notes
        #expect(notes?.last?.contains("already") == true)
        #expect(await fixture.told.next() == "refresh 42")
        #expect(fixture.endpoint.unseen == 0 && fixture.table.row(user) == old)
    }

    @Test func h32PastedTwiceItIsCalledForOnce() async {
        let endpoint = fixture.endpoint
        async let first = fixture.attempt("new")
        let call = await endpoint.nextCall()
        #expect(await fixture.attempt("new").failure?.kind == .tooSoon)
        call.answer(fixture.answer("a1"))
        #expect(await first.failure == nil)
        #expect(await fixture.attempt("new").notes?.last?.contains("already") == true)
        #expect(endpoint.unseen == 0)
    }

    @Test func afterARefusalTheNextOneWaitsForSomeSeconds() async {
        _ = await fixture.connect("bad", .failure(RefreshFailure(.grantRefused, text: "Invalid JWT")))
        fixture.clock.advance(by: .seconds(2))
        let failure = await fixture.attempt("new").failure
        #expect(failure?.kind == .tooSoon && failure?.retryAfter == .seconds(3))
        fixture.clock.advance(by: .seconds(3))
        #expect(await fixture.connect("new", .success(fixture.answer("a1"))).failure == nil)
    }

    @Test func aUserWithoutARowIsNotConnected() async {
        fixture.table.set(user, nil)
        #expect(await fixture.attempt("new").failure?.kind == .unknownUser)
    }

    @Test func theDatabaseBeingAwayIsNoRefusal() async {
        fixture.table.fail(with: StoreFailure(.unavailable, text: "gone"))
        let failure = await fixture.attempt("new").failure
        #expect(failure?.kind == .unavailable && failure?.text.contains("gone") == true)
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func whatCouldNotBeStoredIsStoredAtTheNextTryWithoutAnotherCall() async {
        let (table, endpoint) = (fixture.table, fixture.endpoint)
        async let attempt = fixture.attempt("new")
        let call = await endpoint.nextCall()
        table.fail(with: StoreFailure(.unavailable, text: "gone"))
        call.answer(fixture.answer("a1", rotated: "newer"))
        #expect(await attempt.failure?.kind == .unavailable)
        table.fail(with: nil)
        fixture.clock.advance(by: .seconds(5))
        #expect(await fixture.attempt("new").failure == nil)
        #expect(table.row(user) == TableDouble.Row(refreshToken: "newer", accessToken: "a1"))
        #expect(endpoint.unseen == 0)
    }

    @Test(arguments: [ConnectOutcome.locked, .rejected(reason: "a trigger said no."), .unknownUser, .unknownClient])
    func aRowThatTakesNoWriteKeepsItsGrant(_ outcome: ConnectOutcome) async {
        fixture.table.end(with: outcome)
        #expect(await fixture.connect("new", .success(fixture.answer("a1"))).failure != nil)
        #expect(fixture.table.row(user) == old && fixture.told.count == 0)
    }

    @Test(arguments: [("U1", false), ("U2", true)])
    func h32AnotherPersonsLoginIsSaid(_ login: String, _ isSaid: Bool) async {
        fixture.table.set(user, TableDouble.Row(refreshToken: InventedGrant.token(of: "U1", "G1"), accessToken: "a0"))
        let notes = await fixture.connect(InventedGrant.token(of: login, "G2"), .success(fixture.answer("a1"))).notes
        #expect(notes?.contains { $0.contains("another TastyTrade login") } == isSaid)
        #expect(notes?.contains { $0.contains("U1") || $0.contains("U2") } == false)
    }

    @Test func theClientIsTheOneThatIsNamedElseTheRowsElseTheConfigurations() async {
        fixture.table.add(ConnectorFixture.client())
        _ = await fixture.connect("n1", of: "second", .success(fixture.answer("a1")))
        #expect(fixture.table.row(user)?.client == "second")
        fixture.clock.advance(by: .seconds(5))
        let endpoint = fixture.endpoint
        async let again = fixture.attempt("n2")
        let call = await endpoint.nextCall()
        #expect(call.client.name == "second" && call.client.environment == .production)
        #expect(call.client.apiURL == "https://api.tastyworks.com")
        call.answer(fixture.answer("a2"))
        #expect(await again.failure == nil)
        fixture.clock.advance(by: .seconds(5))
        _ = await fixture.connect("n3", of: "default", .success(fixture.answer("a3")))
        #expect(fixture.table.row(user) == TableDouble.Row(refreshToken: "n3", accessToken: "a3"))
    }

    @Test func aClientThatIsNotThereOrHasNoSecretIsNotCalledFor() async {
        #expect(await fixture.attempt("new", of: "second").failure?.kind == .unknownClient)
        fixture.table.add(ConnectorFixture.client(secret: .failure(.noSealingKey)))
        #expect(await fixture.attempt("new", of: "second").failure?.kind == .noSealingKey)
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func disconnectingEmptiesTheRowAndTellsTheEngine() async throws {
        try await fixture.connector.disconnect(user)
        #expect(fixture.table.row(user) == TableDouble.Row())
        #expect(await fixture.told.next() == "row 42 open")
        await #expect(throws: EnrollmentFailure.self) { try await fixture.connector.disconnect(UserID("nobody")) }
    }

    @Test func h31NothingThatWasEnteredIsLoggedOrQuoted() async {
        let pasted = "eyJsecret-canary.body-canary.sign-canary"
        let failed = await fixture.connect(pasted, .failure(RefreshFailure(.grantRefused, text: "Invalid JWT"))).failure
        fixture.clock.advance(by: .seconds(5))
        let notes = await fixture.connect(pasted, .success(fixture.answer("access-canary", rotated: "rotated-canary")))
            .notes
        let told = "\(failed?.text ?? "") \(notes ?? []) \(fixture.logged)"
        #expect(!told.contains("canary") && fixture.logged.contains("grant.connected"))
    }
}
