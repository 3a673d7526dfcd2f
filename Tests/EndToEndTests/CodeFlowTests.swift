// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Accounts that are connected on TastyTrade's page by a web application with nothing but curl (hard case H32).
@Suite(.serialized, .timeLimit(.minutes(3))) struct CodeFlowTests {
    /// A web application on a daemon's host: its browser and its side of the socket are both curl.
    private struct Application {
        let installation: Installation
        let socket: String

        init(_ installation: Installation, at socket: String? = nil) {
            (self.installation, self.socket) = (installation, socket ?? installation.socket)
        }

        private func curl(_ arguments: [String]) async throws -> String {
            let end = try await RunningProgram.run(
                "/usr/bin/curl",
                ["--silent", "--max-time", "60"] + arguments,
                in: installation.folder
            )
            #expect(end.status == 0, "curl \(arguments): \(end)")
            return end.output
        }

        /// What the daemon answers: the status, and the body.
        func ask(_ path: String, _ body: String) async throws -> (status: String, body: [String: Any]) {
            let output = try await curl(
                ["--unix-socket", socket, "http://localhost\(path)", "-d", body, "-w", "\n%{http_code}"]
            )
            let parts = output.split(separator: "\n")
            let object = parts.first.flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) }
            return (String(parts.last ?? ""), object as? [String: Any] ?? [:])
        }

        /// Begins, and says where to go and what comes back.
        func begin(_ user: Int) async throws -> (page: String, state: String) {
            let reply = try await ask("/v1/users/\(user)/authorizations", "{}")
            #expect(reply.status == "200", "\(reply)")
            return (
                try #require(reply.body["authorization_url"] as? String), try #require(reply.body["state"] as? String)
            )
        }

        /// What TastyTrade's page sends the browser back with.
        func decide(_ decision: String, _ login: String, on page: String) async throws -> [String: String] {
            let address = try await curl(
                [
                    "--cacert", "\(installation.folder)/authority.pem", page, "-o", "/dev/null", "-w",
                    "%header{location}",
                    "-d", "customer=\(login)", "-d", "decision=\(decision)",
                ]
            )
            #expect(address.hasPrefix("http://localhost:3000/tastytrade/oauth/callback?"), "\(address)")
            let items = URLComponents(string: address)?.queryItems ?? []
            return Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first }
        }

        /// Finishes what was begun.
        func finish(_ state: String, _ parameters: [String: String]) async throws -> (status: String, code: String?) {
            let body =
                parameters["code"].map { #"{"code":"\#($0)"}"# } ?? #"{"error":"\#(parameters["error"] ?? "")"}"#
            let reply = try await ask("/v1/authorizations/\(state)", body)
            return (reply.status, reply.body["code"] as? String)
        }
    }

    private func with(
        accounts: Int = 1,
        _ body: (Installation, Application) async throws -> Void
    ) async throws {
        try await Installation.with(accounts: accounts, lifetime: .seconds(20)) { installation in
            let daemon = try await installation.startReadyDaemon(Self.settings(installation))
            try await body(installation, Application(installation))
            installation.expectNothingLost()
            #expect(installation.simulator.counts.outcomes["code_reused"] ?? 0 == 0)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    private static func settings(_ installation: Installation) -> [String: String] {
        [
            "TASTYTRADE_CLIENT_ID": SimulatedClient().id,
            "TASTYTRADE_AUTHORIZE_URL": "\(installation.simulator.url)/auth.html",
        ]
    }

    private func row(_ user: Int, _ installation: Installation) async throws -> String {
        try await installation.postgres.query("SELECT tastytrade_oauth_refresh_token FROM users WHERE id = \(user)")
    }

    @Test func anAccountIsConnectedAndItsTokenKeptFresh() async throws {
        try await with(accounts: 0) { installation, application in
            try await installation.postgres.execute("INSERT INTO users DEFAULT VALUES")
            let (page, state) = try await application.begin(1)
            let back = try await application.decide("authorize", "ann", on: page)
            #expect(back["state"] == state)
            #expect(try await application.finish(state, back).status == "200")
            let token = try installation.token(of: 1)
            #expect(installation.simulator.user(ofLiveToken: token) == "ann")
            #expect(try await !row(1, installation).isEmpty)
            try await eventually(within: 30, "it is refreshed by itself") { try installation.token(of: 1) != token }
        }
    }

    /// What is in flight at SIGTERM is finished and stored, as a refresh is (product.md, the daemon).
    @Test func whoIsBeingConnectedWhenTheDaemonIsStoppedIsConnected() async throws {
        try await Installation.with(accounts: 0) { installation in
            try await installation.postgres.execute("INSERT INTO users (email) VALUES ('a'), ('b')")
            let daemon = try await installation.startReadyDaemon(Self.settings(installation))
            let application = Application(installation)
            let (page, state) = try await application.begin(1)
            let back = try await application.decide("authorize", "ann", on: page)
            let grant = try installation.simulator.makeGrant(for: "bob", client: SimulatedClient().id)
            installation.simulator.set(Fault(.latency(.seconds(3)...(.seconds(3)))))
            async let finished = application.finish(state, back)
            async let added = installation.tastytoken(["grant", "add", "2"], input: grant)
            try await eventually("both calls are made") { installation.simulator.counts.tokenRequests >= 2 }
            #expect(try await installation.stop(daemon).status == 0)
            #expect(try await finished.status == "200")
            #expect(try await added.status == 0)
            #expect(try await !row(1, installation).isEmpty)
            #expect(try await row(2, installation) == grant)
            installation.expectNothingLost()
        }
    }

    @Test func h32WhoDeniesOrComesTwiceOrTooLateChangesNothing() async throws {
        try await with { installation, application in
            let grant = try await row(1, installation)
            let denied = try await application.begin(1)
            let no = try await application.decide("deny", "ann", on: denied.page)
            #expect(no["error"] == "access_denied")
            let refused = try await application.finish(denied.state, no)
            #expect(refused.status == "422" && refused.code == "grant_refused")

            let late = try await application.begin(1)
            let back = try await application.decide("authorize", "ann", on: late.page)
            try await installation.postgres.execute("UPDATE tastytokend.authorizations SET expires_at = now()")
            let over = try await application.finish(late.state, back)
            #expect(over.status == "410" && over.code == "invalid_state")
            #expect(try await row(1, installation) == grant)

            let good = try await application.begin(1)
            let code = try await application.decide("authorize", "ann", on: good.page)
            // The button was pressed twice.
            async let first = application.finish(good.state, code)
            async let second = application.finish(good.state, code)
            let statuses = [try await first.status, try await second.status].sorted()
            #expect(statuses == ["200", "410"] || statuses == ["200", "429"], "\(statuses)")
            #expect(try await application.finish(good.state, code).status == "410")
            #expect(try await row(1, installation) != grant)
        }
    }

    @Test func h32OneDaemonBeginsAndAnotherFinishes() async throws {
        try await Installation.with(accounts: 1) { installation in
            #expect(try await installation.tastytokend("migrate").status == 0)
            let daemon = try await installation.startReadyDaemon(Self.settings(installation))
            let other = "\(installation.folder)/other"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            let settings = Self.settings(installation).merging(
                ["SOCKET_PATH": "\(other)/s", "STATE_DIRECTORY": other]
            ) { $1 }
            let second = try installation.startDaemon(settings)
            try await eventually("the second one is ready") {
                (try? SocketProbe.get("/readyz", at: "\(other)/s").status) == 200
            }
            let begun = try await Application(installation).begin(1)
            let back = try await Application(installation).decide("authorize", "ann", on: begun.page)
            // The first one dies before anybody is back.
            daemon.signal(SIGKILL)
            _ = try await daemon.end()
            let there = Application(installation, at: "\(other)/s")
            #expect(try await there.finish(begun.state, back).status == "200")
            #expect(
                installation.simulator.user(ofLiveToken: try Installation.tokens(of: 1...1, at: "\(other)/s")[0])
                    == "ann"
            )
            #expect(try await installation.stop(second).status == 0)
        }
    }

    @Test func h32AnExchangeThatIsNotAnsweredLeavesTheOldGrant() async throws {
        try await with { installation, application in
            try await eventually("the first token is there") { (try? installation.token(of: 1)) != nil }
            let grant = try await row(1, installation)
            let begun = try await application.begin(1)
            let back = try await application.decide("authorize", "ann", on: begun.page)
            installation.simulator.set(Fault(.outage(.unavailable)))
            let failed = try await application.finish(begun.state, back)
            #expect(failed.status == "503")
            installation.simulator.clearFaults()
            #expect(try await application.finish(begun.state, back).status == "410")
            #expect(try await row(1, installation) == grant)
            try await eventually(within: 30, "the old grant goes on") { (try? installation.token(of: 1)) != nil }
        }
    }

    /// What a person could read afterwards holds neither code nor state, and the database no state.
    @Test func h31NeitherStateNorCodeStandsAnywhere() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon(
                Self.settings(installation).merging(["LOG_LEVEL": "trace"]) { $1 }
            )
            let application = Application(installation)
            let begun = try await application.begin(1)
            let noted = try await installation.postgres.query("SELECT a::text FROM tastytokend.authorizations a")
            #expect(!noted.isEmpty && !noted.contains(begun.state))
            let back = try await application.decide("authorize", "ann", on: begun.page)
            #expect(try await application.finish(begun.state, back).status == "200")
            #expect(try await installation.stop(daemon).status == 0)
            let code = try #require(back["code"])
            #expect(!daemon.errors.contains(begun.state) && !daemon.errors.contains(code))
        }
    }
}
