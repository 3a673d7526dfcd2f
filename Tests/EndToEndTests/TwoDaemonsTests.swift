// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Two daemons on one database, with a provider whose refresh tokens work once: a call too many kills the grant.
@Suite struct TwoDaemonsTests {
    private struct Pair {
        let installation: Installation

        func settings(_ name: String) throws -> [String: String] {
            let folder = "\(installation.folder)/\(name)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            return ["SOCKET_PATH": "\(folder)/api.sock", "STATE_DIRECTORY": folder]
        }

        func start(_ name: String) async throws -> RunningProgram {
            let daemon = try installation.startDaemon(settings(name))
            try await eventually("daemon \(name) is ready; it said: \(daemon.errors)") {
                (try? SocketProbe.get("/readyz", at: "\(installation.folder)/\(name)/api.sock").status) == 200
            }
            return daemon
        }

        /// The tokens that this daemon serves; fails if an account has none.
        func tokens(_ name: String, of users: ClosedRange<Int>) throws -> [String] {
            var probe = try SocketProbe(at: "\(installation.folder)/\(name)/api.sock")
            let replies = try probe.get(users.map { "/v1/users/\($0)/token?min_ttl=0&max_wait=0" })
            return try zip(users, replies).map { user, reply in
                guard reply.status == 200, let token: String = reply.member("access_token") else {
                    let account = try probe.get(["/v1/users/\(user)"])[0].body
                    throw Overdue(description: "\(name): \(reply.status) \(reply.body) \(account)")
                }
                return token
            }
        }
    }

    @Test func noGrantIsLostAndNoneRefreshedTwiceWhileEitherIsRestarted() async throws {
        let (accounts, life, timeout) = (500, 20, 5)
        let settings = [
            "REFRESH_MAX_PER_SECOND": "200", "DATABASE_RECONCILE_EVERY": "2s", "REFRESH_CLAIM_FOR": "10s",
            "REFRESH_TIMEOUT": "\(timeout)s",
        ]
        try await Installation.with(accounts: accounts, lifetime: .seconds(life), settings: settings) { installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            let pair = Pair(installation: installation)
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
}
