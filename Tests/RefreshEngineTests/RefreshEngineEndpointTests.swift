// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// What the endpoint's bad days cost over time: calls are bounded, and one account's fault is its own.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineEndpointTests {
    private let one = UserID("1")
    private let fast = EngineConfiguration(maxPerSecond: 1000)
    private let refusal = RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "Grant revoked")

    private func rows(_ count: Int) -> [UserID: RecordingStore.Row] {
        Dictionary(uniqueKeysWithValues: (1...count).map { (UserID("\($0)"), .init(refreshToken: "r\($0)")) })
    }

    private func live(for time: Duration) -> WallTime { Moment.newYear.wall + time }

    @Test func h7AGrantThatWasReplacedIsUsedAndNothingIsMarked() async {
        let fixture = EngineFixture([one: .init(refreshToken: "old")], fast)
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        fixture.store[one] = .init(refreshToken: "new")
        call.fail(refusal)
        // No time goes by: the row is read again at once, not when the second try is due.
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(1)) }
        #expect(next.refreshToken == Secret("new"))
        #expect(fixture.clock.now.wall - Moment.newYear.wall < .seconds(10))
        #expect(await fixture.engine.report(on: one)?.consecutiveFailures == 0)
        next.answer(fixture.answer("a1"))
        await fixture.settled { fixture.token(of: one) == "a1" }
        #expect(fixture.store.notes.count == 0)
    }

    @Test func h7ATokenThatSomebodyElseHadMeanwhileIsAdopted() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        let call = await fixture.endpoint.nextCall()
        fixture.store[one] = .init(refreshToken: "r1", accessToken: "theirs", expiresAt: live(for: .seconds(900)))
        call.fail(refusal)
        await fixture.settled { fixture.token(of: one) == "theirs" }
        #expect(await fixture.engine.report(on: one)?.status == .active)
    }

    /// TastyTrade blocks an address that goes on asking; and whoever follows events is told once.
    @Test func h33ARevokedGrantIsToldOfOnceAndProbedHourly() async {
        let fixture = EngineFixture(
            [one: .init(refreshToken: "r1", accessToken: "a0", expiresAt: live(for: .seconds(900)))],
            fast
        )
        await fixture.start()
        let start = fixture.engine.eventsEnd
        for _ in 0..<2 {
            (await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }).fail(refusal)
            await fixture.turn()
        }
        #expect(await fixture.engine.report(on: one)?.status == .reauthorizationRequired)
        #expect(fixture.token(of: one) == "a0", "it is served while it lives")
        let refused = fixture.clock.now
        for hour in 1...3 {
            let probe = await fixture.endpoint.nextCallWhile {
                await fixture.advance(by: .seconds(30))
                await fixture.turn()
            }
            probe.fail(refusal)
            await fixture.turn()
            let passed = fixture.clock.now.boot - refused.boot
            #expect(passed >= .seconds(3600 * hour) && passed < .seconds(3600 * hour + 240))
        }
        let token = fixture.engine.entry(for: one)?.token
        #expect(token?.life.isAlive(at: fixture.clock.now) != true, "none is served past its end")
        let events = fixture.engine.events(from: start, atMost: 100).events.map(\.kind)
        #expect(events.filter { $0 == .grantRefused }.count == 1)
    }

    @Test func h33AGrantCountsAsRefusedAfterTwoRefusalsAndRecoversWithAnother() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        (await fixture.endpoint.nextCall()).fail(refusal)
        await fixture.settled { (await fixture.engine.report(on: one))?.consecutiveFailures == 1 }
        await fixture.advance(by: .milliseconds(9999))
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0)
        #expect(await fixture.engine.report(on: one)?.status == .expired)
        await fixture.advance(by: .milliseconds(1))
        (await fixture.endpoint.nextCall()).fail(refusal)
        await fixture.settled { (await fixture.engine.report(on: one))?.status == .reauthorizationRequired }
        fixture.store[one] = .init(refreshToken: "r2")
        fixture.store.tell(.users([one]))
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(1)) }
        #expect(next.refreshToken == Secret("r2"))
        next.answer(fixture.answer("a2"))
        await fixture.settled { (await fixture.engine.report(on: one))?.status == .active }
    }

    @Test func h10CallsPerMinuteAreBoundedWhereTheEndpointMakesNoProgress() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("same"))
        await fixture.settled { fixture.token(of: one) == "same" }
        await fixture.advance(by: .seconds(540))
        var calls = 0
        for _ in 0..<600 {
            while fixture.endpoint.unseen > 0 {
                calls += 1
                (await fixture.endpoint.nextCall()).answer(fixture.answer("same"))
            }
            await fixture.turn()
            await fixture.advance(by: .seconds(1))
        }
        // At the longest backoff of 60 s and a draw of one half, ten minutes are twenty calls; the ramp to it, and the
        // quarter of the life left, make a few more.
        #expect((10...40).contains(calls), "\(calls) calls in ten minutes")
        #expect(await fixture.engine.report(on: one)?.status == .expired)
    }

    @Test func h14APauseIsKeptByTheClientAndSparesTheMostUrgent() async {
        var rows = rows(20)
        for number in 1...20 {
            let life: Duration = number == 7 ? .seconds(40) : .seconds(300)
            rows[UserID("\(number)")] = .init(refreshToken: "r\(number)", accessToken: "a", expiresAt: live(for: life))
        }
        let fixture = EngineFixture(rows, EngineConfiguration(maxInFlight: 1, maxPerSecond: 10))
        await fixture.start()
        let first = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(10)) }
        #expect(first.refreshToken == Secret("r7"), "the soonest to die")
        first.fail(RefreshFailure(.throttled, httpStatus: 429, text: "later", retryAfter: .seconds(60)))
        var during: [Secret] = []
        for _ in 0..<59 {
            await fixture.turn()
            await fixture.advance(by: .seconds(1))
            await fixture.turn()
            while fixture.endpoint.unseen > 0 {
                let call = await fixture.endpoint.nextCall()
                during.append(call.refreshToken)
                call.answer(fixture.answer("new"))
            }
        }
        #expect(during == [Secret("r7")], "only who would not outlive the pause")
        _ = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
    }

    @Test func h14WhoFailedOftenIsSparedTooBeforeTheTokenDies() async {
        let dies = live(for: .seconds(70))
        let policy = RefreshPolicy(backoff: Backoff(initial: .seconds(1), maximum: .seconds(1)))
        let fixture = EngineFixture(
            [one: .init(refreshToken: "r1", accessToken: "a", expiresAt: dies)],
            EngineConfiguration(policy: policy, maxPerSecond: 10)
        )
        await fixture.start()
        func call() async -> ScriptedEndpoint.Call {
            await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
        }
        for _ in 0..<8 { (await call()).fail(RefreshFailure(.serverFault, httpStatus: 503, text: "away")) }
        // Its place in the line is half a minute after its token's end, which is later than the end of the pause.
        (await call()).fail(RefreshFailure(.throttled, httpStatus: 429, text: "later", retryAfter: .seconds(75)))
        (await call()).answer(fixture.answer("b"))
        await fixture.settled { fixture.token(of: one) == "b" }
        #expect(fixture.clock.now.wall < dies)
    }

    @Test(arguments: [RefreshFailure.Kind.tls, .nameResolution, .connect])
    func h17NoRetryIsFasterThanBackoffAndCap(kind: RefreshFailure.Kind) async {
        let fixture = EngineFixture(rows(50), EngineConfiguration(maxPerSecond: 10))
        await fixture.start()
        var perSecond: [Int] = []
        for _ in 0..<60 {
            var calls = 0
            for _ in 0..<10 {
                await fixture.advance(by: .milliseconds(100))
                await fixture.turn()
                while fixture.endpoint.unseen > 0 {
                    calls += 1
                    (await fixture.endpoint.nextCall()).fail(RefreshFailure(kind, text: "x"))
                    await fixture.turn()
                }
            }
            perSecond.append(calls)
        }
        #expect((perSecond.max() ?? 0) <= 11, "the cap of 10 a second, and the call of the start")
        #expect(perSecond.suffix(20).reduce(0, +) < 20 * 10, "backoff makes it fewer in the end")
    }

    @Test func accountsThatFailForLongLetThoseGoFirstWhoseTokensAreAboutToDie() async {
        var rows = rows(10)
        let good = UserID("good")
        rows[good] = .init(refreshToken: "good", accessToken: "a", expiresAt: live(for: .seconds(500)))
        let policy = RefreshPolicy(backoff: Backoff(initial: .seconds(1), maximum: .seconds(1)))
        let fixture = EngineFixture(rows, EngineConfiguration(policy: policy, maxInFlight: 1, maxPerSecond: 2))
        await fixture.start()
        // The ten take all that the rate allows: each is tried again sooner than the others are through.
        var hadItsTurn = false
        for _ in 0..<980 where !hadItsTurn {
            await fixture.advance(by: .milliseconds(500))
            await fixture.turn()
            while fixture.endpoint.unseen > 0 {
                let call = await fixture.endpoint.nextCall()
                if call.refreshToken == Secret("good") { hadItsTurn = true }
                call.fail(RefreshFailure(.requestRejected, text: "User is not a TastyTrade customer"))
                await fixture.turn()
            }
        }
        #expect(hadItsTurn, "before its token died")
    }

    @Test func whoFailedOftenDoesNotGoBeforeWhoWasNotTriedYet() async {
        var rows: [UserID: RecordingStore.Row] = [:]
        for number in 1...10 {
            let dies = live(for: .seconds(300))
            rows[UserID("\(number)")] = .init(refreshToken: "\(number)", accessToken: "a", expiresAt: dies)
        }
        // It dies a little later than the others, which take all that the rate allows.
        rows[UserID("good")] = .init(refreshToken: "good", accessToken: "a", expiresAt: live(for: .seconds(308)))
        let backoff = Backoff(initial: .seconds(1), maximum: .seconds(2))
        let configuration = EngineConfiguration(
            policy: RefreshPolicy(backoff: backoff),
            maxInFlight: 1,
            maxPerSecond: 1
        )
        let fixture = EngineFixture(rows, configuration)
        await fixture.start()
        var calls = 0
        while calls < 100 {
            let call = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
            if call.refreshToken == Secret("good") { break }
            calls += 1
            call.fail(RefreshFailure(.requestRejected, text: "User is not a TastyTrade customer"))
        }
        #expect(calls <= 30, "each of the ten was tried a few times")
    }

    @Test func afterAnOutageThoseWhoseTokensDiedFirstGoFirst() async {
        var rows: [UserID: RecordingStore.Row] = [:]
        for number in 1...12 {
            let dies = live(for: .seconds(1 + number))
            rows[UserID("\(number)")] = .init(refreshToken: "\(number)", accessToken: "a", expiresAt: dies)
        }
        let policy = RefreshPolicy(backoff: Backoff(initial: .seconds(1), maximum: .seconds(1)))
        let fixture = EngineFixture(rows, EngineConfiguration(policy: policy, maxInFlight: 1, maxPerSecond: 4))
        await fixture.start()
        func turn() async -> ScriptedEndpoint.Call {
            await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(50)) }
        }
        while fixture.clock.now.wall < live(for: .seconds(20)) {
            (await turn()).fail(RefreshFailure(.serverFault, httpStatus: 503, text: "away"))
        }
        // One call of the outage may have been in line already.
        var order: [Int] = []
        while order.count < 12 {
            let call = await turn()
            order.append(Int(call.refreshToken.reveal()) ?? 0)
            call.answer(fixture.answer("a-\(call.refreshToken.reveal())"))
        }
        let inversions = order.indices.dropFirst().filter { order[$0] < order[$0 - 1] }.count
        #expect(Set(order).count == 12)
        #expect(inversions <= 1, "\(order): only who was backing off comes late")
    }
}
