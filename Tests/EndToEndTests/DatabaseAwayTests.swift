// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// The database away at the start, and later for longer than a token lives.
@Suite struct DatabaseAwayTests {
    private let accounts = 20
    private let life = 12

    private func stored(_ installation: Installation) async throws -> [String] {
        try await installation.postgres.query("SELECT tastytrade_oauth_token FROM users ORDER BY id")
            .split(separator: "\n").map(String.init)
    }

    /// What was said aloud of the database, without each account's own status.
    private func warnings(_ daemon: RunningProgram) -> [Substring] {
        daemon.errors.split(separator: "\n").filter {
            $0.contains("\"level\":\"warning\"") && !$0.contains("status.changed")
        }
    }

    @Test func tokensAreServedAndRefreshedWithoutItAndAllIsWrittenBack() async throws {
        try await Installation.with(accounts: accounts, lifetime: .seconds(life)) { installation in
            try await installation.postgres.stop(mode: .immediate)
            let daemon = try installation.startDaemon()
            try await eventually("it answers that it is not ready") {
                (try? SocketProbe.get("/readyz", at: installation.socket).status) == 503
            }
            #expect(try SocketProbe.get("/healthz", at: installation.socket).status == 200)
            try await installation.postgres.start()
            try await eventually("every account has a token") { (try? installation.tokens(of: 1...accounts)) != nil }
            #expect(warnings(daemon).count { $0.contains("accounts could not be loaded") } <= 1)
            // Every refresh token was read by the time that every row has been refreshed.
            let before = try await stored(installation)
            try await installation.postgres.stop(mode: .immediate)
            let end = ContinuousClock.now + .seconds(2 * life)
            while ContinuousClock.now < end {
                _ = try installation.tokens(of: 1...accounts)
                try await Task.sleep(for: .milliseconds(500))
            }
            let during = try installation.tokens(of: 1...accounts)
            #expect(Set(during).isDisjoint(with: before), "every token was replaced meanwhile")
            try await installation.postgres.start()
            try await eventually("the rows hold what is served") {
                let (rows, served) = (try await stored(installation), try installation.tokens(of: 1...accounts))
                return zip(rows, served).allSatisfy { $0 == $1 }
            }
            #expect(installation.simulator.counts.overlaps == 0)
            #expect(try await installation.stop(daemon).status == 0)
            #expect(daemon.errors.contains("refreshing without the database"))
            // Each of five connections, the loading, the claims: once for each outage, however often they try.
            #expect(warnings(daemon).count <= 20, "\(warnings(daemon).joined(separator: "\n"))")
        }
    }

    @Test func neverLeavesAccountsAloneButServesWhatThereIs() async throws {
        let settings = ["REFRESH_WITHOUT_DATABASE": "never"]
        try await Installation.with(accounts: accounts, lifetime: .seconds(life), settings: settings) { installation in
            let daemon = try await installation.startReadyDaemon()
            try await eventually("every account has a token") { (try? installation.tokens(of: 1...accounts)) != nil }
            let calls = { installation.simulator.counts.made }
            try await installation.postgres.stop(mode: .immediate)
            let served = try installation.tokens(of: 1...accounts)
            #expect(served.count == accounts)
            try await Task.sleep(for: .seconds(life))
            // What was in flight when the database went may have come to its end; nothing began after that.
            let made = calls()
            try await Task.sleep(for: .seconds(life / 2))
            #expect(calls() == made)
            try await installation.postgres.start()
            try await eventually("every account has a token again") {
                (try? installation.tokens(of: 1...accounts)) != nil
            }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
