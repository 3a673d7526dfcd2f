// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// `doctor` through the programs as they were built: the slips that people make with an account, and what it says of them.
@Suite(.serialized, .timeLimit(.minutes(6))) struct DoctorTests {
    private static let client = "5b1a7c5e-51d0-4c1e-9d3f-7a57e51d0001"
    private static let otherClient = "6e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11"
    private static let settings = ["TASTYTRADE_CLIENT_ID": client]

    /// Asks about a user until TastyTrade was asked too, which it is every five seconds at most.
    private func diagnose(_ user: Int, _ installation: Installation) async throws -> RunningProgram.End {
        var end = try await installation.tastytoken("doctor", "\(user)")
        try await eventually("TastyTrade is asked") {
            guard end.output.contains("probe_left_out") else { return true }
            try await Task.sleep(for: .milliseconds(500))
            end = try await installation.tastytoken("doctor", "\(user)")
            return false
        }
        return end
    }

    private func put(refreshToken: String, of user: Int, _ installation: Installation) async throws {
        try await installation.postgres.execute(
            "UPDATE users SET tastytrade_oauth_refresh_token = '\(refreshToken)' WHERE id = \(user)"
        )
    }

    @Test func slipsOfPeopleAreNamedWithWhatMendsThem() async throws {
        try await Installation.with(accounts: 4, settings: Self.settings) { installation in
            #expect(try await installation.tastytokend("migrate").status == 0)
            var other = SimulatedClient()
            (other.id, other.secret) = (Self.otherClient, "canary-other-secret")
            try installation.simulator.register(other)
            let grants = try [
                "  \(installation.simulator.makeGrant(for: "2")) ",
                installation.simulator.makeGrant(for: "4", client: Self.otherClient),
            ]
            try await put(refreshToken: grants[0], of: 2, installation)
            try await put(refreshToken: grants[1], of: 4, installation)
            let daemon = try await installation.startReadyDaemon()
            try await eventually("the first token is stored") {
                let stored = "SELECT count(tastytrade_oauth_token) FROM users WHERE id = 1"
                return try await installation.postgres.query(stored) == "1"
            }
            let token = try installation.token(of: 1)
            // An access token where the refresh token belongs.
            try await put(refreshToken: token, of: 3, installation)

            let healthy = try await diagnose(1, installation)
            #expect(healthy.status == 0 && healthy.errors.isEmpty, "\(healthy)")
            for code in [
                "status_active", "refresh_token_sound", "access_token_sound", "accounts_listed", "clock_agrees",
            ] {
                #expect(healthy.output.contains("ok    \(code): "), "\(healthy)")
            }
            var said = healthy.output
            for (user, code) in [(2, "stored_token_unclean"), (3, "access_token_pasted"), (4, "grant_of_other_client")]
            {
                try await eventually("the daemon has tried the grant of \(user)") {
                    let statuses = try installation.statuses(of: [user])
                    return statuses != ["active"] && statuses != ["refreshing"]
                }
                let end = try await installation.tastytoken("doctor", "\(user)")
                #expect(end.output.contains("\(code): "), "\(end)")
                #expect(end.output.contains("refresh_grant_refused: ") && end.status == 78, "\(end)")
                said += end.output + end.errors
            }
            let house = try await installation.tastytoken("doctor")
            #expect(house.output.contains("ok    ready: ") && house.output.contains("ok    clients: "), "\(house)")
            #expect(house.output.contains("accounts: ") && [75, 78].contains(house.status), "\(house)")
            said += house.output

            installation.simulator.set(Fault(.userAgentRefused(isEmpty: false)))
            let refused = try await diagnose(1, installation)
            #expect(refused.status == 78 && refused.output.contains("fail  probe_user_agent_refused: "), "\(refused)")
            #expect(refused.output.contains("User-Agent"))
            let json = try await installation.tastytoken("doctor", "1", "--json")
            #expect(json.output.hasPrefix(#"{"user":"1","verdict":"#), "\(json)")
            said += refused.output + json.output

            let unknown = try await installation.tastytoken("doctor", "99")
            #expect(unknown.status == 67, "\(unknown)")
            let stopped = try await installation.stop(daemon)
            #expect(stopped.status == 0)
            let away = try await installation.tastytoken("doctor")
            #expect(away.status == 69 && away.output.contains("fail  daemon: "), "\(away)")

            #expect(installation.simulator.requests.contains { $0.path == "/customers/me/accounts" })
            #expect(!installation.simulator.requests.contains { $0.path == "/customers/me" })
            let secrets = grants + [token, installation.secret, other.secret]
            let parts = secrets.flatMap { $0.split(whereSeparator: { $0 == "." || $0 == " " }) }
            for part in parts { #expect(!said.contains(part) && !daemon.errors.contains(part)) }
        }
    }

    @Test func aClockThatIsWrongIsNamed() async throws {
        try await Installation.with(accounts: 1, settings: Self.settings) { installation in
            let clock = try await FakeWallClock(in: installation.folder)
            try clock.set(to: 90)
            let daemon = try await installation.startReadyDaemon(clock.environment)
            try await eventually("the first token is there") { (try? installation.token(of: 1)) != nil }
            let end = try await diagnose(1, installation)
            #expect(
                end.output.contains("warn  clock_skew: This host's clock is 1 minute ahead of TastyTrade's."),
                "\(end)"
            )
            #expect(end.output.contains("ok    accounts_listed: ") && end.status == 0, "\(end)")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
