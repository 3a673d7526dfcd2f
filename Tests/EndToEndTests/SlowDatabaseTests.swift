// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H19 with the built daemon: a database whose answers come later than anybody waits for them, and one that has no connection
/// left to give.
@Suite(.timeLimit(.minutes(5))) struct SlowDatabaseTests {
    private static let users = Array(1...12)
    /// How long a statement may take (StoreConfiguration).
    private static let statementDeadline = 10

    @Test func h19WhileEveryStatementIsSlowCallersAreAnsweredFromMemory() async throws {
        let settings = ["DATABASE_RECONCILE_EVERY": "2s"]
        try await Installation.with(accounts: Self.users.count, lifetime: .seconds(40), settings: settings) {
            installation in
            try await withDatabaseProxy(before: installation.postgres) { proxy in
                let daemon = try await installation.startReadyDaemon(["DATABASE_URL": proxy.url()])
                try await eventually("the rows hold what is served") { try await installation.isStored(of: Self.users) }
                let watch = TokenWatch(Self.users, at: installation)
                // Each answer comes so late that its statement was given up long before.
                proxy.delay(toClient: .seconds(3 * Self.statementDeadline))
                try await eventually("it says that a statement took too long; it said: \(daemon.errors)") {
                    daemon.errors.contains("\"level\":\"warning\"")
                }
                // Whoever asks now asks a daemon to which the database says nothing in time: it answers from its memory.
                let looks = watch.findings.looks
                try await installation.everybodyIsRefreshed(
                    Self.users,
                    "refreshes go on; it said: \(daemon.errors.suffix(2000))"
                )
                #expect(watch.findings.looks > looks)
                #expect(try await !installation.isStored(of: Self.users), "what is served since is in no row yet")
                try proxy.heal()
                // What was sent before that comes late yet.
                proxy.cut()
                try await eventually("the rows hold what is served") { try await installation.isStored(of: Self.users) }
                try await installation.everybodyIsRefreshed(Self.users, "and afterwards")
                let findings = try await watch.end()
                #expect(findings.refusals.isEmpty, "\(findings.refusals.prefix(3))")
                #expect(findings.dead.isEmpty)
                installation.expectNothingLost()
                #expect(try await installation.stop(daemon).status == 0)
            }
        }
    }

    /// Makes a role for the daemon that has just the rights it needs, and no way to the connections that are kept for superusers.
    private func makeRole(_ installation: Installation) async throws {
        try await installation.postgres.execute(
            """
            CREATE ROLE app LOGIN;
            GRANT SELECT, UPDATE ON users TO app;
            GRANT CREATE ON DATABASE postgres TO app;
            GRANT TRIGGER ON users TO app;
            """
        )
    }

    /// Takes what connections there are, but for the three that are kept for superusers: this test's own questions. A question that
    /// is under way counts as taken too, so that one of the others may be refused for its sake and has to come again.
    private func takeAllConnections(
        _ installation: Installation,
        _ url: String,
        _ slept: String
    ) async throws -> [RunningProgram] {
        var others: [RunningProgram] = []
        try await eventually("all connections are taken: \(others.map(\.errors).joined())") {
            others.removeAll { !$0.isRunning }
            for _ in others.count..<17 {
                others.append(
                    try RunningProgram(
                        "/usr/bin/env",
                        ["psql", "-X", "-q", "-d", url, "-c", "SELECT pg_sleep(600)"],
                        environment: ["PATH": "/usr/bin:/bin"],
                        in: installation.folder
                    )
                )
            }
            return try await installation.postgres.query("SELECT count(*) \(slept)") == "17"
        }
        return others
    }

    @Test func h19WithoutAFreeConnectionItStartsWaitsAndGoesOnByItself() async throws {
        try await Installation.with(accounts: Self.users.count, lifetime: .seconds(20)) { installation in
            let postgres = installation.postgres
            try await makeRole(installation)
            try await postgres.execute("ALTER SYSTEM SET max_connections = 20")
            try await postgres.stop()
            try await postgres.start()
            let url = postgres.url(user: "app")
            let slept = "FROM pg_stat_activity WHERE usename = 'app'"
            let others = try await takeAllConnections(installation, url, slept)
            let daemon = try installation.startDaemon(["DATABASE_URL": url])
            try await eventually("it answers that it is not ready; it said: \(daemon.errors)") {
                (try? SocketProbe.get("/readyz", at: installation.socket).status) == 503
            }
            try await eventually("it says why; it said: \(daemon.errors)") {
                daemon.errors.contains("remaining connection slots") || daemon.errors.contains("too many")
            }
            #expect(try SocketProbe.get("/healthz", at: installation.socket).status == 200)
            _ = try await postgres.query("SELECT count(pg_terminate_backend(pid)) \(slept)")
            for other in others { _ = try await other.end() }
            try await eventually("every account has a token; it said: \(daemon.errors)") {
                (try? installation.tokens(of: Self.users)) != nil
            }
            try await eventually("the rows hold what is served") { try await installation.isStored(of: Self.users) }
            try await goesOnWithout(installation, daemon, slept)
            installation.expectNothingLost()
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    /// Its connections are ended, and no other is to be had for a while.
    private func goesOnWithout(_ installation: Installation, _ daemon: RunningProgram, _ slept: String) async throws {
        let postgres = installation.postgres
        let watch = TokenWatch(Self.users, at: installation)
        try await postgres.execute("ALTER ROLE app CONNECTION LIMIT 0")
        _ = try await postgres.query("SELECT count(pg_terminate_backend(pid)) \(slept)")
        try await eventually("it says that there are too many; it said: \(daemon.errors)") {
            daemon.errors.contains("too many connections for role")
        }
        try await installation.everybodyIsRefreshed(
            Self.users,
            "nobody's refresh tokens were ever replaced: it refreshes without"
        )
        try await postgres.execute("ALTER ROLE app CONNECTION LIMIT -1")
        try await eventually("the rows hold what is served") { try await installation.isStored(of: Self.users) }
        try await installation.everybodyIsRefreshed(Self.users, "everybody is refreshed afterwards")
        let findings = try await watch.end()
        #expect(findings.refusals.isEmpty, "\(findings.refusals.prefix(3))")
        #expect(findings.dead.isEmpty && findings.looks > 20)
        #expect(daemon.isRunning)
    }
}
