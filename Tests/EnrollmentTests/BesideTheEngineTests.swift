// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import TestSupport
import Testing
import TokenCore

/// What connecting has to do with the engine's own calls, with its end, and with a database that is not heard of.
@Suite(.timeLimit(.minutes(1))) struct BesideTheEngineTests {
    private let flow = FlowFixture()
    private var fixture: ConnectorFixture { flow.base }
    private let old = TableDouble.Row(refreshToken: "old", accessToken: "a0")
    private let lost = StoreFailure(.unavailable, text: "the connection was lost")

    @Test func whatStopsTheClientsCallsStopsAProof() async {
        fixture.engine.obstacle = CallObstacle(reason: "it asked to be left alone for a while", wait: .seconds(40))
        let failure = await fixture.attempt("new").failure
        #expect(failure?.kind == .unavailable && failure?.retryAfter == .seconds(40))
        #expect(failure?.text.contains("it asked to be left alone for a while. Nothing was changed.") == true)
        #expect(fixture.endpoint.unseen == 0 && fixture.table.row(flow.user) == old)
        fixture.engine.obstacle = nil
        #expect(await fixture.connect("new", .success(fixture.answer("a1"))).failure == nil)
    }

    @Test func whatStopsTheClientsCallsSpendsNoCode() async throws {
        let start = try await flow.begin()
        fixture.engine.obstacle = CallObstacle(reason: "it is away", wait: .seconds(5))
        #expect(await flow.finish(start.state).failure?.kind == .unavailable)
        #expect(flow.table.begun.count == 1, "it is as it was")
        fixture.engine.obstacle = nil
        async let answer = flow.finish(start.state)
        _ = await flow.give("new")
        _ = await flow.prove("a1")
        #expect(await answer.failure == nil)
    }

    /// Leave is asked for only where a call follows: the engine counts it as a probe.
    @Test func whatWasKeptIsStoredWithoutLeaveAndACallTakesOneEach() async throws {
        let start = try await flow.begin()
        fixture.table.end(with: .locked)
        async let first = flow.finish(start.state)
        _ = await flow.give("new")
        _ = await flow.prove("a1")
        #expect(await first.failure?.kind == .unavailable)
        #expect(fixture.engine.leaves == 2, "an exchange, and a proof")
        fixture.table.end(with: .done)
        fixture.engine.obstacle = CallObstacle(reason: "it is away", wait: .seconds(5))
        fixture.clock.advance(by: ProofLedger.spacing)
        #expect(await flow.finish(start.state).failure == nil, "nobody has to be asked for that")
        #expect(fixture.engine.leaves == 2 && fixture.table.row(flow.user)?.accessToken == "a1")
    }

    @Test func theEngineLearnsHowEachCallEnded() async throws {
        let start = try await flow.begin()
        async let answer = flow.finish(start.state)
        _ = await flow.give("new")
        (await fixture.endpoint.nextCall()).fail(RefreshFailure(.throttled, text: "slow down"))
        #expect(await answer.failure?.kind == .unavailable)
        #expect(fixture.engine.calls == ["42 default granted", "42 default \(RefreshFailure.Kind.throttled.rawValue)"])
    }

    @Test func tooManyRefusalsEndItForAWhile() async {
        let refusal = RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "no")
        for number in 1...ProofLedger.mostRefused {
            let user = UserID("user-\(number)")
            fixture.table.set(user, TableDouble.Row())
            async let failure = flow.failure {
                _ = try await fixture.connector.connect(user, with: Secret("wrong"), of: nil)
            }
            (await fixture.endpoint.nextCall()).fail(refusal)
            #expect(await failure?.kind == .grantRefused)
        }
        #expect(await fixture.attempt("new").failure?.retryAfter == .seconds(60))
        fixture.clock.advance(by: .seconds(60))
        #expect(await fixture.connect("new", .success(fixture.answer("a1"))).failure == nil)
    }

    @Test(arguments: [
        (RefreshVerdict.tooSoon(.seconds(3), .justRefreshed), nil), (.stale(nil), nil),
        (.unavailable(.unknownOutcome, retryAfter: nil), EnrollmentFailure.Kind.grantRefused),
        (.unavailable(.tokenUnavailable, retryAfter: .seconds(7)), .unavailable), (.unknownUser, .unknownUser),
    ])
    func theGrantThatTheAccountHasIsRefreshedAndNothingIsPassedOver(
        _ verdict: RefreshVerdict,
        _ kind: EnrollmentFailure.Kind?
    ) async {
        fixture.engine.verdict = verdict
        let result = await fixture.attempt("old")
        #expect(result.failure?.kind == kind)
        #expect((result.notes?.last?.contains("this very grant already") ?? true) == true)
        #expect(fixture.endpoint.unseen == 0 && fixture.table.row(flow.user) == old)
    }

    @Test func theGrantThatTheAccountHasMayProveItselfOnceItWasRefused() async {
        fixture.engine.verdict = .unavailable(.reauthorizationRequired, retryAfter: nil)
        #expect(await fixture.connect("old", .success(fixture.answer("a1"))).failure == nil)
        #expect(fixture.table.row(flow.user)?.accessToken == "a1")
    }

    @Test func anEndWaitsForWhatIsUnderWayAndBeginsNothingNew() async {
        let (connector, endpoint) = (fixture.connector, fixture.endpoint)
        async let attempt = fixture.attempt("new")
        let call = await endpoint.nextCall()
        await connector.end()
        fixture.table.set(UserID("43"), TableDouble.Row())
        let refused = await flow.failure {
            _ = try await connector.connect(UserID("43"), with: Secret("other"), of: nil)
        }
        #expect(refused?.kind == .unavailable && refused?.text.contains("is being stopped") == true)
        async let end: Void = connector.untilIdle()
        call.answer(fixture.answer("a1"))
        await end
        #expect(fixture.table.row(flow.user)?.refreshToken == "new", "it is in its row when the end comes")
        #expect(await attempt.failure == nil)
        await connector.untilIdle()
    }

    @Test func anEndThatTakesTooLongIsLetGo() async {
        let (connector, endpoint) = (fixture.connector, fixture.endpoint)
        async let attempt = fixture.attempt("new")
        let call = await endpoint.nextCall()
        await connector.end()
        let ended = Mailbox<String>()
        let end = Task {
            await connector.untilIdle()
            ended.send("it waits no longer")
        }
        // Whenever it comes to wait.
        while ended.count == 0 {
            await connector.letGo()
            await Task.yield()
        }
        await end.value
        call.fail(RefreshFailure(.connectionLost, text: "closed"))
        #expect(await attempt.failure != nil, "the call was under way all the while")
    }

    @Test func theEngineReadsARowOfWhichNobodyKnowsWhetherItWasWritten() async {
        fixture.table.fail(afterwards: lost)
        let failure = await fixture.connect("new", .success(fixture.answer("a1"))).failure
        #expect(failure?.text.hasPrefix("TastyTrade took the grant, which may or may not have been stored: ") == true)
        #expect(await fixture.told.next() == "row 42 proven")
        let gone = await flow.failure { try await fixture.connector.disconnect(flow.user) }
        #expect(gone?.text.hasPrefix("The account of user 42 may or may not have been disconnected: ") == true)
        #expect(await fixture.told.next() == "row 42 open")
    }

    @Test func whoeverIsDisconnectedIsNotConnectedByWhatWasKept() async throws {
        fixture.table.end(with: .locked)
        #expect(await fixture.connect("new", .success(fixture.answer("a1"))).failure?.kind == .unavailable)
        fixture.table.end(with: .done)
        try await fixture.connector.disconnect(flow.user)
        fixture.clock.advance(by: .seconds(5))
        #expect(
            await fixture.connect("new", .success(fixture.answer("a2"))).failure == nil,
            "it has to prove itself again"
        )
        #expect(fixture.table.row(flow.user)?.accessToken == "a2")
    }
}
