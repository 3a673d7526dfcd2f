// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import RefreshEngine

@Suite(.timeLimit(.minutes(1))) struct RefreshEngineTests {
    private let one = UserID("1")
    private let two = UserID("2")
    private let away = StoreFailure(.unavailable, text: "database away")

    private func live(_ fixture: Moment = .newYear, for duration: Duration = .seconds(900)) -> WallTime {
        fixture.wall + duration
    }

    @Test func aDueAccountIsRefreshedStoredAndPublished() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        #expect(call.refreshToken == Secret("r1"))
        call.answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(fixture.store[one]?.accessToken == "a1")
        #expect(fixture.store[one]?.expiresAt == live())
        #expect(await fixture.engine.report(on: one)?.status == .active)
    }

    @Test func theDatabaseHasTheTokenBeforeAnyoneElseWhereTheJournalCannotHaveIt() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        await fixture.start()
        fixture.journal.fail(with: JournalFailure("reply-journal: No space left on device"))
        fixture.store.failWrites(with: away)
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1", rotated: "r2"))
        _ = await fixture.store.writes.next()
        await fixture.settled { (await fixture.engine.report(on: one))?.consecutiveFailures == 1 }
        #expect(fixture.token(of: one) == nil)
        fixture.store.failWrites(with: nil)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.token(of: one) == "a1"
        }
        #expect(fixture.store[one]?.refreshToken == "r2")
    }

    @Test func liveTokensInTheTableCostNoRefreshAtStart() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())])
        await fixture.start()
        #expect(fixture.token(of: one) == "a0")
        #expect(fixture.store.count("claim") == 0)
        #expect(fixture.alarm.deadline == Moment.newYear.wall + .seconds(60), "the reconcile pass comes first")
        await fixture.advance(by: .seconds(540))
        let call = await fixture.endpoint.nextCall()
        #expect(call.refreshToken == Secret("r1"))
    }

    @Test func callersWhoWantTheSameTokenShareOneRefresh() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())])
        await fixture.start()
        // The floor since the last refresh, as far as the row tells when that was.
        await fixture.advance(by: .seconds(10))
        for _ in 0..<100 { fixture.engine.requestRefresh(of: one) }
        // The endpoint itself traps on a second call for a grant in flight.
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func waitersAreWokenByTheNextToken() async throws {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        let woken = Mailbox<Bool>()
        await fixture.settled { fixture.engine.entry(for: one)?.prospect == .underWay }
        let version = try #require(fixture.engine.entry(for: one)?.version)
        let waiter = fixture.engine.onChange(of: one, after: version) { woken.send(true) }
        #expect(waiter != nil)
        call.answer(fixture.answer("a1"))
        #expect(await woken.next())
    }

    @Test func neverMoreCallsInFlightThanAllowed() async {
        let rows = Dictionary(
            uniqueKeysWithValues: (1...20).map { (UserID("\($0)"), RecordingStore.Row(refreshToken: "r\($0)")) }
        )
        let fixture = EngineFixture(rows, EngineConfiguration(maxInFlight: 3, maxPerSecond: 1000))
        await fixture.start()
        for _ in 0..<40 { await fixture.advance(by: .milliseconds(10)) }
        var open: [ScriptedEndpoint.Call] = []
        for _ in 0..<3 { open.append(await fixture.endpoint.nextCall()) }
        for _ in 0..<10 { await fixture.advance(by: .milliseconds(10)) }
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        for call in open { call.answer(fixture.answer("a-\(call.refreshToken.fingerprint)")) }
        await fixture.settled {
            await fixture.advance(by: .milliseconds(10))
            return fixture.endpoint.unseen == 3
        }
    }

    @Test func callsAreSpreadByTheRate() async {
        let rows = Dictionary(
            uniqueKeysWithValues: (1...10).map { (UserID("\($0)"), RecordingStore.Row(refreshToken: "r\($0)")) }
        )
        let fixture = EngineFixture(rows, EngineConfiguration(maxInFlight: 64, maxPerSecond: 2))
        await fixture.start()
        _ = await fixture.endpoint.nextCall()
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        await fixture.advance(by: .milliseconds(499))
        await fixture.turn()
        #expect(fixture.store.count("claim") == 1)
        await fixture.advance(by: .milliseconds(1))
        _ = await fixture.endpoint.nextCall()
        #expect(fixture.store.count("claim") == 2)
    }

    @Test func theSoonestToDieGoesFirst() async {
        let soon = UserID("soon")
        let fixture = EngineFixture(
            [
                UserID("late"): .init(refreshToken: "late", accessToken: "a", expiresAt: live(for: .seconds(300))),
                soon: .init(refreshToken: "soon", accessToken: "b", expiresAt: live(for: .seconds(5))),
                UserID("mid"): .init(refreshToken: "mid", accessToken: "c", expiresAt: live(for: .seconds(100))),
            ],
            EngineConfiguration(maxInFlight: 1, maxPerSecond: 1000)
        )
        await fixture.start()
        var order: [String] = []
        for _ in 0..<3 {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(5)) }
            order.append(call.refreshToken.reveal())
            call.fail(RefreshFailure(.throttled, text: "later", retryAfter: .seconds(3600)))
        }
        #expect(order == ["soon", "mid", "late"])
    }

    @Test func anUnreachableDatabaseIsTriedAgainAndNotReady() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        fixture.store.fail(with: away)
        await fixture.engine.start(fixture.alarm)
        await fixture.settled { fixture.store.count("clients") == 1 && fixture.alarm.deadline != nil }
        #expect(!fixture.engine.isReady)
        fixture.store.fail(with: nil)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.engine.isReady
        }
    }

    @Test func aMisconfiguredDatabaseEndsTheEngine() async {
        let fixture = EngineFixture([:])
        let wrong = StoreFailure(.misconfigured, text: "table users does not exist")
        fixture.store.fail(with: wrong)
        await fixture.engine.start(fixture.alarm)
        await #expect(throws: wrong) { try await fixture.engine.ended() }
    }

    @Test func aDatabaseAwayLaterCostsNoTokens() async {
        let fixture = EngineFixture(
            [one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live())],
            EngineConfiguration(refreshesWithoutDatabase: false)
        )
        await fixture.start()
        fixture.store.fail(with: away)
        await fixture.advance(by: .seconds(540))
        await fixture.settled { (await fixture.engine.report(on: one))?.status == .degraded }
        #expect(fixture.token(of: one) == "a0")
        fixture.store.fail(with: nil)
        await fixture.settled {
            await fixture.advance(by: .seconds(1))
            return fixture.endpoint.unseen == 1
        }
    }
}

