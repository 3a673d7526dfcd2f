// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// What comes late, twice or in another order than it was asked for.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineRaceTests {
    private let one = UserID("1")
    private let two = UserID("2")
    private let fast = EngineConfiguration(maxPerSecond: 1000)
    private let refusal = RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "Grant revoked")

    @Test func aTokenWhoseRowPromisesYearsIsRefreshedWithinADay() async {
        let expiresAt = Moment.newYear.wall + .seconds(3650 * 86_400)
        let fixture = EngineFixture([one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: expiresAt)])
        await fixture.start()
        for _ in 0..<24 where fixture.endpoint.unseen == 0 {
            await fixture.advance(by: .seconds(3600))
            await fixture.turn()
        }
        #expect(fixture.endpoint.unseen == 1)
    }

    @Test func theAlarmIsNotArmedForNowWhileANoteIsBeingStored() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1"), two: .init(refreshToken: "r2")], fast)
        fixture.store.hold("remember")
        await fixture.start()
        for _ in 0..<2 {
            var calls: [ScriptedEndpoint.Call] = []
            for _ in 0..<2 {
                calls.append(await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(10)) })
            }
            for call in calls {
                call.fail(refusal)
                await fixture.turn()
            }
            await fixture.advance(by: .seconds(10))
        }
        await fixture.advance(by: .milliseconds(1))
        #expect(fixture.alarm.deadline.map { $0 > fixture.clock.now.wall } ?? false)
        fixture.store.release("remember")
        _ = await fixture.store.notes.next()
    }

    @Test func aPassThatEndsDuringAStopArmsNothing() async {
        let configuration = EngineConfiguration(maxPerSecond: 1000, reconcileEvery: .seconds(1))
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], configuration)
        fixture.store.hold("changes")
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        await fixture.advance(by: .seconds(2))
        await fixture.engine.drain()
        fixture.store.release("changes")
        _ = await fixture.store.passes.next()
        await fixture.turn()
        await fixture.advance(by: .seconds(2))
        #expect(fixture.alarm.deadline.map { $0 > fixture.clock.now.wall } ?? false)
        call.answer(fixture.answer("a1"))
    }

    @Test func aStopWhileGrantsAreReadSendsNoneOfThem() async throws {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        fixture.store.hold("claim")
        await fixture.start()
        await fixture.engine.drain()
        fixture.store.release("claim")
        try await fixture.engine.ended()
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func aRowWithAnExpiryAndNoTokenIsNotReadInEveryPass() async {
        let expiresAt = Moment.newYear.wall + .seconds(500)
        let fixture = EngineFixture([one: .init(refreshToken: nil, expiresAt: expiresAt)])
        await fixture.start()
        for _ in 0..<5 {
            await fixture.advance(by: .seconds(60))
            _ = await fixture.store.passes.next()
            await fixture.turn()
        }
        #expect(fixture.store.count("rows") == 0)
    }

    @Test func aRowThatWasGoneForAWhileDoesNotGetASecondCallBesideTheFirst() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        for row in [nil, RecordingStore.Row(refreshToken: "r1")] {
            fixture.store[one] = row
            await fixture.advance(by: .seconds(60))
            _ = await fixture.store.passes.next()
            await fixture.turn()
        }
        // The double traps on a second call for a grant in flight.
        for _ in 0..<5 {
            await fixture.advance(by: .milliseconds(100))
            await fixture.turn()
        }
        #expect(fixture.endpoint.unseen == 0)
        call.fail(refusal)
        _ = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(500)) }
    }

    @Test func theOutcomeOfAnOldWriteSaysNothingAboutANewerAnswer() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        fixture.store.hold("write")
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1"))
        _ = await fixture.store.writes.next()
        fixture.store[one] = .init(refreshToken: "r2")
        await fixture.advance(by: .seconds(60))
        let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(50)) }
        call.answer(fixture.answer("a2", rotated: "r3"))
        await fixture.turn()
        fixture.store.release("write")
        _ = await fixture.store.writes.next()
        fixture.store.release("write")
        await fixture.settled { fixture.token(of: one) == "a2" }
        #expect(fixture.store[one]?.refreshToken == "r3")
        #expect(fixture.endpoint.unseen == 0)
    }

    @Test func aRowReadBeforeARotationWasStoredDoesNotUndoIt() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        // Somebody writes a newer token into the row, so that the pass has the row read, and that takes long.
        fixture.store.hold("rows")
        fixture.store[one] = .init(
            refreshToken: "r1",
            accessToken: "x",
            expiresAt: fixture.clock.now.wall + .seconds(2000)
        )
        await fixture.advance(by: .seconds(60))
        await fixture.settled { fixture.store.count("rows") == 1 }
        call.answer(fixture.answer("a1", rotated: "r2"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        fixture.store.release("rows")
        fixture.store.release("rows")
        await fixture.settled { fixture.store.count("rows") == 2 }
        await fixture.turn()
        #expect(fixture.token(of: one) == "a1")
    }
}
