// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// The way of a token through the programs as they were built, on a real PostgreSQL, real TLS and a real socket.
@Suite(.serialized, .timeLimit(.minutes(5))) struct TokenWayTests {
    @Test func aTokenFromTheSocketIsGoodAndTheRowHoldsTheSame() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            let curl = try await RunningProgram.run(
                "/usr/bin/curl",
                ["-sS", "--fail", "--unix-socket", installation.socket, "http://localhost/v1/users/1/token"],
                in: installation.folder
            )
            #expect(curl.status == 0, "\(curl.errors)")
            let reply = SocketProbe.Reply(status: 200, head: "", body: curl.output)
            let token = try #require(reply.member("access_token"))
            #expect(installation.simulator.user(ofLiveToken: token) == "1")
            let row = try await installation.postgres.query(
                """
                SELECT tastytrade_oauth_token,
                  to_char(tastytrade_oauth_expires_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM users WHERE id = 1
                """
            )
            #expect(row == "\(token)|\(try #require(reply.member("expires_at")))")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func theClientToolPrintsTheTokenAndTheStatus() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            let token = try await installation.tastytoken("token", "1")
            #expect(token.status == 0)
            let text = token.output.trimmingCharacters(in: .newlines)
            #expect(installation.simulator.user(ofLiveToken: text) == "1")
            #expect(try await installation.tastytoken("header", "1").output == "Authorization: Bearer \(text)\n")
            let command = ["exec", "1", "--", "/bin/sh", "-c", "echo $TASTYTRADE_ACCESS_TOKEN; exit 3"]
            let executed = try await installation.tastytoken(command)
            #expect(executed.output == text + "\n")
            #expect(executed.status == 3)
            #expect(try await installation.tastytoken("status", "1").output.contains("active"))
            #expect(try await installation.tastytoken("token", "2").status == 67)
            #expect(try await installation.tastytoken("token").status == 64)
            _ = try await installation.stop(daemon)
            #expect(try await installation.tastytoken("token", "1").status == 69)
        }
    }

    @Test func aWatchOutlivesTheDaemonAndHasTheNextTokenAtOnce() async throws {
        try await Installation.with(accounts: 1) { installation in
            let first = try await installation.startReadyDaemon()
            let watch = try RunningProgram(
                "tastytoken",
                ["watch", "1"],
                environment: ["SOCKET_PATH": installation.socket],
                in: installation.folder
            )
            try await eventually("the first token") { watch.output.contains("\n") }
            first.signal(SIGKILL)
            _ = try await first.end()
            try await eventually("the loss is told") { watch.errors.contains("no daemon listens at") }
            let second = try await installation.startReadyDaemon(["DATABASE_RECONCILE_EVERY": "1s"])
            try await eventually("the return is told") { watch.errors.contains("all is well again") }
            #expect(watch.output.split(separator: "\n").count == 1, "the token is still the same")
            // The row's refresh token changes, and with it the daemon's token.
            let grant = try installation.simulator.makeGrant(for: "1")
            try await installation.postgres.execute(
                """
                UPDATE users SET tastytrade_oauth_token = NULL, tastytrade_oauth_expires_at = NULL,
                  tastytrade_oauth_refresh_token = '\(grant)'
                """
            )
            try await eventually("the next token") { watch.output.split(separator: "\n").count == 2 }
            let line = try #require(watch.output.split(separator: "\n").last)
            let token = try #require(
                SocketProbe.Reply(status: 200, head: "", body: String(line)).member("access_token")
            )
            #expect(installation.simulator.user(ofLiveToken: token) == "1")
            watch.signal(SIGKILL)
            _ = try await watch.end()
            #expect(try await installation.stop(second).status == 0)
        }
    }

    @Test func killedAndStartedAgainItRefreshesNothingThatLives() async throws {
        try await Installation.with(accounts: 20) { installation in
            let first = try await installation.startReadyDaemon()
            let given = try await installation.allTokens(1...20)
            first.signal(SIGKILL)
            #expect(try await first.end().status == -SIGKILL)
            let before = installation.simulator.counts.tokenRequests
            let second = try await installation.startReadyDaemon()
            #expect(try await installation.allTokens(1...20) == given)
            #expect(installation.simulator.counts.tokenRequests == before)
            #expect(try await installation.stop(second).status == 0)
            #expect(installation.simulator.counts.tokenRequests == before)
        }
    }

    @Test func killedInTheMiddleOfARefreshItTakesItsOwnClaimUpAgainAtOnceAndNobodyElseDoes() async throws {
        try await Installation.with(accounts: 1) { installation in
            installation.simulator.set(Fault(.hold))
            let first = try await installation.startReadyDaemon()
            #expect(await installation.simulator.counts(within: .seconds(30)) { $0.inFlight == 1 } != nil)
            first.signal(SIGKILL)
            _ = try await first.end()
            installation.simulator.clearFaults()

            let elsewhere = "\(installation.folder)/elsewhere"
            try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: true)
            let stranger = try await installation.startReadyDaemon(["STATE_DIRECTORY": elsewhere])
            let refused = try SocketProbe.get("/v1/users/1/token?max_wait=2", at: installation.socket)
            #expect(refused.status == 504, "the claim stands for ninety seconds: \(refused.body)")
            #expect(installation.simulator.counts.tokenRequests == 1)
            _ = try await installation.stop(stranger)

            let second = try await installation.startReadyDaemon()
            let taken = try SocketProbe.get("/v1/users/1/token?max_wait=30", at: installation.socket)
            #expect(taken.status == 200, "\(taken.body)")
            #expect(installation.simulator.counts.tokenRequests == 2)
            #expect(try await installation.stop(second).status == 0)
        }
    }

    @Test func askedToStopItFinishesAndStoresWhatIsInFlight() async throws {
        try await Installation.with(accounts: 5, settings: ["REFRESH_MAX_PER_SECOND": "1000"]) { installation in
            installation.simulator.set(Fault(.hold))
            let daemon = try await installation.startReadyDaemon()
            let held = await installation.simulator.counts(within: .seconds(30)) { $0.inFlight == 5 }
            #expect(held != nil, "\(daemon.errors)")
            daemon.signal(SIGTERM)
            try await eventually("the daemon drains") { daemon.errors.contains("draining") }
            installation.simulator.clearFaults()
            #expect(try await daemon.end().status == 0)
            let stored = try await installation.postgres.query(
                "SELECT count(*) FROM users WHERE tastytrade_oauth_token IS NOT NULL AND tastytrade_oauth_expires_at > now()"
            )
            #expect(stored == "5")
            #expect(installation.simulator.counts.tokenRequests == 5)
            #expect(!FileManager.default.fileExists(atPath: installation.socket))
        }
    }

    @Test func aThousandCallersShareOneRefresh() async throws {
        try await Installation.with(accounts: 1) { installation in
            installation.simulator.set(Fault(.hold))
            let daemon = try await installation.startReadyDaemon()
            let socket = installation.socket
            let sent = Mailbox<Void>()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await onThread {
                            var probe = try SocketProbe(at: socket)
                            let paths = Array(repeating: "/v1/users/1/token?max_wait=30", count: 50)
                            return try probe.get(paths, whenSent: { sent.send(()) }).filter { $0.status == 200 }.count
                        }
                    }
                }
                for _ in 0..<20 { await sent.next() }
                #expect(await installation.simulator.counts(within: .seconds(30)) { $0.inFlight == 1 } != nil)
                installation.simulator.clearFaults()
                var answered = 0
                for try await count in group { answered += count }
                #expect(answered == 1000)
            }
            #expect(installation.simulator.counts.tokenRequests == 1)
            _ = try await installation.stop(daemon)
        }
    }
}

extension Installation {
    /// The tokens of those users, asked for in one go.
    func allTokens(_ users: ClosedRange<Int>) async throws -> [String] {
        var probe = try SocketProbe(at: socket)
        return try probe.get(users.map { "/v1/users/\($0)/token" }).map { reply in
            try #require(reply.member("access_token"), "\(reply.body)")
        }
    }
}
