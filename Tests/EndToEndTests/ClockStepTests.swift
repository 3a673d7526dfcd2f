// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H15 with the built daemon: its wall clock, and no other, is set forward and back by an hour while it runs.
@Suite(.timeLimit(.minutes(6))) struct ClockStepTests {
    private static let users = Array(1...5)
    private static let hour = 3600
    /// Nothing but the alarm's steady ring makes the daemon look at its clocks soon after a step.
    private static let settings = ["DATABASE_RECONCILE_EVERY": "1h"]

    private func tokens(_ installation: Installation) throws -> [String] {
        var probe = try SocketProbe(at: installation.socket)
        return try probe.get(Self.users.map { "/v1/users/\($0)/token?min_ttl=0&max_wait=0" }).compactMap { reply in
            reply.status == 200 ? reply.member("access_token") : nil
        }
    }

    /// Waits until every account has a token that is none of these.
    private func others(
        than known: [String] = [],
        _ installation: Installation,
        within seconds: Int = 60,
        _ what: String
    ) async throws -> [String] {
        var found: [String] = []
        try await eventually(within: seconds, what) {
            found = try tokens(installation)
            return found.count == Self.users.count && Set(found).isDisjoint(with: known)
        }
        return found
    }

    /// For how much longer the rows' tokens live, at the soonest and at the latest, in seconds by the database's clock.
    private func lives(_ installation: Installation) async throws -> (Int, Int) {
        let left = "extract(epoch FROM tastytrade_oauth_expires_at - now() AT TIME ZONE 'UTC')::int"
        let row = try await installation.postgres.query("SELECT min(\(left)), max(\(left)) FROM users")
        let values = row.split(separator: "|").compactMap { Int($0) }
        return (try #require(values.first), try #require(values.last))
    }

    @Test func h15AStepForwardIsNoticedAndOneBackStallsNothing() async throws {
        // Without the alarm's steady ring it would be noticed after half of a life.
        let life = 300
        try await Installation.with(
            accounts: Self.users.count,
            lifetime: .seconds(life),
            settings: Self.settings
        ) { installation in
            let clock = try await FakeWallClock(in: installation.folder)
            let daemon = try await installation.startReadyDaemon(clock.environment)
            let first = try await others(installation, "everybody has a token")
            try await eventually("every row has it") { (try? await lives(installation).0 > life - 60) == true }
            #expect(installation.simulator.counts.made == Self.users.count)

            try clock.set(to: Double(Self.hour))
            #expect(try tokens(installation).isEmpty, "what is dead by either clock is not handed out")
            let second = try await others(than: first, installation, "the step is noticed by itself")
            #expect(installation.simulator.counts.made == 2 * Self.users.count, "and costs one refresh each")
            try await eventually("the daemon's clock is the one that was set") {
                try await lives(installation).0 > Self.hour
            }

            let watch = TokenWatch(Self.users, at: installation)
            try clock.set(to: 0)
            // Longer than the alarm is ever silent.
            try await Task.sleep(for: .seconds(35))
            let findings = try await watch.end()
            #expect(findings.refusals.isEmpty, "\(findings.refusals.prefix(3))")
            #expect(findings.dead.isEmpty)
            #expect(try tokens(installation) == second, "they live on, and nothing is asked for anew")
            #expect(installation.simulator.counts.made == 2 * Self.users.count)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func h15WithAClockThatWasSetBackRefreshesGoOnInTime() async throws {
        try await Installation.with(
            accounts: Self.users.count,
            lifetime: .seconds(80),
            settings: Self.settings
        ) { installation in
            let clock = try await FakeWallClock(in: installation.folder)
            let daemon = try await installation.startReadyDaemon(clock.environment)
            var known = try await others(installation, "everybody has a token")
            let watch = TokenWatch(Self.users, at: installation)
            try clock.set(to: -Double(Self.hour))
            // The deadline that was armed before is an hour away now: it is the steady ring that makes the alarm follow.
            known = try await others(than: known, installation, within: 90, "everybody is refreshed")
            let findings = try await watch.end()
            #expect(findings.refusals.isEmpty, "\(findings.refusals.prefix(3))")
            #expect(findings.dead.isEmpty, "nothing is handed out past its real end")
            #expect(installation.simulator.counts.made == 2 * Self.users.count)

            // What was had under the wrong clock is dead by the right one.
            try clock.set(to: 0)
            #expect(try tokens(installation).isEmpty)
            _ = try await others(than: known, installation, "that it was put right is noticed")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
