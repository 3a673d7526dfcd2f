// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import InMemoryLogging
import Logging
import MetricsText
import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// Calls that stand still for all accounts, and come back (hard cases H11, H12).
@Suite(.timeLimit(.minutes(1))) struct RefreshEngineBreakerTests {
    private let fast = EngineConfiguration(maxInFlight: 12, maxPerSecond: 1000)
    private let away = RefreshFailure(.connect, text: "no connection")
    private let refusal = RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "Grant revoked")
    private let notUs = RefreshFailure(.clientRefused, httpStatus: 401, code: "invalid_client", text: "Unknown client")

    private func rows(_ count: Int) -> [UserID: RecordingStore.Row] {
        Dictionary(uniqueKeysWithValues: (1...count).map { (UserID("\($0)"), .init(refreshToken: "r\($0)")) })
    }

    private func statuses(_ fixture: EngineFixture, _ count: Int) async -> Set<GrantStatus> {
        var statuses: Set<GrantStatus> = []
        for number in 1...count {
            if let status = await fixture.engine.report(on: UserID("\(number)"))?.status { statuses.insert(status) }
        }
        return statuses
    }

    /// The next calls, so many of them, as time goes by in small steps.
    private func calls(_ count: Int, _ fixture: EngineFixture) async -> [ScriptedEndpoint.Call] {
        var calls: [ScriptedEndpoint.Call] = []
        for _ in 0..<count {
            calls.append(await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(1)) })
        }
        return calls
    }

    /// How many calls are made in so many seconds, each of which fails like that.
    private func count(_ seconds: Int, _ failure: RefreshFailure, _ fixture: EngineFixture) async -> Int {
        var count = 0
        for _ in 0..<seconds {
            await fixture.advance(by: .seconds(1))
            await fixture.turn()
            while fixture.endpoint.unseen > 0 {
                (await fixture.endpoint.nextCall()).fail(failure)
                count += 1
            }
            await fixture.turn()
        }
        return count
    }

    private func open(_ fixture: EngineFixture, by failure: RefreshFailure, _ count: Int) async {
        await fixture.start()
        for call in await calls(count, fixture) { call.fail(failure) }
        await fixture.settled { await fixture.engine.summary().stoppedFor != nil }
    }

    @Test func h12AnEndpointThatIsAwayIsCalledForOneAccountNowAndThen() async throws {
        let fixture = EngineFixture(rows(100), fast)
        await open(fixture, by: away, 12)
        let made = await count(120, away, fixture)
        #expect((5...125).contains(made), "\(made) calls for a hundred accounts in two minutes")
        #expect(
            await fixture.engine.summary().stoppedFor
                == "the token endpoint does not answer; check network, proxy and tastytrade.apiUrl: no connection"
        )
        #expect(await fixture.engine.tally.stoppedFor != nil)
        await fixture.engine.measure()
        #expect(fixture.metrics.text.contains(#"tastytokend_breaker_open{client="default"} 1"#))
        #expect(fixture.log.entries.filter { $0.metadata["event"] == "breaker.opened" }.count == 1, "it is told once")
    }

    @Test func h12CallersAreToldWhenTheNextProbeIs() async throws {
        let fixture = EngineFixture(rows(100), fast)
        await open(fixture, by: away, 12)
        let entry = try #require(fixture.engine.entry(for: UserID("77")))
        guard case .backingOff(let until) = entry.prospect else {
            Issue.record("\(entry.prospect)")
            return
        }
        #expect((Duration.zero ... .seconds(1)).contains(until.remaining(at: fixture.clock.now)))
        guard case .unavailable(.tokenUnavailable, _) = await fixture.engine.refresh(UserID("77"), if: { _ in true })
        else {
            Issue.record("an order is taken while nothing is made")
            return
        }
        #expect(await fixture.engine.explanation(of: UserID("77"))?.reason.contains("does not answer") == true)
    }

    @Test func h12WhoFailedAndStandsInLineHasTheOldPlaceOnceCallsComeBack() async {
        var rows = rows(20)
        for number in 1...20 {
            let end = Moment.newYear.wall + (number == 1 ? .seconds(60) : .seconds(300))
            rows[UserID("\(number)")] = .init(refreshToken: "r\(number)", accessToken: "a\(number)", expiresAt: end)
        }
        let fixture = EngineFixture(rows, EngineConfiguration(maxInFlight: 1, maxPerSecond: 1000))
        await fixture.start()
        let urgent = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(1)) }
        #expect(urgent.refreshToken == Secret("r1"))
        urgent.fail(notUs)
        await fixture.settled { await fixture.engine.summary().stoppedFor != nil }
        let probe = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(100)) }
        #expect(probe.refreshToken != Secret("r1"), "a probe is for who was not refused yet")
        // It has failed, and is in line again behind all others by now.
        await fixture.advance(by: .seconds(20))
        await fixture.turn()
        probe.answer(fixture.answer("b"))
        let next = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(1)) }
        #expect(next.refreshToken == Secret("r1"), "its token dies before those of the others")
    }

    @Test func h12WhenItIsBackAllWhoWaitedAreServed() async throws {
        let fixture = EngineFixture(rows(100), fast)
        await open(fixture, by: away, 12)
        _ = await count(60, away, fixture)
        for _ in 0..<200 {
            let next = await calls(1, fixture)
            next[0].answer(fixture.answer("a"))
            await fixture.turn()
            if await fixture.engine.tally.healthy == 100, await fixture.engine.summary().inLine == 0 { break }
        }
        await fixture.settled { await statuses(fixture, 100) == [.active] }
        #expect(await fixture.engine.summary().stoppedFor == nil)
        await fixture.engine.measure()
        #expect(fixture.metrics.text.contains(#"tastytokend_breaker_open{client="default"} 0"#))
    }

    @Test func h11RefusalsOfMostAccountsMarkNobody() async throws {
        let fixture = EngineFixture(rows(30), fast)
        await open(fixture, by: refusal, 12)
        _ = await count(120, refusal, fixture)
        #expect(await statuses(fixture, 30).isDisjoint(with: [.reauthorizationRequired, .unknownOutcome]))
        while fixture.store.notes.count > 0 {
            #expect(await fixture.store.notes.next().status != .reauthorizationRequired)
        }
        // It was the provider: all are well as soon as it is.
        for _ in 0..<100 {
            (await calls(1, fixture))[0].answer(fixture.answer("a"))
            await fixture.turn()
            if await statuses(fixture, 30) == [.active] { break }
        }
        #expect(await statuses(fixture, 30) == [.active])
    }

    @Test func h11WhereOthersAreServedTheRefusedOnesAreMarkedInTheEnd() async throws {
        let fixture = EngineFixture(rows(20), fast)
        await fixture.start()
        var answers = 0
        func play(_ call: ScriptedEndpoint.Call) {
            let number = Int(call.refreshToken.reveal().dropFirst()) ?? 0
            answers += 1
            if number > 12 { call.answer(fixture.answer("a\(answers)")) } else { call.fail(refusal) }
        }
        // Those that are served may have been so before it opened: it closes with their next refresh.
        for _ in 0..<400 {
            await fixture.advance(by: .seconds(2))
            await fixture.turn()
            while fixture.endpoint.unseen > 0 { play(await fixture.endpoint.nextCall()) }
            await fixture.turn()
        }
        for number in 1...20 {
            let status = await fixture.engine.report(on: UserID("\(number)"))?.status
            #expect(status == (number > 12 ? .active : .reauthorizationRequired), "\(number)")
        }
    }

    @Test func h11RefusedAccountsDoNotTakeTheProbesOfThoseWhoseTokensWillDie() async throws {
        var rows = rows(20)
        for number in 13...20 {
            let dies = Moment.newYear.wall + .seconds(400 + number)
            rows[UserID("\(number)")] = .init(refreshToken: "r\(number)", accessToken: "a\(number)", expiresAt: dies)
        }
        let fixture = EngineFixture(rows, fast)
        await fixture.start()
        var lapses: Set<Int> = []
        for _ in 0..<600 {
            await fixture.advance(by: .seconds(1))
            await fixture.turn()
            while fixture.endpoint.unseen > 0 {
                let call = await fixture.endpoint.nextCall()
                let number = Int(call.refreshToken.reveal().dropFirst()) ?? 0
                if number > 12 { call.answer(fixture.answer("b\(number)")) } else { call.fail(refusal) }
            }
            await fixture.turn()
            for number in 13...20 {
                let life = fixture.engine.entry(for: UserID("\(number)"))?.token?.life
                if life?.isAlive(at: fixture.clock.now) != true { lapses.insert(number) }
            }
        }
        #expect(fixture.log.entries.contains { $0.metadata["event"] == "breaker.opened" })
        #expect(lapses.isEmpty)
    }

    @Test func h11AWrongSecretStopsAfterOneAnswerAndAnotherSecretIsTriedAtOnce() async throws {
        let fixture = EngineFixture(rows(100), EngineConfiguration(maxInFlight: 1, maxPerSecond: 1000))
        await open(fixture, by: notUs, 1)
        let made = await count(300, notUs, fixture)
        #expect((5...12).contains(made), "\(made) calls in five minutes")
        await fixture.engine.reconfigure(
            .init(policy: RefreshPolicy(), maxInFlight: 12, maxPerSecond: 1000, clientSecret: Secret("right"))
        )
        let call = await fixture.endpoint.nextCall()
        #expect(call.client.clientSecret == Secret("right"))
        call.answer(fixture.answer("a"))
        await fixture.settled { await fixture.engine.summary().stoppedFor == nil }
        for _ in 0..<99 { (await calls(1, fixture))[0].answer(fixture.answer("a")) }
        await fixture.settled { await statuses(fixture, 100) == [.active] }
    }

    @Test func aWaitingCallerIsWokenWhenCallsStandStill() async throws {
        let fixture = EngineFixture(rows(100), fast)
        await fixture.start()
        let first = await calls(12, fixture)
        let entry = try #require(fixture.engine.entry(for: UserID("90")))
        #expect(entry.prospect == .underWay)
        let woken = Mailbox<Void>()
        _ = fixture.engine.onChange(of: UserID("90"), after: entry.version) { woken.send(()) }
        for call in first { call.fail(away) }
        await woken.next()
    }

    /// One of several daemons finds out first that it is over; the others need not wait for their own next probe.
    @Test func h11WhatAnotherDaemonWasGivenBringsTheNextProbeForward() async throws {
        let fixture = EngineFixture(rows(12), EngineConfiguration(maxInFlight: 1, maxPerSecond: 1000))
        await fixture.start()
        // The waits between probes grow: 1, 2, 4, 8, 16 s. There is always somebody in line.
        var tried: Set<Secret> = []
        for _ in 0..<6 {
            let probe = await fixture.endpoint.nextCallWhile { await fixture.advance(by: .milliseconds(500)) }
            tried.insert(probe.refreshToken)
            probe.fail(notUs)
            await fixture.turn()
        }
        let one = try #require((1...12).first { !tried.contains(Secret("r\($0)")) }.map { UserID("\($0)") })
        await fixture.advance(by: .seconds(1))
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 0, "the next probe is far off")
        func otherDaemonWrites(_ token: String) async {
            fixture.store[one]?.accessToken = token
            fixture.store[one]?.expiresAt = fixture.clock.now.wall + .seconds(900)
            fixture.store.tell(.users([one]))
            await fixture.settled { fixture.token(of: one) == token }
        }
        await otherDaemonWrites("a1")
        let probe = await fixture.endpoint.nextCall()
        probe.answer(fixture.answer("a2"))
        await fixture.settled { await fixture.engine.summary().stoppedFor == nil }
    }

    @Test func whatItIsOpenForIsToldWithAFailureOfThatKind() async {
        let fixture = EngineFixture(rows(2), fast)
        await open(fixture, by: notUs, 2)
        (await fixture.endpoint.nextCallWhile { await fixture.advance(by: .seconds(1)) }).fail(away)
        await fixture.turn()
        #expect(await fixture.engine.summary().stoppedFor?.contains("Unknown client") == true)
        #expect(await fixture.engine.summary().stoppedFor?.contains("no connection") == false)
    }
}
