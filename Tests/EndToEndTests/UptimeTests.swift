// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H30 with the built daemon: rows that come and go by the thousand, round after round, while others are refreshed and callers
/// ask, and what the daemon keeps of it all.
@Suite(.enabled(if: geteuid() == 0, "a daemon hides its descriptors from all but root"), .timeLimit(.minutes(5)))
struct UptimeTests {
    /// Accounts that stay, refreshed again and again by a provider that rotates, so that the journal has work.
    private static let staying = 20
    /// Rows that come and go in a round; so many of them come without a token, and are refreshed.
    private static let (coming, refreshed) = (4000, 200)
    /// Rounds after which all that is bounded has had time to fill, and rounds that are measured.
    private static let (first, measured) = (5, 6)

    /// What the daemon has when a round is over.
    private struct Footprint: CustomStringConvertible {
        /// In KiB.
        let memory: Int
        let descriptors: Int
        /// In bytes.
        let journal: Int
        /// Lines of `/metrics`.
        let metrics: Int

        var description: String { "\(memory) KiB, \(descriptors) descriptors, \(journal) B journal, \(metrics) lines" }
    }

    private func footprint(_ installation: Installation, _ daemon: RunningProgram) throws -> Footprint {
        let view = ProcessView(process: daemon.pid)
        let file = try FileManager.default.attributesOfItem(atPath: "\(installation.folder)/reply-journal")
        return Footprint(
            memory: try view.anonymousMemory(),
            descriptors: try view.descriptors(),
            journal: try #require(file[.size] as? Int),
            metrics: try SocketProbe.get("/metrics", at: installation.socket).body.split(separator: "\n").count
        )
    }

    private func isKnown(_ count: Int, _ installation: Installation) throws -> Bool {
        try SocketProbe.get("/v1/status", at: installation.socket).body.contains(#""total":\#(count),"#)
    }

    /// Rows come, are refreshed where they need it, and asked for; then they go.
    private func round(_ number: Int, _ installation: Installation) async throws {
        let ids = (1...Self.coming).map { number * 100_000 + $0 }
        let rows = try ids.map { id in
            let grant = try installation.simulator.makeGrant(for: "\(id)")
            let isLive = id % 100_000 > Self.refreshed
            let dies = Date(timeIntervalSinceNow: 800 + Double(id % 60)).ISO8601Format()
            return "\(id)\t\(grant)\t\(isLive ? "token-of-\(id)\t\(dies)" : "\\N\t\\N")"
        }
        try await installation.postgres.execute(
            """
            COPY users (id, tastytrade_oauth_refresh_token, tastytrade_oauth_token, tastytrade_oauth_expires_at) FROM STDIN;
            \(rows.joined(separator: "\n"))
            \\.

            """
        )
        let path = { (id: Int) in "/v1/users/\(id)/token?min_ttl=0&max_wait=0" }
        try await eventually("round \(number): all are served") {
            guard try isKnown(Self.staying + Self.coming, installation) else { return false }
            var probe = try SocketProbe(at: installation.socket)
            return try probe.get(ids.prefix(Self.refreshed).map(path)).allSatisfy { $0.status == 200 }
        }
        // Whose token lives on is not asked for it: who took it would rightly be remembered until it dies.
        var probe = try SocketProbe(at: installation.socket)
        let others = try probe.get(ids.suffix(Self.refreshed).map { "/v1/users/\($0)" })
        #expect(others.allSatisfy { $0.member("status") == "active" })
        try await installation.postgres.execute("DELETE FROM users WHERE id > 100000")
        try await eventually("round \(number): they are forgotten") {
            guard try isKnown(Self.staying, installation) else { return false }
            let status = try SocketProbe.get("/v1/status", at: installation.socket).body
            return status.contains(#""in_line":0,"#) && status.contains(#""unstored":0,"#)
        }
        #expect(try SocketProbe.get(path(ids[0]), at: installation.socket).status == 404)
    }

    @Test func h30RowsThatComeAndGoLeaveNothingBehind() async throws {
        let settings = [
            "DATABASE_RECONCILE_EVERY": "1s", "REFRESH_MAX_PER_SECOND": "500",
            "REFRESH_DAILY_BUDGET_PER_USER": "100000",
            "LOG_LEVEL": "warning",
        ]
        try await Installation.with(accounts: Self.staying, lifetime: .seconds(30), settings: settings) {
            installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            let daemon = try await installation.startReadyDaemon()
            let users = Array(1...Self.staying)
            try await eventually("who stays has a token") {
                var probe = try SocketProbe(at: installation.socket)
                return try probe.get(users.map { "/v1/users/\($0)/token" }).allSatisfy { $0.status == 200 }
            }
            let watch = TokenWatch(users, at: installation)
            var footprints: [Footprint] = []
            for number in 1...Self.first + Self.measured {
                try await round(number, installation)
                footprints.append(try footprint(installation, daemon))
                print("round \(number): \(footprints[number - 1])")
            }
            let findings = try await watch.end()
            #expect(findings.looks > Self.measured && findings.refusals.isEmpty, "\(findings.refusals.prefix(3))")
            expectNoGrowth(footprints)
            let made = installation.simulator.counts.made
            #expect(made > (Self.first + Self.measured) * Self.refreshed, "there were refreshes all the while")
            #expect(installation.simulator.counts.grantsLost == 0)
            try await expectFewRows(installation)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    /// In the daemon's schema one row stays of each user that ever was, in two tables, and can be removed as docs/database.md has it.
    private func expectFewRows(_ installation: Installation) async throws {
        let ever = Self.staying + (Self.first + Self.measured) * Self.refreshed
        let old = [("grants", "g.changed_at"), ("claims", "g.until")]
        for (table, time) in old {
            let count = { try await installation.postgres.query("SELECT count(*) FROM tastytokend.\(table)") }
            #expect(try #require(Int(try await count())) <= ever)
            try await installation.postgres.execute(
                """
                DELETE FROM tastytokend.\(table) g WHERE \(time) < now()
                    AND NOT EXISTS (SELECT FROM users u WHERE u.id::text = g.user_id)
                """
            )
            #expect(try await count() == "\(Self.staying)")
        }
    }

    private func expectNoGrowth(_ footprints: [Footprint]) {
        let (before, after) = (footprints[Self.first - 1], footprints.suffix(Self.measured))
        // The least of the last three, since what is measured in the middle of a pass is not what is kept. 100 bytes kept for
        // each row that came and went would be more.
        let kept = (after.suffix(3).map(\.memory).min() ?? 0) - before.memory
        #expect(kept < Self.coming * (Self.measured - 1) * 100 / 1024, "\(kept) KiB more: \(footprints)")
        // Kept connections to the endpoint come and go, some twenty with a round's refreshes.
        let (most, least) = (
            footprints.prefix(Self.first).map(\.descriptors).max(), after.suffix(3).map(\.descriptors).min()
        )
        #expect(least ?? .max <= most ?? 0, "\(footprints)")
        #expect(after.allSatisfy { $0.metrics <= before.metrics + 2 }, "no series for an account: \(footprints)")
        // It is made anew when it is larger than that and most of it is settled.
        #expect(after.allSatisfy { $0.journal < 2 << 20 }, "\(footprints)")
    }
}
