// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Recognisable values are planted wherever a secret can stand, every way is driven at the most talkative level, and
/// everything that came out is searched.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SecrecyTests {
    @Test func noSecretIsInAnyOutputAtLevelTrace() async throws {
        try await Installation.with(accounts: 6, lifetime: .seconds(4), settings: ["LOG_LEVEL": "trace"]) {
            installation in
            for format in ["text", "json"] {
                let daemon = try await installation.startReadyDaemon(["LOG_FORMAT": format])
                var secrets = Set(try await plantedSecrets(installation))
                try await drive(installation) { secrets.formUnion(try await plantedSecrets(installation)) }
                let end = try await installation.stop(daemon)
                secrets.formUnion(try await plantedSecrets(installation))
                #expect(secrets.count > 8, "six grants, the client's secret and some tokens")
                for secret in secrets {
                    #expect(!end.errors.contains(secret), "log in format \(format)")
                    #expect(!end.output.contains(secret), "standard output")
                }
                #expect(end.errors.contains("refresh"), "a log that says nothing proves nothing")
            }
        }
    }

    @Test func theClientToolShowsNoSecretItWasNotAskedFor() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            let status = try await installation.tastytoken("status", "1", "--json")
            let wrong = try await installation.tastytoken("token", "nobody")
            for secret in try await plantedSecrets(installation) {
                for text in [status.output, status.errors, wrong.output, wrong.errors] {
                    #expect(!text.contains(secret))
                }
            }
            _ = try await installation.stop(daemon)
        }
    }

    /// Success, refusal, faults of every kind, replies that echo what was sent, a database that goes away.
    private func drive(_ installation: Installation, collect: () async throws -> Void) async throws {
        let simulator = installation.simulator
        let echo = Array("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n".utf8)
        simulator.set(Fault(.errorPage(ErrorPage(502))), for: .account("1"))
        simulator.set(Fault(.reset(.after)), for: .account("2"))
        let body = #"{"error_code":"invalid_request","error_description":"bad secret \#(installation.secret)"}"#
        simulator.set(Fault(.raw(echo + Array(body.utf8), closes: true)), for: .account("3"))
        simulator.revokeGrants(of: "4")
        for user in 1...6 { _ = try? SocketProbe.get("/v1/users/\(user)/token?max_wait=1", at: installation.socket) }
        try await eventually("failures are felt") { simulator.counts.count(.errorPage) > 2 }
        try await collect()
        try await installation.postgres.stop(mode: .immediate)
        for user in 1...6 { _ = try? SocketProbe.get("/v1/users/\(user)", at: installation.socket) }
        try await eventually("the database is missed") {
            let status = try SocketProbe.get("/v1/users/5", at: installation.socket).body
            return status.contains("could not be stored") || status.contains("could not be claimed")
        }
        try await installation.postgres.start()
        simulator.clearFaults()
        simulator.restoreGrants(of: "4")
        let issued = simulator.counts.count(.issued)
        try await eventually("refreshes go on") {
            try await collect()
            return simulator.counts.count(.issued) > issued + 4
        }
    }

    /// The client's secret, and every token and refresh token in the table.
    private func plantedSecrets(_ installation: Installation) async throws -> [String] {
        let rows = try await installation.postgres.query(
            "SELECT tastytrade_oauth_token FROM users UNION ALL SELECT tastytrade_oauth_refresh_token FROM users"
        )
        // A signature is enough to know a token by; whole values may be cut by a bounded text.
        let parts = rows.split(separator: "\n").compactMap {
            $0.split(separator: ".").last.map { String($0.prefix(24)) }
        }
        return [installation.secret] + parts
    }
}
