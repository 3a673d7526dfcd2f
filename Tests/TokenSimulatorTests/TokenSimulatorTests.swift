// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

/// Faults and counts over HTTP.
@Suite(.timeLimit(.minutes(2))) struct TokenSimulatorTests {
    @Test(arguments: ErrorPage.Body.allCases)
    func anErrorPageComesAsOftenAsItCounts(body: ErrorPage.Body) async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            caller.simulator.set(Fault(.errorPage(ErrorPage(502, body: body, retryAfter: "9")), count: 1))
            let faulty = try await caller.refresh(grant)
            #expect(faulty.status == 502)
            #expect(faulty.headers["retry-after"] == "9")
            switch body {
            case .html: #expect(faulty.text.contains("<h1>502 Bad Gateway</h1>"))
            case .json: #expect(faulty.json["error"]?["code"] == "internal_error")
            case .waf: #expect(faulty.text.contains("<h1>Request blocked</h1>"))
            case .empty: #expect(faulty.text.isEmpty)
            }
            let good = try await caller.refresh(grant)
            #expect(good.status == 200)
        }
    }

    @Test func anAccountsFaultLeavesOthersAlone() async throws {
        try await Caller.with { caller in
            caller.simulator.set(
                Fault(.refusal(status: 400, code: "invalid_request", description: "User is not a TastyTrade customer")),
                for: .account("42")
            )
            let refused = try await caller.refresh(try caller.simulator.makeGrant(for: "42"))
            #expect(refused.json["error_description"] == "User is not a TastyTrade customer")
            let good = try await caller.refresh(try caller.simulator.makeGrant(for: "43"))
            #expect(good.status == 200)
        }
    }

    @Test(arguments: ResetPoint.allCases)
    func aResetEndsTheConnectionBeforeOrAfterTheWork(point: ResetPoint) async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            caller.simulator.set(Fault(.reset(point), count: 1))
            await #expect(throws: (any Error).self) { try await caller.refresh(grant) }
            #expect(caller.simulator.counts(of: "42").issued == (point == .after ? 1 : 0))
            #expect(caller.simulator.counts.count(point == .after ? .resetAfter : .resetBefore) == 1)
            let good = try await caller.refresh(grant)
            #expect(good.status == 200)
        }
    }

    @Test func aLifetimeIsTakenAtOnceAndRoundedDown() async throws {
        try await Caller.with { caller in
            caller.simulator.set(Fault(.lifetime(.milliseconds(2900))), for: .account("42"))
            let reply = try await caller.refresh(try caller.simulator.makeGrant(for: "42"))
            #expect(reply.json["expires_in"] == 2)
        }
    }

    @Test func anOutageAnswers503UntilItsTimeIsOver() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            caller.simulator.set(Fault(.outage(.unavailable), duration: .seconds(3)))
            let away = try await caller.refresh(grant)
            #expect(away.status == 503)
            let probe = try await caller.call("GET", "/customers/me/accounts")
            #expect(probe.status == 503)
            caller.clock.advance(by: .seconds(3))
            let back = try await caller.refresh(grant)
            #expect(back.status == 200)
        }
    }

    @Test func anOutageResetsNewConnectionsAtOnceAndOldOnesAtTheirNextRequest() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            _ = try await caller.refresh(grant)
            caller.simulator.set(Fault(.outage(.reset), duration: .seconds(3)))
            await #expect(throws: (any Error).self) { try await caller.refresh(grant) }
            #expect(caller.simulator.counts.count(.outage) == 1)
            await #expect(throws: (any Error).self) { try await caller.refresh(grant) }
            #expect(caller.simulator.counts.connectionsReset == 1)
            #expect(caller.simulator.counts.count(.outage) == 1)
            caller.clock.advance(by: .seconds(3))
            let back = try await caller.refresh(grant)
            #expect(back.status == 200)
        }
    }

    @Test func heldAnswersShowCallsOfOneAccountThatMeet() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            caller.simulator.set(Fault(.hold))
            async let first = caller.refresh(grant)
            async let second = caller.refresh(grant)
            async let other = caller.refresh(try caller.simulator.makeGrant(for: "43"))
            let counts = await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 3 }
            #expect(counts?.overlaps == 1)
            #expect(counts?.peakInFlight == 3)
            caller.simulator.clearFaults()
            let statuses = [try await first.status, try await second.status, try await other.status]
            #expect(statuses == [200, 200, 200])
            #expect(caller.simulator.counts.inFlight == 0)
            let counted = caller.simulator.counts(of: "42")
            #expect([counted.requests, counted.issued, counted.inFlight, counted.overlaps] == [2, 2, 0, 1])
            #expect(caller.simulator.counts(of: "43").overlaps == 0)
        }
    }

    @Test func aCallerWhoGivesUpIsNoLongerInFlight() async throws {
        try await Caller.with { caller in
            caller.simulator.set(Fault(.hold))
            let grant = try caller.simulator.makeGrant(for: "42")
            let call = Task { try await caller.refresh(grant) }
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 1 } != nil)
            call.cancel()
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 0 } != nil)
            caller.simulator.releaseHeld()
        }
    }

    @Test func latencyDelaysTheAnswerAndKeepsTheRequestInFlight() async throws {
        try await Caller.with { caller in
            caller.simulator.set(Fault(.latency(.seconds(3600) ... .seconds(7200)), count: 1))
            let grant = try caller.simulator.makeGrant(for: "42")
            let slow = Task { try await caller.refresh(grant) }
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 1 } != nil)
            let quick = try await caller.refresh(grant)
            #expect(quick.status == 200)
            #expect(caller.simulator.counts.inFlight == 1)
            slow.cancel()
            _ = await slow.result
            caller.simulator.set(Fault(.latency(.milliseconds(1) ... .milliseconds(5))))
            let late = try await caller.refresh(grant)
            #expect(late.status == 200)
        }
    }

    @Test func rawBytesGoOutAsTheyAre() async throws {
        try await Caller.with { caller in
            let text = "HTTP/1.1 418 Teapot\r\nX-Odd: yes\r\nContent-Length: 2\r\n\r\nhi"
            caller.simulator.set(Fault(.raw(Array(text.utf8), closes: true)))
            let reply = try await caller.refresh(try caller.simulator.makeGrant(for: "42"))
            #expect(reply.status == 418)
            #expect(reply.headers["x-odd"] == "yes")
            #expect(reply.text == "hi")
        }
    }

    @Test func noListHoldsASecret() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            let access = try await caller.refresh(grant).json["access_token"]?.text
            let token = try #require(access)
            let headers = Caller.agent + ["Authorization": "Bearer \(token)", "Cookie": "planted"]
            _ = try await caller.call("GET", "/customers/me/accounts", headers: headers)
            var shown = ""
            dump(caller.simulator.requests, to: &shown)
            shown += try await caller.control("GET", "requests").text
            for secret in [grant, token, Caller.secret, "planted"] { #expect(!shown.contains(secret)) }
        }
    }

    @Test func aConnectionTooManyIsReset() async throws {
        try await Caller.with({ $0.maximumConnections = 1 }) { caller in
            caller.simulator.set(Fault(.hold))
            let grant = try caller.simulator.makeGrant(for: "42")
            let first = Task { try await caller.refresh(grant) }
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 1 } != nil)
            await #expect(throws: (any Error).self) { try await caller.refresh(grant) }
            #expect(caller.simulator.counts.connectionsReset == 1)
            caller.simulator.releaseHeld()
            let reply = try await first.value
            #expect(reply.status == 200)
        }
    }

    @Test func aWaitForCountsEnds() async throws {
        try await Caller.with { caller in
            #expect(await caller.simulator.counts(within: .milliseconds(1)) { $0.requests == 7 } == nil)
        }
    }

    @Test(arguments: ["0.0.0.0", "192.0.2.1", "::", "example.com", "127.0.0.1.example.com", "127.1", ""])
    func onlyLoopbackIsListenedOn(host: String) async {
        var configuration = SimulatorConfiguration(keySeed: "test", randomSeed: 1)
        configuration.host = host
        await #expect(throws: SimulatorFailure.self) {
            _ = try await TokenSimulator.start(configuration, clock: SimulatorInstant.systemNow)
        }
    }

    @Test func aPortThatIsTakenIsAFailure() async throws {
        try await Caller.with { caller in
            var configuration = SimulatorConfiguration(keySeed: "test", randomSeed: 1)
            configuration.port = caller.simulator.port
            await #expect(throws: SimulatorFailure.self) {
                _ = try await TokenSimulator.start(configuration, clock: SimulatorInstant.systemNow)
            }
        }
    }
}
