// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H19 with the built daemon: a primary that dies and a standby that takes its place, and a database that is there and
/// does not answer, with a provider whose refresh tokens work once.
@Suite(.timeLimit(.minutes(5))) struct FailoverTests {
    private static let users = Array(1...12)
    private static let settings = [
        "REFRESH_CLAIM_FOR": "10s", "REFRESH_TIMEOUT": "5s", "DATABASE_RECONCILE_EVERY": "2s",
    ]

    /// Gives an installation whose provider rotates, with tokens long enough for a server to be promoted meanwhile.
    private func with(_ body: (Installation) async throws -> Void) async throws {
        try await Installation.with(
            accounts: Self.users.count,
            lifetime: .seconds(40),
            settings: Self.settings
        ) { installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            try await body(installation)
        }
    }

    /// Waits until the second round of refreshes has begun.
    private func nextRound(_ installation: Installation) async throws {
        let made = installation.simulator.counts.made
        try await eventually("the next refresh") { installation.simulator.counts.made > made }
    }

    @Test func h19AStandbyThatIsPromotedIsGoneOnWithAndNotRefreshedFromBeforeThat() async throws {
        try await with { installation in
            let primary = installation.postgres
            let standby = try await primary.makeStandby()
            do {
                try await failOver(installation, from: primary, to: standby)
            } catch {
                await standby.tearDown()
                throw error
            }
            await standby.tearDown()
        }
    }

    private func failOver(
        _ installation: Installation,
        from primary: TemporaryPostgres,
        to standby: TemporaryPostgres
    ) async throws {
        // No commit is acknowledged that the standby does not have.
        try await primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        try await primary.execute("SELECT pg_reload_conf()")
        // The standby is named first, so that it is not by luck that the primary is found.
        let url = "postgresql:///postgres?host=\(standby.folder),\(primary.folder)&user=postgres"
        let daemon = try await installation.startReadyDaemon(["DATABASE_URL": url])
        try await eventually("every row holds what is served, at the standby too") {
            try await installation.isStored(of: Self.users, in: standby)
        }
        let watch = TokenWatch(Self.users, at: installation)
        try await nextRound(installation)
        try await primary.stop(mode: .immediate)
        // What was claimed before that is still sent.
        try await Task.sleep(for: .seconds(1))
        try await eventually("no call is under way") { installation.simulator.counts.inFlight == 0 }
        let made = installation.simulator.counts.made
        try await eventually("a refresh is due, and waits") {
            try installation.statuses(of: Self.users).contains("degraded")
        }
        try await Task.sleep(for: .seconds(4))
        #expect(installation.simulator.counts.made == made, "a standby may lag: nobody is refreshed off it")
        #expect(try await standby.query("SELECT pg_is_in_recovery()") == "t")

        try await standby.promote()
        try await installation.everybodyIsRefreshed(Self.users, "everybody is refreshed with what the new primary has")
        let findings = try await watch.end()
        #expect(findings.refusals.isEmpty, "\(findings.refusals.prefix(3))")
        #expect(findings.dead.isEmpty && findings.looks > 20)
        try await installation.everybodyIsRefreshed(Self.users, "and once more, with what it was given then")
        try await eventually("the new primary's rows hold what is served") {
            try await installation.isStored(of: Self.users, in: standby)
        }
        installation.expectNothingLost()
        #expect(try installation.statuses(of: Self.users).allSatisfy { ["active", "refreshing"].contains($0) })
        #expect(try await installation.stop(daemon).status == 0)
    }

    @Test func h19ATableThatIsLockedKeepsNobodyFromHisToken() async throws {
        try await with { installation in
            let postgres = installation.postgres
            let daemon = try await installation.startReadyDaemon()
            try await eventually("every row holds what is served") {
                try await installation.isStored(of: Self.users, in: postgres)
            }
            let watch = TokenWatch(Self.users, at: installation)
            try await nextRound(installation)
            let mode = "mode = 'AccessExclusiveLock' AND relation = 'users'::regclass AND granted"
            async let lock: Void = postgres.execute(
                "BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)"
            )
            try await eventually("the table is locked") {
                try await postgres.query("SELECT count(*) FROM pg_locks WHERE \(mode)") == "1"
            }
            try await eventually("a refresh is due, and waits") {
                try installation.statuses(of: Self.users).contains("degraded")
            }
            _ = try await postgres.query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE \(mode)")
            try? await lock
            try await installation.everybodyIsRefreshed(Self.users, "everybody is refreshed afterwards")
            let findings = try await watch.end()
            #expect(findings.refusals.isEmpty, "\(findings.refusals.prefix(3))")
            try await eventually("every row holds what is served") {
                try await installation.isStored(of: Self.users, in: postgres)
            }
            installation.expectNothingLost()
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func h19ARowWhoseWritesDoNotEndHoldsUpNoOther() async throws {
        try await with { installation in
            let postgres = installation.postgres
            let daemon = try await installation.startReadyDaemon()
            try await eventually("every row holds what is served") {
                try await installation.isStored(of: Self.users, in: postgres)
            }
            try await postgres.execute(
                """
                CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM pg_sleep(3600); RETURN NEW; END $$;
                CREATE TRIGGER dawdle BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION dawdle();
                """
            )
            let others = Array(Self.users.dropFirst())
            let watch = TokenWatch(others, at: installation)
            let before = try installation.token(of: 1)
            for round in 1...2 {
                try await installation.everybodyIsRefreshed(others, "all others are refreshed, round \(round)")
            }
            let findings = try await watch.end()
            #expect(findings.refusals.isEmpty, "\(findings.refusals.prefix(3))")
            #expect(try await postgres.query("SELECT tastytrade_oauth_token FROM users WHERE id = 1") == before)
            try await eventually("the trigger is gone") {
                (try? await postgres.execute("SET lock_timeout = '1s'; DROP TRIGGER dawdle ON users")) != nil
            }
            try await eventually("the row holds what is served") {
                try await installation.isStored(of: Self.users, in: postgres)
            }
            installation.expectNothingLost()
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
