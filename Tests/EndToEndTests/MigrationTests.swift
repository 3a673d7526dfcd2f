// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// `tastytokend migrate`, and what the trigger is good for.
@Suite(.serialized, .timeLimit(.minutes(5))) struct MigrationTests {
    private func migrate(_ installation: Installation, _ arguments: String...) async throws -> RunningProgram.End {
        try await RunningProgram.run(
            "tastytokend",
            ["migrate"] + arguments,
            environment: ["DATABASE_URL": installation.postgres.url],
            in: installation.folder
        )
    }

    @Test func changesActAtOnceWithTheTriggerAndStatusSaysWhich() async throws {
        try await Installation.with(accounts: 2) { installation in
            let manager = try NotificationSocket(at: "\(installation.folder)/notify")
            #expect(try await migrate(installation).status == 0)
            // Nothing but a notification can tell of a change within the hour.
            let daemon = try await installation.startReadyDaemon([
                "DATABASE_RECONCILE_EVERY": "1h", "NOTIFY_SOCKET": manager.path,
            ])
            try await eventually("status says how changes are learnt of") {
                manager.messages.contains { $0.contains("changes by notification") }
            }
            let grant = try installation.simulator.makeGrant(for: "3")
            try await installation.postgres.execute(
                "INSERT INTO users (tastytrade_oauth_refresh_token) VALUES ('\(grant)')"
            )
            try await eventually("the new user has a token") {
                try SocketProbe.get("/v1/users/3/token", at: installation.socket).status == 200
            }
            try await installation.postgres.execute("DELETE FROM users WHERE id = 3")
            try await eventually("the deleted user is unknown") {
                try SocketProbe.get("/v1/users/3/token", at: installation.socket).status == 404
            }
            _ = try await installation.stop(daemon)
        }
    }

    @Test func withoutTheTriggerChangesAreFoundByPollingAndStatusSaysSo() async throws {
        try await Installation.with(accounts: 1) { installation in
            let manager = try NotificationSocket(at: "\(installation.folder)/notify")
            let daemon = try await installation.startReadyDaemon([
                "DATABASE_RECONCILE_EVERY": "1s", "NOTIFY_SOCKET": manager.path,
            ])
            try await eventually("status says how changes are learnt of") {
                manager.messages.contains { $0.contains("changes by polling") }
            }
            try await installation.postgres.execute("DELETE FROM users")
            try await eventually("the deleted user is unknown") {
                try SocketProbe.get("/v1/users/1/token", at: installation.socket).status == 404
            }
            let end = try await installation.stop(daemon)
            #expect(end.errors.contains("run tastytokend migrate"))
        }
    }

    @Test func theScriptDoesWhatTheCommandDoesAndRemoveUndoesIt() async throws {
        try await Installation.with(accounts: 1) { installation in
            let before = try await installation.postgres.dump(database: "postgres")
            let script = try await migrate(installation, "--print")
            #expect(script.status == 0)
            #expect(try await installation.postgres.dump(database: "postgres") == before)
            try await installation.postgres.execute(script.output)
            let again = try await migrate(installation)
            #expect(again.status == 0)
            #expect(again.output.contains("nothing was changed"))
            #expect(try await migrate(installation, "--remove").status == 0)
            #expect(try await installation.postgres.dump(database: "postgres") == before)
        }
    }

    @Test func whatIsWrongIsSaidWithItsStatus() async throws {
        try await Installation.with(accounts: 1) { installation in
            #expect(try await migrate(installation, "--print", "--remove").status == 64)
            try await installation.postgres.execute("ALTER TABLE users RENAME TO people")
            let missing = try await migrate(installation)
            #expect(missing.status == 78)
            #expect(missing.errors.contains("users"))
            try await installation.postgres.stop()
            #expect(try await migrate(installation).status == 69)
        }
    }
}
