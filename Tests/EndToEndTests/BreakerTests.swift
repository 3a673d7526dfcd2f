// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H11 with the built daemon: what befalls all accounts at once is no account's own fault.
@Suite(.serialized, .timeLimit(.minutes(5))) struct BreakerTests {
    private static let accounts = 40

    private func statuses(_ installation: Installation) throws -> Set<String> {
        var probe = try SocketProbe(at: installation.socket)
        let replies = try probe.get((1...Self.accounts).map { "/v1/users/\($0)" })
        return Set(replies.compactMap { $0.member("status") })
    }

    private func body(_ path: String, _ installation: Installation) throws -> String {
        try SocketProbe.get(path, at: installation.socket).body
    }

    /// Everything says that no refreshes are made, and why.
    private func expectToldOf(_ words: String, _ installation: Installation, _ daemon: RunningProgram) throws {
        #expect(try body("/v1/status", installation).contains(words))
        #expect(try body("/metrics", installation).contains(#"tastytokend_breaker_open{client="default"} 1"#))
        #expect(daemon.errors.contains("breaker.opened"))
        #expect(daemon.errors.contains(words))
        try expectNobodyWaits(installation)
    }

    /// Nobody is kept waiting in vain: all are told at once that there is no token, and when to ask again.
    private func expectNobodyWaits(_ installation: Installation) throws {
        let patience = Duration.seconds(60)
        let began = ContinuousClock.now
        var probe = try SocketProbe(at: installation.socket)
        let paths = (1...Self.accounts).map { "/v1/users/\($0)/token?max_wait=\(patience.components.seconds)" }
        for reply in try probe.get(paths) {
            #expect(reply.status == 503 && reply.member("code") == "token_unavailable", "\(reply.status) \(reply.body)")
            #expect(reply.head.lowercased().contains("\r\nretry-after:"))
        }
        // They are answered one after the other: with one that had been kept waiting it would be more than that.
        let took = ContinuousClock.now - began
        #expect(took < patience / 2, "all \(Self.accounts) took \(took)")
    }

    private func expectAllWell(_ installation: Installation) async throws {
        try await eventually("all are well: \((try? statuses(installation)) ?? [])") {
            try statuses(installation).isSubset(of: ["active", "refreshing"])
                && SocketProbe.get("/v1/users/1/token", at: installation.socket).status == 200
        }
        #expect(try body("/v1/status", installation).contains(#""stopped":null"#))
    }

    @Test func h11AWrongClientSecretStopsAllCallsAndMarksNobody() async throws {
        try await Installation.with(accounts: Self.accounts) { installation in
            let secret = installation.secret
            let daemon = try await installation.startReadyDaemon(
                file: "tastytrade: {clientSecret: wrong}\n",
                without: ["TASTYTRADE_CLIENT_SECRET"]
            )
            try await eventually("it says that it has stopped") {
                try body("/v1/status", installation).contains("the OAuth client is refused")
            }
            try expectToldOf("the OAuth client is refused", installation, daemon)
            try await Task.sleep(for: .seconds(15))
            // Those that were in flight when the first answer came, and probes after 1, 1, 2, 4 and 8 seconds.
            #expect(installation.simulator.counts.tokenRequests <= 64 + 6)
            #expect(try statuses(installation).isDisjoint(with: ["reauthorization_required", "unknown_outcome"]))
            #expect(!daemon.errors.contains(secret))
            try "tastytrade: {clientSecret: \(secret)}\n".write(
                toFile: "\(installation.folder)/config.yaml",
                atomically: true,
                encoding: .utf8
            )
            daemon.signal(SIGHUP)
            try await expectAllWell(installation)
            #expect(daemon.errors.contains("breaker.closed"))
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func h11ABurstOfRefusalsMarksNobody() async throws {
        try await Installation.with(accounts: Self.accounts) { installation in
            installation.simulator.set(
                Fault(.refusal(status: 400, code: "invalid_grant", description: "Grant revoked"))
            )
            let daemon = try await installation.startReadyDaemon()
            try await eventually("it says that it has stopped") {
                try body("/v1/status", installation).contains("most grants are refused at once")
            }
            try expectToldOf("most grants are refused at once", installation, daemon)
            // Longer than it takes to count a second refusal.
            try await Task.sleep(for: .seconds(20))
            #expect(try statuses(installation).isDisjoint(with: ["reauthorization_required", "unknown_outcome"]))
            let noted = try await installation.postgres.query(
                "SELECT count(*) FROM tastytokend.grants WHERE status = 'reauthorization_required'"
            )
            #expect(noted.hasPrefix("0"))
            installation.simulator.clearFaults()
            try await expectAllWell(installation)
            #expect(installation.simulator.counts.grantsLost == 0)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