// MARK: - Rows that come, change and go

extension RefreshEngineTests {
    @Test func rowsAddedChangedAndDeletedAreFoundByTheReconcilePass() async {
        let fixture = EngineFixture([
            one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live()),
            two: .init(refreshToken: "r2", accessToken: "b0", expiresAt: live()),
        ])
        await fixture.start()
        let three = UserID("3")
        fixture.store[three] = .init(refreshToken: "r3", accessToken: "c0", expiresAt: live())
        fixture.store[two] = nil
        fixture.store[one] = .init(refreshToken: nil)
        await fixture.advance(by: .seconds(60))
        _ = await fixture.store.passes.next()
        await fixture.settled { fixture.engine.entry(for: two) == nil }
        #expect(fixture.token(of: three) == "c0")
        #expect(fixture.engine.entry(for: one)?.prospect == .noGrant)
        #expect(fixture.token(of: one) == nil)
        #expect(await fixture.engine.report(on: two) == nil)
    }

    @Test func aGrantReplacedWhileItsRefreshIsInFlightWins() async {
        let fixture = EngineFixture([one: .init(refreshToken: "old")])
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        fixture.store[one] = .init(refreshToken: "new")
        call.answer(fixture.answer("of-old"))
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }
        #expect(next.refreshToken == Secret("new"))
        #expect(fixture.store[one]?.accessToken == nil)
        #expect(fixture.token(of: one) == nil)
    }

    @Test func oneRowThatTakesNoWritesHoldsUpNoOther() async {
        let fixture = EngineFixture(
            [one: .init(refreshToken: "r1"), two: .init(refreshToken: "r2")],
            EngineConfiguration(maxPerSecond: 1000)
        )
        fixture.store.reject(one, true)
        await fixture.start()
        for _ in 0..<2 {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(10)) }
            call.answer(fixture.answer("token-of-\(call.refreshToken.reveal())"))
        }
        await fixture.settled { fixture.token(of: one) != nil && fixture.token(of: two) != nil }
        #expect(fixture.store[two]?.accessToken == "token-of-r2")
        #expect(await fixture.engine.report(on: one)?.status == .degraded)
        #expect(await fixture.engine.report(on: two)?.status == .active)
        let tally = await fixture.engine.tally
        #expect([tally.healthy, tally.failing, tally.needingAPerson, tally.withoutGrant] == [1, 1, 0, 0])
    }

    @Test func aRefusedGrantIsRememberedAcrossRestarts() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        await fixture.start()
        let refusal = RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "Grant revoked")
        (await fixture.endpoint.nextCall()).fail(refusal)
        await fixture.settled { (await fixture.engine.report(on: one))?.consecutiveFailures == 1 }
        await fixture.advance(by: .seconds(10))
        (await fixture.endpoint.nextCall()).fail(refusal)
        let note = await fixture.store.notes.next()
        #expect(note.status == .reauthorizationRequired)
        #expect(note.grantVersion == RecordingStore.version(of: "r1"))
    }
}

