// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// What the daemon says of a database that is there, but not for it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct StartMistakesTests {
    private func lines(_ end: RunningProgram.End) -> [String] {
        end.errors.split(separator: "\n").filter { $0.hasPrefix("tastytokend: ") }.map(String.init)
    }

    @Test func aWrongLoginAndAWrongDatabaseAreToldAsThatAndEndTheStart() async throws {
        try await Installation.with(accounts: 0) { installation in
            let postgres = installation.postgres
            for (url, words) in [
                (postgres.url(user: "nobody_at_all"), "The database refuses the login"),
                (postgres.url(database: "nosuch"), "database \"nosuch\" does not exist"),
            ] {
                let end = try await installation.startDaemon(["DATABASE_URL": url]).end()
                #expect(end.status == 78, "\(end.errors)")
                let lines = lines(end)
                #expect(
                    lines.count == 1 && lines[0].contains(words) && lines[0].contains("in database.url"),
                    "\(lines)"
                )
            }
        }
    }

    @Test func severalWrongColumnsAreALineEach() async throws {
        try await Installation.with(accounts: 0) { installation in
            let daemon = try installation.startDaemon([
                "DATABASE_COLUMNS_ID": "uid", "DATABASE_COLUMNS_EXPIRES_AT": "email",
            ])
            let end = try await daemon.end()
            #expect(end.status == 78)
            let lines = lines(end)
            #expect(lines.count == 2, "\(end.errors)")
            #expect(lines.first?.contains("set database.columns.id") == true)
            #expect(lines.last?.contains("database.columns.expiresAt must be") == true)
        }
    }

    @Test func aLoginThatIsTakenAwayWhileItRunsIsToldAndWaitedFor() async throws {
        try await Installation.with(accounts: 1) { installation in
            let postgres = installation.postgres
            try await postgres.execute("CREATE ROLE bot LOGIN SUPERUSER")
            let daemon = try await installation.startReadyDaemon([
                "DATABASE_URL": postgres.url(user: "bot"), "DATABASE_RECONCILE_EVERY": "1s",
            ])
            try await eventually("the token is there") {
                try SocketProbe.get("/v1/users/1/token", at: installation.socket).status == 200
            }
            try await postgres.execute(
                "ALTER ROLE bot NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bot'"
            )
            try await eventually("it says so: \(daemon.errors)") {
                daemon.errors.contains("The database refuses the login: ")
            }
            #expect(daemon.isRunning)
            #expect(try SocketProbe.get("/v1/users/1/token", at: installation.socket).status == 200)
            try await postgres.execute("ALTER ROLE bot LOGIN")
            try await eventually("it works again: \(daemon.errors)") {
                daemon.errors.contains("database answers again")
            }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
