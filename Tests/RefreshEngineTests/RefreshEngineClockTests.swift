// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import RefreshEngine

/// H15: clocks that are set, and machines that sleep.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineClockTests {
    private let one = UserID("1")
    private let life: Duration = .seconds(900)
    private let step: Duration = .seconds(3600)
    private let night: Duration = .seconds(8 * 3600)

    /// An engine with one account, whose token was had at the start.
    private func served() async -> EngineFixture {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a1"))
        await fixture.settled { fixture.store[one]?.accessToken == "a1" }
        await fixture.settled { fixture.engine.entry(for: one)?.prospect == .possible }
        return fixture
    }

    /// Whether the account's token would be handed out now.
    private func isServed(_ fixture: EngineFixture) -> Bool {
        fixture.engine.entry(for: one)?.token?.life.isAlive(at: fixture.clock.now) ?? false
    }

    /// Counts the calls of so much time, each of which is answered at once.
    private func calls(
        _ fixture: EngineFixture,
        within time: Duration,
        every turn: Duration = .seconds(10)
    ) async -> Int {
        var made = 0
        for _ in 0..<Int(time / turn) {
            await fixture.advance(by: turn)
            await fixture.turn()
            while fixture.endpoint.unseen > 0 {
                made += 1
                (await fixture.endpoint.nextCall()).answer(
                    fixture.answer("token-\(fixture.clock.now.boot.nanoseconds)")
                )
                await fixture.turn()
            }
        }
        return made
    }

    @Test func h15AfterAStepForwardNothingDeadIsServedAndARefreshIsMadeAtOnce() async {
        let fixture = await served()
        fixture.clock.stepWall(by: step)
        #expect(!isServed(fixture), "before anybody looked at the clock")
        // No longer than the rate keeps a second call waiting.
        await fixture.advance(by: .milliseconds(50))
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a2"))
        await fixture.settled { fixture.token(of: one) == "a2" }
        #expect(isServed(fixture))
        #expect(fixture.store[one]?.expiresAt == fixture.clock.now.wall + life)
        #expect(await calls(fixture, within: life) == 1, "the step costs one refresh, and no more")
    }

    @Test func h15AfterAStepBackNothingStallsAndNothingIsHammered() async {
        let fixture = await served()
        fixture.clock.stepWall(by: .zero - step)
        await fixture.engine.alarmRang()
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        #expect(isServed(fixture))
        let deadline = fixture.alarm.deadline.map { $0 - fixture.clock.now.wall }
        #expect(deadline.map { $0 <= .seconds(60) } == true, "the alarm follows the clock: \(deadline as Any)")
        await fixture.advance(by: .seconds(539))
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        await fixture.advance(by: .seconds(1))
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a2"))
        await fixture.settled { fixture.token(of: one) == "a2" }
        await fixture.turn()
        #expect(isServed(fixture))
    }

    @Test func h15ATokenThatWasHadUnderAWrongClockDiesInItsTimeWhenTheClockIsPutRight() async {
        let fixture = await served()
        fixture.clock.stepWall(by: step)
        await fixture.advance(by: .milliseconds(50))
        let call = await fixture.endpoint.nextCall()
        call.answer(fixture.answer("a2"))
        await fixture.settled { fixture.store[one]?.accessToken == "a2" }
        fixture.clock.stepWall(by: .zero - step)
        // Its row says that it lives for an hour longer than it does.
        #expect(fixture.store[one]?.expiresAt == fixture.clock.now.wall + life + step)
        await fixture.advance(by: life - .milliseconds(1))
        #expect(isServed(fixture))
        fixture.clock.advance(by: .milliseconds(1))
        #expect(!isServed(fixture))
    }

    @Test func h15ANightAsleepEndsWithPacedRefreshesAndNothingDeadServed() async {
        let rows = Dictionary(
            uniqueKeysWithValues: (1...100).map { number in
                let token = "a\(number)"
                let end = Moment.newYear.wall + life
                return (
                    UserID("\(number)"),
                    RecordingStore.Row(refreshToken: "r\(number)", accessToken: token, expiresAt: end)
                )
            }
        )
        let fixture = EngineFixture(rows, EngineConfiguration(maxInFlight: 8, maxPerSecond: 10))
        await fixture.start()
        // Both clocks go on while the machine sleeps.
        fixture.clock.advance(by: night)
        let now = fixture.clock.now
        #expect(rows.keys.allSatisfy { fixture.engine.entry(for: $0)?.token?.life.isAlive(at: now) != true })
        await fixture.engine.alarmRang()
        await fixture.turn()
        #expect(fixture.endpoint.unseen <= 8, "not all at once")
        var made = 0
        for _ in 0..<300 where made < 100 {
            while fixture.endpoint.unseen > 0 {
                made += 1
                (await fixture.endpoint.nextCall()).answer(fixture.answer("new-\(made)"))
                await fixture.turn()
            }
            await fixture.advance(by: .milliseconds(100))
            await fixture.turn()
        }
        #expect(made == 100)
        #expect(fixture.clock.now.boot - now.boot >= .seconds(9), "at the rate that is allowed")
        await fixture.settled {
            rows.keys.allSatisfy { fixture.engine.entry(for: $0)?.token?.life.isAlive(at: fixture.clock.now) == true }
        }
    }

    @Test func h15AnAnswerThatCameDuringTheNightIsNotHandedOut() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")])
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        let answer = fixture.answer("old")
        fixture.clock.advance(by: night)
        call.answer(answer)
        await fixture.settled { fixture.store[one]?.accessToken == "old" }
        await fixture.turn()
        #expect(!isServed(fixture))
        #expect(await calls(fixture, within: .seconds(60)) == 1)
        #expect(isServed(fixture))
    }

    @Test func h15AVirtualMachineThatWasPausedIsRightAsSoonAsItsClockIs() async {
        let fixture = await served()
        // Neither clock went on. Then the wall clock is put right.
        await fixture.advance(by: .seconds(5))
        fixture.clock.stepWall(by: night)
        #expect(!isServed(fixture))
        #expect(await calls(fixture, within: .seconds(60)) == 1)
        #expect(isServed(fixture))
    }

    @Test func h15ALeapSecondDisturbsNothing() async {
        let fixture = await served()
        for _ in 0..<3 {
            fixture.clock.stepWall(by: .seconds(-1))
            await fixture.engine.alarmRang()
            fixture.clock.stepWall(by: .seconds(1))
            await fixture.engine.alarmRang()
        }
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        #expect(isServed(fixture))
        #expect(await calls(fixture, within: life) == 1)
    }

    /// Before the first answer from a time server the clock may say anything; after it, the daemon must be right.
    @Test(arguments: [-20 * 365 * 24, -1, 1, 24] as [Int]) func h15AClockThatWasWrongAtBootIsOvercome(hours: Int) async
    {
        var row = RecordingStore.Row(
            refreshToken: "r1",
            accessToken: "a0",
            expiresAt: Moment.newYear.wall + .seconds(600)
        )
        row.memory = GrantMemory(
            status: .active,
            grantVersion: RecordingStore.version(of: "r1"),
            generation: 1,
            consecutiveFailures: 0,
            lastError: nil,
            lastRefreshedAt: Moment.newYear.wall + .seconds(-300),
            lifetime: life,
            sealedAnewFrom: []
        )
        let fixture = EngineFixture([one: row])
        fixture.clock.stepWall(by: .seconds(hours * 3600))
        await fixture.start()
        var made = await calls(fixture, within: .seconds(60))
        #expect(made <= 1)
        fixture.clock.stepWall(by: .seconds(-hours * 3600))
        await fixture.engine.alarmRang()
        made = await calls(fixture, within: .seconds(60))
        #expect(made <= 1)
        #expect(isServed(fixture))
        // No token gained life by it: what is served was had within a life.
        made = await calls(fixture, within: life)
        #expect((1...2).contains(made))
    }

    @Test func h15ASteppedClockEndsNoPauseForLong() async {
        let fixture = await served()
        await fixture.advance(by: .seconds(540))
        (await fixture.endpoint.nextCall()).fail(RefreshFailure(.serverFault, text: "503"))
        await fixture.turn()
        for _ in 0..<20 {
            fixture.clock.stepWall(by: .zero - step)
            await fixture.engine.alarmRang()
            await fixture.turn()
        }
        #expect(fixture.endpoint.unseen == 0, "a clock that goes back ends no backoff")
        await fixture.advance(by: .seconds(60))
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a2"))
        await fixture.settled { fixture.token(of: one) == "a2" }
    }
}