// MARK: - The end

extension RefreshEngineTests {
    @Test func aStopWaitsForCallsInFlightAndTheirWrites() async throws {
        let fixture = EngineFixture([one: .init(refreshToken: "r1"), two: .init(refreshToken: "r2")])
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        await fixture.engine.drain()
        let user = call.refreshToken == Secret("r1") ? one : two
        async let end: Void = fixture.engine.ended()
        await fixture.advance(by: .seconds(10))
        call.answer(fixture.answer("last"))
        try await end
        #expect(fixture.store[user]?.accessToken == "last")
        #expect(fixture.endpoint.unseen == 0, "no new refresh is begun by a daemon that stops")
    }

    /// What is lost if it is not stored, and how long a stop tries to.
    @Test(arguments: [(nil, 3), ("r2", 45)] as [(String?, Int)])
    func aStopThatCannotStoreWaitsLongForANewRefreshTokenAndShortlyForACopy(
        _ rotated: String?,
        _ seconds: Int
    ) async throws {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        await fixture.start()
        fixture.journal.fail(with: JournalFailure("reply-journal: No space left on device"))
        let call = await fixture.endpoint.nextCall()
        fixture.store.failWrites(with: away)
        await fixture.engine.drain()
        call.answer(fixture.answer("last", rotated: rotated))
        _ = await fixture.store.writes.next()
        await fixture.settled { (await fixture.engine.report(on: one))?.consecutiveFailures == 1 }
        for _ in 0..<seconds - 1 {
            await fixture.advance(by: .seconds(1))
            await fixture.turn()
        }
        #expect(await fixture.engine.phase != .ended, "it ends at its deadline, not before")
        async let end: Void = fixture.engine.ended()
        await fixture.advance(by: .seconds(1))
        try await end
    }

    @Test func whoFailedForWantOfTheDatabaseIsWokenWhenItAnswers() async {
        let rows = (1...5).map { (UserID("\($0)"), RecordingStore.Row(refreshToken: "r\($0)")) }
        let fixture = EngineFixture(Dictionary(uniqueKeysWithValues: rows), EngineConfiguration(maxPerSecond: 1000))
        await fixture.start()
        for _ in 0..<5 {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(10)) }
            call.answer(fixture.answer("a-\(call.refreshToken.reveal())", lives: .seconds(10)))
        }
        await fixture.settled {
            fixture.store.count("write") > 0 && (1...5).allSatisfy { fixture.token(of: UserID("\($0)")) != nil }
        }
        fixture.store.fail(with: away)
        for _ in 0..<120 { await fixture.advance(by: .seconds(1)) }
        await fixture.turn()
        fixture.store.fail(with: nil)
        // The first to try again finds the database back; the others do not wait for their own turn.
        let first = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
        first.answer(fixture.answer("b-\(first.refreshToken.reveal())"))
        for _ in 0..<4 {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(1)) }
            call.answer(fixture.answer("b-\(call.refreshToken.reveal())"))
        }
        await fixture.settled { (1...5).allSatisfy { fixture.token(of: UserID("\($0)"))?.hasPrefix("b-") ?? false } }
    }

    @Test func whoWaitsGoesBeforeThoseThatNobodyWaitsFor() async {
        let rows = (1...50).map { (UserID("\($0)"), RecordingStore.Row(refreshToken: "r\($0)")) }
        let fixture = EngineFixture(
            Dictionary(uniqueKeysWithValues: rows),
            EngineConfiguration(maxInFlight: 1, maxPerSecond: 1000)
        )
        await fixture.start()
        let first = await fixture.endpoint.nextCall()
        let wanted = first.refreshToken == Secret("r50") ? "49" : "50"
        fixture.engine.requestRefresh(of: UserID(wanted))
        await fixture.turn()
        first.answer(fixture.answer("a"))
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(1)) }
        #expect(next.refreshToken == Secret("r\(wanted)"))
    }
}
