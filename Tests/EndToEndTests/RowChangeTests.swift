// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Rows added, changed, cleared and deleted with psql, with the trigger and without.
@Suite struct RowChangeTests {
    private func status(_ user: String, _ installation: Installation) throws -> Int {
        try SocketProbe.get("/v1/users/\(user)/token?max_wait=0", at: installation.socket).status
    }

    /// Does all that can be done to a row, and gives how long the slowest of it took to act.
    private func slowest(_ installation: Installation) async throws -> Duration {
        var slowest = Duration.zero
        func change(_ sql: String, _ what: String, _ holds: () throws -> Bool) async throws {
            try await installation.postgres.execute(sql)
            let began = ContinuousClock.now
            try await eventually(what) { try holds() }
            slowest = max(slowest, ContinuousClock.now - began)
        }
        let (added, other) = (
            try installation.simulator.makeGrant(for: "2"), try installation.simulator.makeGrant(for: "2")
        )
        try await change(
            "INSERT INTO users (id, tastytrade_oauth_refresh_token) VALUES (2, '\(added)')",
            "a row that was added is served"
        ) { try status("2", installation) == 200 }
        let token = try SocketProbe.get("/v1/users/2/token", at: installation.socket).member(
            "access_token",
            as: String.self
        )
        try await change(
            "UPDATE users SET tastytrade_oauth_refresh_token = '\(other)' WHERE id = 2",
            "a row with another grant has another token"
        ) {
            let reply = try SocketProbe.get("/v1/users/2/token", at: installation.socket)
            return reply.status == 200 && reply.member("access_token", as: String.self) != token
        }
        try await change(
            "UPDATE users SET tastytrade_oauth_refresh_token = NULL, tastytrade_oauth_token = NULL WHERE id = 2",
            "a row that was cleared has no grant"
        ) { try status("2", installation) == 409 }
        try await change("DELETE FROM users WHERE id = 2", "a row that was deleted is unknown") {
            try status("2", installation) == 404
        }
        return slowest
    }

    @Test func withTheTriggerChangesActAtOnce() async throws {
        try await Installation.with(accounts: 1) { installation in
            try await migrate(installation)
            // A pass comes too late to have anything to do with it.
            let daemon = try await installation.startReadyDaemon(["DATABASE_RECONCILE_EVERY": "1h"])
            try await eventually("the first account is served") { try status("1", installation) == 200 }
            print("with the trigger the slowest change took \(try await slowest(installation))")
            _ = try await installation.stop(daemon)
        }
    }

    @Test func behindAPoolerADirectConnectionTellsOfThem() async throws {
        try await Installation.with(accounts: 1) { installation in
            let pooler = try await TemporaryPooler.start(before: installation.postgres)
            do {
                try await migrate(installation)
                let daemon = try await installation.startReadyDaemon([
                    "DATABASE_URL": pooler.url(database: "postgres"), "DATABASE_LISTEN_URL": installation.postgres.url,
                    "DATABASE_RECONCILE_EVERY": "1h",
                ])
                try await eventually("the first account is served") { try status("1", installation) == 200 }
                try await eventually("it listens") { daemon.errors.contains("changes are told by the database") }
                _ = try await slowest(installation)
                #expect(try await installation.stop(daemon).status == 0)
                await pooler.tearDown()
            } catch {
                await pooler.tearDown()
                throw error
            }
        }
    }

    private func migrate(_ installation: Installation) async throws {
        let migrated = try await RunningProgram.run(
            "tastytokend",
            ["migrate"],
            environment: ["DATABASE_URL": installation.postgres.url],
            in: installation.folder
        )
        try #require(migrated.status == 0, "\(migrated.errors)")
    }

    @Test func withoutTheTriggerTheyActWithTheNextPass() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon(["DATABASE_RECONCILE_EVERY": "2s"])
            try await eventually("the first account is served") { try status("1", installation) == 200 }
            print("without it, looking every two seconds, \(try await slowest(installation))")
            _ = try await installation.stop(daemon)
        }
    }

    @Test func h33ARefusedGrantRecoversWhenTheRowGetsANewOne() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon(["DATABASE_RECONCILE_EVERY": "1s"])
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_refresh_token = 'eyJhbGciOiJub25lIn0.e30.', tastytrade_oauth_token = NULL"
            )
            try await eventually("the grant counts as refused") {
                try SocketProbe.get("/v1/users/1", at: installation.socket).member("status")
                    == "reauthorization_required"
            }
            let grant = try installation.simulator.makeGrant(for: "1")
            try await installation.postgres.execute("UPDATE users SET tastytrade_oauth_refresh_token = '\(grant)'")
            try await eventually("the account is active again") {
                try SocketProbe.get("/v1/users/1", at: installation.socket).member("status") == "active"
            }
            _ = try await installation.stop(daemon)
        }
    }
}
