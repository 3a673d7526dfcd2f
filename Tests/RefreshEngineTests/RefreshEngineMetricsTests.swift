// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import MetricsText
import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// What the engine tells in numbers.
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineMetricsTests {
    private let one = UserID("1")
    private let fast = EngineConfiguration(maxPerSecond: 1000)

    /// The value of a line of the metrics, as they are now.
    private func value(_ series: String, _ fixture: EngineFixture) async -> String? {
        await fixture.engine.measure()
        let line = fixture.metrics.text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
        return line.map { String($0.dropFirst(series.count + 1)) }
    }

    private func refreshes(_ outcome: String) -> String { "tastytokend_refreshes_total{outcome=\"\(outcome)\"}" }

    @Test(arguments: RefreshFailure.Kind.allCases.filter { $0 != .noProgress })
    func eachFailureIsCountedAsWhatItIs(kind: RefreshFailure.Kind) async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        #expect(await value(refreshes(kind.rawValue), fixture) == "0", "it is there from the start")
        let call = await fixture.endpoint.nextCall()
        fixture.clock.advance(by: .milliseconds(300))
        call.fail(RefreshFailure(kind, text: "x"))
        await fixture.settled { (await fixture.engine.report(on: one))?.consecutiveFailures == 1 }
        #expect(await value(refreshes(kind.rawValue), fixture) == "1")
        #expect(await value(refreshes("success"), fixture) == "0")
        #expect(await value("tastytokend_refresh_duration_seconds_sum", fixture) == "0.3")
        #expect(await value("tastytokend_refresh_duration_seconds_bucket{le=\"0.25\"}", fixture) == "0")
        #expect(await value("tastytokend_refresh_duration_seconds_bucket{le=\"0.5\"}", fixture) == "1")
    }

    @Test func aSuccessIsCountedAndTheSameTokenAgainIsNone() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], fast)
        await fixture.start()
        (await fixture.endpoint.nextCall()).answer(fixture.answer("same"))
        await fixture.settled { fixture.token(of: one) == "same" }
        #expect(await value(refreshes("success"), fixture) == "1")
        await fixture.advance(by: .seconds(541))
        (await fixture.endpoint.nextCall()).answer(fixture.answer("same"))
        await fixture.settled { (await fixture.engine.report(on: one))?.consecutiveFailures == 1 }
        #expect(await value(refreshes("success"), fixture) == "1")
        #expect(await value(refreshes("no_progress"), fixture) == "1")
    }

    @Test func anAccountThatCannotBeClaimedIsARefreshThatFailed() async {
        let dies = Moment.newYear.wall + .seconds(900)
        let row = RecordingStore.Row(refreshToken: "r1", accessToken: "a", expiresAt: dies)
        let settings = EngineConfiguration(maxPerSecond: 1000, refreshesWithoutDatabase: false)
        let fixture = EngineFixture([one: row], settings)
        await fixture.start()
        fixture.store.fail(with: StoreFailure(.unavailable, text: "away"))
        await fixture.advance(by: .seconds(541))
        await fixture.settled { (await fixture.engine.report(on: one))?.consecutiveFailures == 1 }
        #expect(await value(refreshes("store_unavailable"), fixture) == "1")
        #expect(await value("tastytokend_refresh_duration_seconds_count", fixture) == "0")
        #expect(await value("tastytokend_accounts{status=\"degraded\"}", fixture) == "1")
        fixture.clock.advance(by: .seconds(359))
        #expect(await value("tastytokend_accounts{status=\"expired\"}", fixture) == "1", "without a step in between")
    }

    @Test func latenessIsFromWhenARefreshWasDue() async {
        let dies = Moment.newYear.wall + .seconds(900)
        let row = RecordingStore.Row(refreshToken: "r1", accessToken: "a", expiresAt: dies)
        let fixture = EngineFixture([one: row], fast)
        await fixture.start()
        // At a draw of one half it is due after 540 s; the process stood still for 7 s more.
        await fixture.advance(by: .seconds(547))
        _ = await fixture.endpoint.nextCall()
        #expect(await value("tastytokend_refresh_lateness_seconds_sum", fixture) == "7")
        #expect(await value("tastytokend_refresh_lateness_seconds_bucket{le=\"5\"}", fixture) == "0")
        #expect(await value("tastytokend_refresh_lateness_seconds_bucket{le=\"15\"}", fixture) == "1")
    }

    @Test func aRefreshThatSomebodyAskedForBeforeItWasDueIsNotLate() async {
        let dies = Moment.newYear.wall + .seconds(900)
        let row = RecordingStore.Row(refreshToken: "r1", accessToken: "a", expiresAt: dies)
        let fixture = EngineFixture([one: row], fast)
        await fixture.start()
        await fixture.advance(by: .seconds(100))
        fixture.engine.requestRefresh(of: one)
        _ = await fixture.endpoint.nextCall()
        #expect(await value("tastytokend_refresh_lateness_seconds_count", fixture) == "1")
        #expect(await value("tastytokend_refresh_lateness_seconds_sum", fixture) == "0")
    }

    @Test func waitingInLineIsLateness() async {
        let fixture = EngineFixture(
            [one: .init(refreshToken: "r1"), UserID("2"): .init(refreshToken: "r2")],
            EngineConfiguration(maxInFlight: 1, maxPerSecond: 1000)
        )
        await fixture.start()
        let first = await fixture.endpoint.nextCall()
        await fixture.advance(by: .seconds(20))
        first.answer(fixture.answer("a1"))
        _ = await fixture.endpoint.nextCallWhile { await fixture.turn() }
        #expect(await value("tastytokend_refresh_lateness_seconds_count", fixture) == "2")
        #expect(await value("tastytokend_refresh_lateness_seconds_sum", fixture) == "20")
    }

    @Test func accountsAreCountedByStatusWhileTheyComeAndGo() async {
        let dies = Moment.newYear.wall + .seconds(900)
        let fixture = EngineFixture(
            [
                one: .init(refreshToken: "r1", accessToken: "a", expiresAt: dies),
                UserID("2"): .init(refreshToken: nil), UserID("3"): .init(refreshToken: "r3"),
            ],
            fast
        )
        await fixture.start()
        _ = await fixture.endpoint.nextCall()
        #expect(await value("tastytokend_accounts{status=\"active\"}", fixture) == "1")
        #expect(await value("tastytokend_accounts{status=\"no_grant\"}", fixture) == "1")
        #expect(await value("tastytokend_accounts{status=\"refreshing\"}", fixture) == "1")
        #expect(await value("tastytokend_accounts{status=\"unreadable\"}", fixture) == "0")
        #expect(await value("tastytokend_token_remaining_seconds_min", fixture) == "0", "one has no token")
        fixture.store[UserID("3")] = nil
        fixture.store.tell(.users([UserID("3")]))
        await fixture.settled { await fixture.engine.report(on: UserID("3")) == nil }
        #expect(await value("tastytokend_accounts{status=\"refreshing\"}", fixture) == "0")
        #expect(await value("tastytokend_token_remaining_seconds_min", fixture) == "900")
        fixture.store[one] = nil
        fixture.store.tell(.users([one]))
        await fixture.settled { await fixture.engine.report(on: one) == nil }
        #expect(await value("tastytokend_token_remaining_seconds_min", fixture) == "NaN", "nobody is in good standing")
    }

    @Test func theCapacityIsRateTimesShareTimesLife() async {
        let fixture = EngineFixture([one: .init(refreshToken: "r1")], EngineConfiguration(maxPerSecond: 20))
        await fixture.start()
        #expect(await value("tastytokend_capacity_accounts", fixture) == "10800")
        (await fixture.endpoint.nextCall()).answer(fixture.answer("a", lives: .seconds(90)))
        await fixture.settled { fixture.token(of: one) == "a" }
        #expect(await value("tastytokend_capacity_accounts", fixture) == "1080")
    }
}
