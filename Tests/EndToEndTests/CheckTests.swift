// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// `tastytokend check` as an operator runs it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CheckTests {
    private func verdicts(_ end: RunningProgram.End, _ grade: String) -> [String] {
        end.output.split(separator: "\n").filter { $0.hasPrefix(grade) }.map(String.init)
    }

    /// swift-configuration's reader writes the settings to wherever this variable points; the daemon asks its layers without
    /// that reader.
    @Test func nobodyWritesALogOfTheSettings() async throws {
        try await Installation.with(accounts: 0) { installation in
            let log = "\(installation.folder)/settings.log"
            let end = try await installation.tastytokend("check", ["CONFIG_ACCESS_LOG_FILE": log])
            #expect(
                end.output.contains("ok    configuration: ") && end.output.contains("over it TASTYTRADE_ENV, "),
                "\(end)"
            )
            #expect(!FileManager.default.fileExists(atPath: log))
        }
    }

    @Test func allIsWellAfterAMigrationAndAlsoBesideADaemon() async throws {
        try await Installation.with(accounts: 2) { installation in
            #expect(try await installation.tastytokend("migrate").status == 0)
            let alone = try await installation.tastytokend("check")
            #expect(alone.status == 0 && alone.errors == "", "\(alone)")
            #expect(verdicts(alone, "fail").isEmpty && verdicts(alone, "warn").isEmpty, "\(alone.output)")
            for subject in [
                "configuration", "client", "grants", "database", "table", "schema", "trigger", "encryption",
                "notifications", "capacity",
                "endpoint",
                "socket", "state",
            ] {
                #expect(alone.output.contains("ok    \(subject): "), "\(subject) in \(alone.output)")
            }
            #expect(alone.output.contains("2 accounts") && alone.output.contains("certificate is trusted by"))

            let daemon = try await installation.startReadyDaemon()
            try await eventually("both are refreshed") { installation.simulator.counts.made == 2 }
            let refreshed = installation.simulator.counts
            let beside = try await installation.tastytokend("check")
            #expect(beside.status == 0, "\(beside.output)")
            #expect(beside.output.contains("\(installation.socket): a daemon is running there"))
            #expect(installation.simulator.counts.requests == refreshed.requests, "the endpoint is asked nothing")
            #expect(try SocketProbe.get("/readyz", at: installation.socket).status == 200)
            #expect(try await installation.stop(daemon).status == 0)
            #expect(!alone.output.contains(installation.secret) && !beside.output.contains(installation.secret))
        }
    }

    /// What somebody pasted into the wrong place (fact sheet section 13).
    @Test func slipsInRowsAndInTheClientAreNamedWithTheirMend() async throws {
        try await Installation.with(accounts: 3) { installation in
            let daemon = try await installation.startReadyDaemon()
            var token = ""
            try await eventually("the first token is there") {
                token = (try? installation.token(of: 1)) ?? ""
                return !token.isEmpty
            }
            #expect(try await installation.stop(daemon).status == 0)
            try await installation.postgres.execute(
                """
                UPDATE users SET tastytrade_oauth_refresh_token = '\(token)' WHERE id = 2;
                UPDATE users SET tastytrade_oauth_refresh_token = 'not a token' WHERE id = 3;
                """
            )
            let client = ["TASTYTRADE_CLIENT_ID": "0123456789abcdef0123456789abcdef01234567"]
            let end = try await installation.tastytokend("check", client)
            let warnings = verdicts(end, "warn")
            #expect(
                warnings.contains { $0.contains("client: The client id has the form of a client secret") },
                "\(end.output)"
            )
            #expect(
                warnings.contains { $0.contains("grants: 1 of 3 refresh tokens looked at, that of user 2 the first: ") }
            )
            #expect(warnings.contains { $0.contains("that of user 3 the first: ") })
            #expect(!end.output.contains(token) && !end.output.contains("not a token"))
            #expect(installation.simulator.counts.grantsLost == 0)
        }
    }

    @Test func nothingIsChanged() async throws {
        try await Installation.with(accounts: 1) { installation in
            let files = {
                try FileManager.default.contentsOfDirectory(atPath: installation.folder).filter {
                    !$0.hasPrefix("tastytokend-")
                }
            }
            let before = try files()
            let end = try await installation.tastytokend("check")
            #expect(end.status == 0)
            let warnings = verdicts(end, "warn")
            #expect(
                warnings.count == 2 && warnings.allSatisfy { $0.contains("run tastytokend migrate") },
                "\(end.output)"
            )
            #expect(try files() == before)
            let made = "SELECT count(*) FROM pg_namespace WHERE nspname = 'tastytokend'"
            #expect(try await installation.postgres.query(made) == "0")
            #expect(installation.simulator.counts.requests == 0)
        }
    }

    @Test func eachFaultIsALineOfItsOwnAndTheStatusIs78() async throws {
        try await Installation.with(accounts: 1) { installation in
            let folder = installation.folder
            try "no socket".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
            let postgres = installation.postgres
            let faults: [([String: String], String)] = [
                (["DATABASE_URL": "host=\(folder)/none dbname=x"], "database: The database cannot be reached"),
                (["DATABASE_URL": postgres.url(database: "nosuch")], "database \"nosuch\" does not exist"),
                (["DATABASE_URL": postgres.url(user: "nobody_at_all")], "database: The database refuses the login"),
                (["DATABASE_TABLE": "people"], "database: There is no table \"people\""),
                (["DATABASE_COLUMNS_ID": "uid", "DATABASE_COLUMNS_EXPIRES_AT": "email"], "set database.columns.id"),
                (
                    ["TASTYTRADE_API_URL": "https://127.0.0.1:1"],
                    "endpoint: https://127.0.0.1:1: 127.0.0.1:1 could not be reached"
                ),
                (
                    ["TASTYTRADE_API_URL": "https://nosuch.invalid", "TASTYTRADE_ALLOW_UNLISTED_HOST": "true"],
                    "nosuch.invalid:443 could not be resolved"
                ),
                (["SOCKET_PATH": "\(folder)/none/api.sock"], "socket: there is no folder for \(folder)/none/api.sock"),
                (["SOCKET_PATH": "\(folder)/file"], "socket: \(folder)/file is no socket: remove it"),
                (["REFRESH_AT": "2"], "configuration: environment REFRESH_AT: refresh.at"),
            ]
            for (settings, words) in faults {
                let end = try await installation.tastytokend("check", settings)
                #expect(end.status == 78, "\(settings): \(end.output)")
                #expect(verdicts(end, "fail").contains { $0.contains(words) }, "\(words) in \(end.output)")
                #expect(!(end.output + end.errors).contains(installation.secret))
            }
            let twice = try await installation.tastytokend(
                "check",
                ["DATABASE_COLUMNS_ID": "uid", "DATABASE_COLUMNS_EXPIRES_AT": "email"]
            )
            #expect(verdicts(twice, "fail").count == 2, "\(twice.output)")
            let several = try await installation.tastytokend("check", ["REFRESH_AT": "2", "LOG_LEVEL": "loud"])
            #expect(verdicts(several, "fail").count == 2 && several.output.split(separator: "\n").count == 2)
        }
    }

    @Test func noPasswordIsShown() async throws {
        try await Installation.with(accounts: 1) { installation in
            for url in [
                "postgresql://canary-user:canary-password@127.0.0.1:1/d",
                "postgresql://u:canary-password@h@127.0.0.1/d",
                installation.postgres.url(user: "nobody_at_all") + "&password=canary-password",
            ] {
                let end = try await installation.tastytokend("check", ["DATABASE_URL": url])
                #expect(end.status == 78 && !(end.output + end.errors).contains("canary-password"), "\(end.output)")
            }
        }
    }

    @Test func anEndpointThatIsNotTrustedFails() async throws {
        try await Installation.with(accounts: 1) { installation in
            let end = try await installation.tastytokend("check", without: ["TASTYTRADE_CA_FILE"])
            #expect(end.status == 78)
            #expect(
                verdicts(end, "fail").contains { $0.contains("certificate verify failed") && $0.contains("caFile") },
                "\(end.output)"
            )
        }
    }

    @Test func moreAccountsThanTheRateCarriesIsAWarning() async throws {
        try await Installation.with(accounts: 12) { installation in
            let end = try await installation.tastytokend("check", ["REFRESH_MAX_PER_SECOND": "0.02"])
            #expect(end.status == 0)
            #expect(
                verdicts(end, "warn").contains { $0.contains("capacity: 12 accounts") && $0.contains("keep 10 fresh") },
                "\(end.output)"
            )
        }
    }

    @Test func verdictsCanBeJSON() async throws {
        try await Installation.with(accounts: 1) { installation in
            let end = try await installation.tastytokend("check", arguments: ["--json"])
            let objects = end.output.split(separator: "\n").compactMap { line in
                (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
            }
            #expect(objects.count == end.output.split(separator: "\n").count && objects.count >= 10)
            #expect(objects.allSatisfy { ["ok", "warn", "fail"].contains($0["verdict"] as? String) })
        }
    }
}
