// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

/// Faults that last from one refresh to the next: rotation, the same token again, chance; and what is counted of them.
@Suite(.timeLimit(.minutes(2))) struct FaultBehaviourTests {
    /// A refresh that must go well, and the tokens of its reply.
    private func refresh(_ caller: Caller, _ grant: String) async throws -> (access: String, refresh: String?) {
        let reply = try await caller.rawRefresh(grant)
        let masked = caller.masked(reply.text)
        let rotates = masked.text.contains("{refresh}")
        let member = rotates ? #","refresh_token":"{refresh}""# : ""
        try #require(
            masked.text.hasSuffix(#"{"access_token":"{access}","token_type":"Bearer","expires_in":900\#(member)}"#)
        )
        return (try #require(masked.tokens.first), rotates ? masked.tokens.last : nil)
    }

    private func refused(_ caller: Caller, _ grant: String) async throws {
        let reply = try await caller.rawRefresh(grant)
        #expect(reply.head.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(reply.text.hasSuffix(#"{"error_code":"invalid_grant","error_description":"Grant revoked"}"#))
    }

    @Test func strictRotationKillsTheGrantWhenARefreshTokenIsUsedTwice() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"rotation"}"#)
            let first = try caller.simulator.makeGrant(for: "42")
            let second = try #require(try await refresh(caller, first).refresh)
            let third = try #require(try await refresh(caller, second).refresh)
            #expect(Set([first, second, third]).count == 3)
            #expect(!caller.simulator.isGood(refreshToken: second))
            #expect(caller.simulator.counts.reused == 0)
            try await refused(caller, first)
            try await refused(caller, third)
            let counts = caller.simulator.counts(of: "42")
            #expect([counts.requests, counts.issued, counts.reused, counts.grantsLost] == [4, 2, 1, 1])
            #expect(caller.simulator.counts.grantsLost == 1)
            #expect(caller.simulator.counts(ofGrant: third) == counts)
            let anew = try caller.simulator.makeGrant(for: "42")
            _ = try await refresh(caller, anew)
            #expect(caller.simulator.counts(ofGrant: anew)?.grantsLost == 0)
        }
    }

    /// The numbers that it gives begin anew then.
    @Test func aGrantThatWasRotatedBeforeTheSimulatorWasRestartedIsRotatedOn() async throws {
        var grant = ""
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"rotation"}"#)
            grant = try caller.simulator.makeGrant(for: "42")
            for _ in 0..<9 { grant = try #require(try await refresh(caller, grant).refresh) }
        }
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"rotation"}"#)
            for _ in 0..<3 { grant = try #require(try await refresh(caller, grant).refresh) }
            #expect(caller.simulator.counts.grantsLost == 0 && caller.simulator.counts.reused == 0)
        }
    }

    @Test func aLostReplyUnderStrictRotationLosesTheGrant() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"rotation"}"#)
            try await caller.order(#"{"mode":"lost_reply","count":1}"#)
            let grant = try caller.simulator.makeGrant(for: "42")
            let lost = try await caller.rawRefresh(grant)
            #expect(lost.bytes.isEmpty)
            try await refused(caller, grant)
            #expect(caller.simulator.counts.grantsLost == 1)
        }
    }

    @Test func withGraceARefreshTokenIsGoodForAWhileAfterItsExchange() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"rotation","style":"grace","grace_ms":5000}"#)
            let first = try caller.simulator.makeGrant(for: "42")
            let second = try #require(try await refresh(caller, first).refresh)
            caller.clock.advance(by: .milliseconds(4999))
            let again = try #require(try await refresh(caller, first).refresh)
            #expect(again != second)
            let counts = caller.simulator.counts(of: "42")
            #expect([counts.issued, counts.reused, counts.grantsLost] == [2, 1, 0])
            _ = try await refresh(caller, again)
            caller.clock.advance(by: .milliseconds(1))
            try await refused(caller, first)
            #expect(caller.simulator.counts.grantsLost == 1)
        }
    }

    @Test func silentRotationLeavesTheOldRefreshTokenGood() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"rotation","style":"silent"}"#)
            let first = try caller.simulator.makeGrant(for: "42")
            let second = try #require(try await refresh(caller, first).refresh)
            _ = try await refresh(caller, first)
            _ = try await refresh(caller, second)
            caller.simulator.clearFaults()
            let tokens = try await refresh(caller, first)
            #expect(tokens.refresh == nil)
            #expect(caller.simulator.counts.reused == 0)
        }
    }

    @Test func whatWasExchangedStaysSoAfterTheFault() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"rotation","count":1}"#)
            let first = try caller.simulator.makeGrant(for: "42")
            let second = try #require(try await refresh(caller, first).refresh)
            let tokens = try await refresh(caller, second)
            #expect(tokens.refresh == nil)
            try await refused(caller, first)
        }
    }

    @Test func aNewRefreshTokenComesInABrokenReplyToo() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"rotation"}"#)
            try await caller.order(#"{"mode":"malformed","kind":"refresh_token_only","count":1}"#)
            let reply = try await caller.rawRefresh(try caller.simulator.makeGrant(for: "42"))
            let masked = caller.masked(reply.text)
            #expect(masked.text.hasSuffix(#"{"refresh_token":"{refresh}"}"#))
            _ = try await refresh(caller, try #require(masked.tokens.first))
        }
    }

    @Test func aRefreshKillsEarlierAccessTokensWhileTheFaultIsSet() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            let other = try await refresh(caller, try caller.simulator.makeGrant(for: "43")).access
            let first = try await refresh(caller, grant).access
            try await caller.order(#"{"mode":"kills_previous"}"#)
            #expect(caller.simulator.user(ofLiveToken: first) == "42")
            let second = try await refresh(caller, grant).access
            #expect(caller.simulator.user(ofLiveToken: first) == nil)
            let headers = Caller.agent + ["Authorization": "Bearer \(first)"]
            let dead = try await caller.call("GET", "/customers/me/accounts", headers: headers)
            #expect(dead.status == 401)
            #expect(caller.simulator.user(ofLiveToken: second) == "42")
            #expect(caller.simulator.user(ofLiveToken: other) == "43")
            caller.simulator.clearFaults()
            _ = try await refresh(caller, grant)
            #expect(caller.simulator.user(ofLiveToken: second) == "42")
        }
    }

    @Test func theSameTokenComesAgainWithTheLifeThatIsLeft() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"same_token"}"#)
            let grant = try caller.simulator.makeGrant(for: "42")
            let first = try await refresh(caller, grant).access
            caller.clock.advance(by: .seconds(600))
            let again = try await caller.refresh(grant)
            #expect(again.json["access_token"]?.text == first)
            #expect(again.json["expires_in"] == 300)
            caller.clock.advance(by: .seconds(300))
            let next = try await refresh(caller, grant).access
            #expect(next != first)
            caller.simulator.clearFaults()
            let ordinary = try await refresh(caller, grant).access
            #expect(ordinary != next)
        }
    }

    @Test func theSameTokenComesOutOfACacheForEver() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"same_token","style":"cached","user":"42"}"#)
            let grant = try caller.simulator.makeGrant(for: "42")
            let first = try await caller.rawRefresh(grant)
            caller.clock.advance(by: .seconds(3600))
            let again = try await caller.rawRefresh(grant)
            #expect(again.bytes == first.bytes)
            #expect(caller.masked(again.text).tokens.isEmpty, "it is long dead")
        }
    }

    private func flakyRun(seed: UInt64, _ order: String) async throws -> [String] {
        var statuses: [String] = []
        try await Caller.with({ $0.randomSeed = seed }) { caller in
            try await caller.order(order)
            let grant = try caller.simulator.makeGrant(for: "42")
            for _ in 0..<60 {
                let reply = try await caller.rawRefresh(grant)
                statuses.append(reply.ending == .reset ? "reset" : String(reply.text.dropFirst(9).prefix(3)))
            }
            #expect(caller.simulator.counts(of: "42").requests == 60)
        }
        return statuses
    }

    @Test func aFlakyEndpointFailsAsItsSeedSays() async throws {
        let order = #"{"mode":"flaky","share":0.5}"#
        let run = try await flakyRun(seed: 1, order)
        #expect(try await flakyRun(seed: 1, order) == run)
        #expect(try await flakyRun(seed: 2, order) != run)
        #expect(Set(run) == ["200", "400", "502", "reset"])
        #expect((15...45).contains(run.count { $0 == "200" }))
    }

    @Test func theShareOfAFlakyEndpointIsKept() async throws {
        #expect(Set(try await flakyRun(seed: 3, #"{"mode":"flaky","share":0}"#)) == ["200"])
        #expect(Set(try await flakyRun(seed: 3, #"{"mode":"flaky","share":1,"kinds":["unavailable"]}"#)) == ["503"])
        #expect(Set(try await flakyRun(seed: 3, #"{"mode":"flaky","share":1,"kinds":["lost_reply"]}"#)) == [""])
    }

    @Test func theSandboxesRefusalIsThatOfAHealthyGrant() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"flaky","share":1,"kinds":["refusal"]}"#)
            let reply = try await caller.rawRefresh(try caller.simulator.makeGrant(for: "42"))
            #expect(
                reply.text.hasSuffix(
                    #"{"error_code":"invalid_request","error_description":"User is not a TastyTrade customer"}"#
                )
            )
        }
    }

    @Test func faultsFromTheStartAreSetForAllAndForOne() async throws {
        func prepare(_ configuration: inout SimulatorConfiguration) {
            configuration.faults = [Fault(.rateLimited(.seconds(3)), count: 1)]
            configuration.accountFaults = ["42": [Fault(.userAgentRefused(isEmpty: true))]]
        }
        try await Caller.with(prepare) { caller in
            let own = try await caller.rawRefresh(try caller.simulator.makeGrant(for: "42"))
            #expect(own.head.hasPrefix("HTTP/1.1 401 "))
            let grant = try caller.simulator.makeGrant(for: "43")
            let all = try await caller.rawRefresh(grant)
            #expect(all.head.hasPrefix("HTTP/1.1 429 "))
            _ = try await refresh(caller, grant)
        }
    }

    @Test func ratesAndGapsAreCounted() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            for pause in [0, 300, 800, 950, 9000] {
                caller.clock.advance(by: .milliseconds(pause))
                _ = try await refresh(caller, grant)
            }
            _ = try await refresh(caller, try caller.simulator.makeGrant(for: "43"))
            let counts = caller.simulator.counts
            #expect(counts.peakPerSecond == 2)
            #expect(counts.peakPerTenSeconds == 4)
            #expect(counts.made == 6)
            #expect(caller.simulator.counts(of: "42").peakPerSecond == 2)
            #expect(caller.simulator.counts(of: "42").shortestGapMs == 300)
            let listed = try await caller.control("GET", "accounts").json
            guard case .array(let accounts)? = listed["accounts"] else {
                Issue.record("no list")
                return
            }
            #expect(accounts.map { $0["user"] } == ["42", "43"])
            #expect(accounts.first?["counts"]?["shortest_gap_ms"] == 300)
            #expect(accounts.last?["counts"]?["shortest_gap_ms"] == nil)
        }
    }
}
