// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenSimulator

/// `POST refresh` through the programs as they were built: what a caller does whose token was turned down.
@Suite(.serialized, .timeLimit(.minutes(3))) struct OrderedRefreshTests {
    private func order(_ installation: Installation, ifMatch etag: String? = nil) async throws -> SocketProbe.Reply {
        let condition = etag.map { ["-H", "If-Match: \($0)"] } ?? []
        let curl = try await RunningProgram.run(
            "/usr/bin/curl",
            ["-sS", "-X", "POST"] + condition
                + [
                    "-w", "\n%{http_code}", "--unix-socket", installation.socket, "http://localhost/v1/users/1/refresh",
                ],
            in: installation.folder
        )
        #expect(curl.status == 0, "\(curl.errors)")
        let parts = curl.output.split(separator: "\n", omittingEmptySubsequences: false)
        let status = try #require(parts.last.flatMap { Int($0) })
        return SocketProbe.Reply(status: status, head: "", body: parts.dropLast().joined(separator: "\n"))
    }

    @Test func theTokenThatIsNamedIsReplacedOnceAndItsRowHoldsTheNext() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            let first = try SocketProbe.get("/v1/users/1/token", at: installation.socket)
            let etag = try #require(first.head.firstMatch(of: /(?i)etag: (\S+)/)).1
            var reply = try await order(installation, ifMatch: String(etag))
            #expect(reply.status == 429 && reply.member("code") == "too_many_refreshes", "it is just fresh")
            try await eventually("five seconds are over") {
                reply = try await order(installation, ifMatch: String(etag))
                return reply.status != 429
            }
            #expect(reply.status == 200)
            let token = try #require(reply.member("access_token"))
            #expect(token != first.member("access_token"))
            #expect(installation.simulator.user(ofLiveToken: token) == "1")
            let row = try await installation.postgres.query("SELECT tastytrade_oauth_token FROM users WHERE id = 1")
            #expect(row == token)
            let late = try await order(installation, ifMatch: String(etag))
            #expect(late.status == 412 && late.member("code") == "stale_token")
            #expect(installation.simulator.counts.tokenRequests == 2)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func anOrderCutsTheWaitAfterAFailureShort() async throws {
        // After its first failure an account waits for half of that at least.
        let patient = ["REFRESH_BACKOFF_INITIAL": "60s", "REFRESH_BACKOFF_MAX": "60s"]
        try await Installation.with(accounts: 1, settings: patient) { installation in
            installation.simulator.set(Fault(.outage(.unavailable)))
            let daemon = try await installation.startReadyDaemon()
            try await eventually("the first call has failed") {
                try SocketProbe.get("/v1/users/1/token?max_wait=0", at: installation.socket).status == 503
            }
            installation.simulator.clearFaults()
            let early = try await order(installation)
            #expect(early.status == 503 && early.member("code") == "token_unavailable", "\(early.body)")
            try await eventually(within: 25, "five seconds after the failure it is tried again") {
                try await order(installation).status == 200
            }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
