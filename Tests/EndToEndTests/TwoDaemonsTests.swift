// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Two daemons on one database, with a provider whose refresh tokens work once: a call too many kills the grant.
@Suite struct TwoDaemonsTests {
    @Test func noGrantIsLostAndNoneRefreshedTwiceWhileEitherIsRestarted() async throws {
        let (accounts, life, timeout) = (500, 20, 5)
        let settings = [
            "REFRESH_MAX_PER_SECOND": "200", "DATABASE_RECONCILE_EVERY": "2s", "REFRESH_CLAIM_FOR": "10s",
            "REFRESH_TIMEOUT": "\(timeout)s",
        ]
        try await Installation.with(accounts: accounts, lifetime: .seconds(life), settings: settings) { installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            let pair = DaemonPair(installation: installation)
            var daemons = ["a": try await pair.start("a"), "b": try await pair.start("b")]
            try await eventually("every account has a token at both") {
                (try? pair.tokens("a", of: 1...accounts)) != nil && (try? pair.tokens("b", of: 1...accounts)) != nil
            }
            let end = ContinuousClock.now + .seconds(3 * life)
            var turn = 0
            while ContinuousClock.now < end {
                let (restarted, other) = turn.isMultiple(of: 2) ? ("a", "b") : ("b", "a")
                turn += 1
                let daemon = try #require(daemons[restarted])
                daemon.signal(SIGTERM)
                let ended = try await daemon.end()
                #expect(ended.status == 0)
                _ = try pair.tokens(other, of: 1...accounts)
                daemons[restarted] = try await pair.start(restarted)
                for _ in 0..<4 {
                    try await Task.sleep(for: .seconds(1))
                    for name in ["a", "b"] { _ = try pair.tokens(name, of: 1...accounts) }
                }
            }
            // Each is a moment behind the other for some account at any time; what the one serves, the other comes to serve.
            let reference = try pair.tokens("a", of: 1...accounts)
            var missing = Set(1...accounts)
            try await eventually("daemon b serves the tokens of daemon a, or newer ones") {
                let (mine, theirs) = (try pair.tokens("a", of: 1...accounts), try pair.tokens("b", of: 1...accounts))
                missing = missing.filter { user in
                    let token = theirs[user - 1]
                    return token != reference[user - 1] && token != mine[user - 1]
                }
                return missing.isEmpty
            }
            let counts = installation.simulator.counts
            #expect(counts.grantsLost == 0)
            #expect(counts.reused == 0)
            #expect(counts.overlaps == 0)
            // A daemon that knew nothing of the other's refresh would make its own within the jitter, 0.2 of a life. The next is due
            // after 0.5 of a life at the soonest, counted from when the last was sent; and however busy the machine, what arrived
            // later than the timeout after that was given up.
            let soonest = life * 1000 / 2 - timeout * 1000
            for user in 1...accounts {
                let gap = installation.simulator.counts(of: "\(user)").shortestGapMs ?? .max
                #expect(gap >= soonest, "user \(user) was refreshed twice within \(gap) ms")
            }
            for daemon in daemons.values { #expect(try await installation.stop(daemon).status == 0) }
        }
    }

    @Test func h2AHolderPausedPastItsClaimOverwritesNothingAndLosesNothing() async throws {
        let settings = [
            "DATABASE_RECONCILE_EVERY": "1h", "REFRESH_CLAIM_FOR": "6s", "REFRESH_TIMEOUT": "3s",
            "REFRESH_CONNECT_TIMEOUT": "1s",
        ]
        try await Installation.with(accounts: 1, lifetime: .seconds(600), settings: settings) { installation in
            let pair = DaemonPair(installation: installation)
            let (a, b, first) = try await pair.startBoth()
            // The provider has done away with the refresh token, and the reply is held up.
            let before = installation.simulator.counts.made
            installation.simulator.set(Fault(.hold), for: .account("1"))
            try await pair.order("a", 1)
            try await eventually("the call is at the provider") { installation.simulator.counts.made == before + 1 }
            let epoch = try await pair.value("SELECT epoch FROM tastytokend.claims WHERE user_id = '1'")
            a.signal(SIGSTOP)
            installation.simulator.clearFaults(.account("1"))
            // The other one comes to the account, waits for the claim to run out, and finds it in doubt.
            try await pair.order("b", 1)
            try await eventually("the other daemon has claimed it since") {
                try await pair.value("SELECT epoch > \(epoch) FROM tastytokend.claims WHERE user_id = '1'") == "t"
            }
            try await Task.sleep(for: .seconds(2))
            #expect(installation.simulator.counts.made == before + 1, "it uses no refresh token that may be spent")
            #expect(try pair.tokens("b", of: 1...1) == [first], "it serves what it has")
            #expect(try await pair.stored() == first)
            a.signal(SIGCONT)
            try await eventually("both serve what the paused one was given, and the row has it; it said: \(a.errors)") {
                let (mine, theirs) = (try pair.tokens("a", of: 1...1), try pair.tokens("b", of: 1...1))
                return try await pair.stored() == mine[0] && mine[0] != first && mine == theirs
            }
            #expect(installation.simulator.counts.made == before + 1)
            // The refresh token that came with it is the one in the row.
            let second = try pair.tokens("a", of: 1...1)[0]
            try await pair.order("b", 1)
            try await eventually("the other one can refresh it") {
                let (mine, theirs) = (try pair.tokens("a", of: 1...1), try pair.tokens("b", of: 1...1))
                return theirs[0] != second && mine == theirs
            }
            #expect(installation.simulator.counts.grantsLost == 0)
            #expect(installation.simulator.counts.reused == 0)
            for daemon in [a, b] { #expect(try await installation.stop(daemon).status == 0) }
        }
    }

    @Test func whatADaemonStoresTheOtherServesWithoutLookingForIt() async throws {
        let settings = ["DATABASE_RECONCILE_EVERY": "1h"]
        try await Installation.with(accounts: 1, lifetime: .seconds(3600), settings: settings) { installation in
            let pair = DaemonPair(installation: installation)
            let (a, b, first) = try await pair.startBoth()
            let made = installation.simulator.counts.made
            try await pair.order("a", 1)
            try await eventually("both serve the new one") {
                let (mine, theirs) = (try pair.tokens("a", of: 1...1), try pair.tokens("b", of: 1...1))
                return mine[0] != first && mine == theirs
            }
            #expect(installation.simulator.counts.made == made + 1, "the other one made no call for it")
            for daemon in [a, b] { #expect(try await installation.stop(daemon).status == 0) }
        }
    }

    @Test func aDaemonThatStopsGivesBackItsClaimsAndTheOtherGoesOn() async throws {
        let settings = [
            "DATABASE_RECONCILE_EVERY": "1h", "REFRESH_CLAIM_FOR": "1h", "REFRESH_BACKOFF_INITIAL": "10m",
            "REFRESH_BACKOFF_MAX": "10m",
        ]
        try await Installation.with(accounts: 1, lifetime: .seconds(36_000), settings: settings) { installation in
            let pair = DaemonPair(installation: installation)
            let (a, b, first) = try await pair.startBoth()
            installation.simulator.set(Fault(.errorPage(ErrorPage(503))), for: .account("1"))
            try await pair.order("a", 1)
            let kept = "FROM tastytokend.claims WHERE user_id = '1' AND until > now() + interval '1 minute'"
            try await eventually("it failed, and keeps its claim until the next try") {
                try SocketProbe.get("/v1/users/1", at: pair.socket(of: "a")).member("status")
                    == "degraded"
            }
            installation.simulator.clearFaults(.account("1"))
            let until = try await pair.value("SELECT until \(kept)")
            let made = installation.simulator.counts.made
            try await pair.order("b", 1)
            try await Task.sleep(for: .seconds(2))
            #expect(installation.simulator.counts.made == made, "the other one lets it try")
            #expect(try pair.tokens("b", of: 1...1) == [first])
            #expect(try await installation.stop(a).status == 0)
            try await eventually("the other one goes on") { try pair.tokens("b", of: 1...1) != [first] }
            #expect(try await pair.value("SELECT now() < '\(until)'::timestamptz") == "t", "it would have had to wait")
            #expect(try await installation.stop(b).status == 0)
        }
    }
}
