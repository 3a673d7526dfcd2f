// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H29 with the built daemon: a fault of its own ends it whenever it comes upon one row; and, the other way round, that who ends it
/// for other reasons casts no suspicion on a row that lasts.
@Suite(.timeLimit(.minutes(5))) struct QuarantineTests {
    private static let users = Array(1...21)
    private static let poisoned = 11
    private static let others = users.filter { $0 != poisoned }
    private static let columns = "tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at"

    private func haveTokens(_ users: [Int], _ installation: Installation) throws -> Bool {
        var probe = try SocketProbe(at: installation.socket)
        return try probe.get(users.map { "/v1/users/\($0)/token?min_ttl=0&max_wait=0" }).allSatisfy { $0.status == 200 }
    }

    private func grants(_ users: [Int], _ installation: Installation) async throws -> String {
        let ids = users.map(String.init).joined(separator: ",")
        return try await installation.postgres.query(
            "SELECT id, tastytrade_oauth_refresh_token FROM users WHERE id IN (\(ids)) ORDER BY id"
        )
    }

    private func row(_ installation: Installation) async throws -> String {
        try await installation.postgres.query("SELECT \(Self.columns) FROM users WHERE id = \(Self.poisoned)")
    }

    private func answer(
        _ installation: Installation,
        _ path: String = "token?min_ttl=0&max_wait=0"
    ) throws -> SocketProbe.Reply {
        try SocketProbe.get("/v1/users/\(Self.poisoned)/\(path)", at: installation.socket)
    }

    /// Expects the daemon to leave the account alone, and to say why.
    private func expectLeftAlone(_ installation: Installation, _ daemon: RunningProgram) throws {
        let (token, explain) = (try answer(installation), try answer(installation, "explain"))
        #expect(token.status == 409 && token.member("code") == "unreadable_grant", "\(token.body)")
        #expect(explain.status == 200 && explain.body.contains("\"unreadable\""))
        #expect(explain.body.contains("The daemon died 3 times while its r"), "\(explain.body)")
        #expect(explain.body.contains("put another refresh token into the row"))
        let told = daemon.errors.split(separator: "\n").filter { $0.contains("account.quarantined") }
        #expect(told.count == 1 && told.allSatisfy { $0.contains("\"user.id\":\"\(Self.poisoned)\"") }, "\(told)")
    }

    @Test func h29ARowThatEndsTheDaemonThreeTimesIsLeftAloneUntilItsRefreshTokenIsAnother() async throws {
        let settings = ["DATABASE_RECONCILE_EVERY": "1s"]
        try await Installation.with(accounts: 21, lifetime: .seconds(60), settings: settings) { installation in
            let trap = try await TrappingValue("poison-of-one-row", in: installation.folder)
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_refresh_token = 'a-poison-of-one-row' WHERE id = \(Self.poisoned)"
            )
            let (poison, grants) = (try await row(installation), try await grants(Self.others, installation))
            for death in 1...3 {
                let daemon = try installation.startDaemon(trap.environment)
                let end = try await daemon.end()
                #expect(end.status == -SIGILL, "death \(death): \(end.errors)")
                #expect(!end.errors.contains("account.quarantined"))
                // From the second start on it is said with whom the one before was cut off.
                let suspected = end.errors.split(separator: "\n").filter { $0.contains("account.suspected") }
                #expect(
                    (death > 1) == suspected.contains { $0.contains("\"user.id\":\"\(Self.poisoned)\"") },
                    "\(suspected)"
                )
            }

            let daemon = try await installation.startReadyDaemon(trap.environment)
            try await eventually("everybody else has a token") { try haveTokens(Self.others, installation) }
            try expectLeftAlone(installation, daemon)
            let watch = TokenWatch(Self.others, at: installation)
            // More than a life, with passes over the table and refreshes of all others.
            try await Task.sleep(for: .seconds(65))
            try expectLeftAlone(installation, daemon)
            #expect(try await row(installation) == poison, "nothing is written over it")
            #expect(try await self.grants(Self.others, installation) == grants)
            let findings = try await watch.end()
            #expect(findings.refusals.isEmpty && findings.dead.isEmpty, "\(findings.refusals.prefix(3))")
            #expect(try await installation.stop(daemon).status == 0)

            // An orderly restart does not try it again.
            let next = try await installation.startReadyDaemon(trap.environment)
            try expectLeftAlone(installation, next)
            let grant = try installation.simulator.makeGrant(for: "\(Self.poisoned)")
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_refresh_token = '\(grant)' WHERE id = \(Self.poisoned)"
            )
            try await eventually("another refresh token mends it") { try answer(installation).status == 200 }
            #expect(try haveTokens(Self.users, installation))
            #expect(next.isRunning)
            #expect(try await installation.stop(next).status == 0)
            let last = try await installation.startReadyDaemon(trap.environment)
            #expect(!last.errors.contains("account.quarantined"), "and nothing is held against it")
            #expect(try await installation.stop(last).status == 0)
        }
    }

    @Test func h29WhoIsInHandWhenTheDaemonIsKilledIsNotLeftAlone() async throws {
        let users = Array(1...8)
        // Each account is refreshed every few seconds, and handled at each start.
        let settings = ["DATABASE_RECONCILE_EVERY": "1s", "REFRESH_MAX_PER_SECOND": "500"]
        try await Installation.with(accounts: users.count, lifetime: .seconds(6), settings: settings) { installation in
            var generator = SystemRandomNumberGenerator()
            var logs = ""
            for _ in 1...10 {
                let daemon = try installation.startDaemon()
                try await Task.sleep(for: .milliseconds(Int.random(in: 50...2_500, using: &generator)))
                daemon.signal(SIGKILL)
                logs += try await daemon.end().errors
            }
            let daemon = try await installation.startReadyDaemon()
            try await eventually("everybody has a token") { try haveTokens(users, installation) }
            logs += daemon.errors
            #expect(!logs.contains("account.quarantined"))
            let list = try SocketProbe.get("/v1/users?status=unreadable", at: installation.socket)
            #expect(list.body.contains("\"users\":[]"), "\(list.body)")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func h29ADaemonThatCannotWriteItDownWorksAndSaysSo() async throws {
        try await Installation.with(accounts: 1) { installation in
            let path = "\(installation.folder)/accounts-in-hand"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let daemon = try await installation.startReadyDaemon()
            #expect(daemon.errors.contains("hands.unavailable"))
            try await eventually("it serves") { try haveTokens([1], installation) }
            #expect(try await installation.stop(daemon).status == 0)
            try FileManager.default.removeItem(atPath: path)
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: path))
            chmod(path, 0o600)
            let next = try await installation.startReadyDaemon()
            #expect(next.errors.contains("hands.damaged"))
            #expect(try await installation.stop(next).status == 0)
        }
    }
}
