// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// The access matrix, asked by processes of other users and groups (product.md, Who may ask).
@Suite(.enabled(if: geteuid() == 0, "calling as other users takes root")) struct AccessTests {
    /// A process that is to be somebody else.
    private struct Somebody {
        var user: UInt32
        var group: UInt32 = 49_000
        var others: [UInt32] = []
    }

    private struct Answer {
        let status: String
        let body: String
    }

    private static let file = """
        access:
          - {uid: 41001, users: ["1"], allow: [token]}
          - {gid: 42001, users: "*", allow: [status]}
          - {gid: 42002, users: ["2"], allow: [admin]}
          - {user: daemon, users: "*", allow: [token, status]}
          - {uid: 41005, users: ["2"], allow: [enroll]}
        """

    private func ask(
        _ path: String,
        as somebody: Somebody,
        putting body: String? = nil,
        at installation: Installation
    ) async throws -> Answer {
        let groups =
            somebody.others.isEmpty
            ? "--clear-groups" : "--groups=\(somebody.others.map(String.init).joined(separator: ","))"
        let end = try await RunningProgram.run(
            "/usr/bin/setpriv",
            [
                "--reuid=\(somebody.user)", "--regid=\(somebody.group)", groups, "curl", "-s", "-m", "30", "-w",
                "\n%{http_code}", "--unix-socket", installation.socket, "http://localhost\(path)",
            ] + (body.map { ["-X", "PUT", "--data", $0] } ?? []),
            environment: ["PATH": "/usr/bin:/bin"],
            in: installation.folder
        )
        let lines = end.output.split(separator: "\n", omittingEmptySubsequences: false)
        return Answer(status: String(lines.last ?? ""), body: lines.dropLast().joined(separator: "\n"))
    }

    @Test func h24CallersMayDoWhatTheRulesSayAndNothingElse() async throws {
        try await Installation.with(accounts: 2) { installation in
            let daemon = try await installation.startReadyDaemon(["SOCKET_MODE": "0666"], file: Self.file)
            let (one, two, status) = ("/v1/users/1/token", "/v1/users/2/token", "/v1/users/1")
            // More groups than are asked for at once.
            let many = (43_000..<43_200).map { UInt32($0) } + [42_001]
            let expected: [(Somebody, String, String)] = [
                (Somebody(user: 41_001), one, "200"),
                (Somebody(user: 41_001), two, "403"),
                (Somebody(user: 41_001), status, "403"),
                (Somebody(user: 41_001), "/v1/users/none/token", "403"),
                (Somebody(user: 41_002, group: 42_001), status, "200"),
                (Somebody(user: 41_002, group: 42_001), one, "403"),
                (Somebody(user: 41_002, group: 42_001), "/v1/users/none", "404"),
                (Somebody(user: 41_003, others: many), status, "200"),
                (Somebody(user: 41_003, others: many), two, "403"),
                (Somebody(user: 41_004, others: [42_002]), two, "200"),
                (Somebody(user: 41_004, others: [42_002]), "/v1/users/2", "200"),
                (Somebody(user: 41_004, others: [42_002]), one, "403"),
                (Somebody(user: 1), one, "200"),
                (Somebody(user: 42_001), status, "403"),
                (Somebody(user: 65_534, group: 65_534), one, "403"),
                (Somebody(user: 0), one, "200"),
                (Somebody(user: 0), "/v1/users/none", "404"),
            ]
            for (somebody, path, code) in expected {
                let answer = try await ask(path, as: somebody, at: installation)
                #expect(answer.status == code, "\(somebody) asked for \(path): \(answer.body)")
            }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func whoMayEnrollConnectsTheUsersOfHisRuleAlone() async throws {
        try await Installation.with(accounts: 2) { installation in
            let daemon = try await installation.startReadyDaemon(["SOCKET_MODE": "0666"], file: Self.file)
            let clerk = Somebody(user: 41_005)
            let grant = #"{"refresh_token":"\#(try installation.simulator.makeGrant(for: "2"))"}"#
            let other = try await ask("/v1/users/1/grant", as: clerk, putting: grant, at: installation)
            let missing = try await ask("/v1/users/none/grant", as: clerk, putting: grant, at: installation)
            #expect(other.status == "403" && missing.status == "403" && other.body == missing.body)
            let client = try await ask(
                "/v1/clients/second",
                as: clerk,
                putting: #"{"client_id":"x"}"#,
                at: installation
            )
            #expect(client.status == "403")
            #expect(try await ask("/v1/users/2/token", as: clerk, at: installation).status == "403")
            let connected = try await ask("/v1/users/2/grant", as: clerk, putting: grant, at: installation)
            #expect(connected.status == "200", "\(connected.body)")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    /// Whoever had the right when it began is told what became of it: the row is changed, and a refusal would say that it is not.
    @Test func aChangeUnderWayIsToldOfThoughTheRulesBecomeOthers() async throws {
        try await Installation.with(accounts: 2) { installation in
            let daemon = try await installation.startReadyDaemon(["SOCKET_MODE": "0666"], file: Self.file)
            try await eventually("both have tokens") { (try? installation.tokens(of: 1...2)) != nil }
            installation.simulator.set(Fault(.hold))
            let grant = #"{"refresh_token":"\#(try installation.simulator.makeGrant(for: "2"))"}"#
            let calls = installation.simulator.counts.requests
            let clerk = Somebody(user: 41_005)
            let answer = Task { try await ask("/v1/users/2/grant", as: clerk, putting: grant, at: installation) }
            try await eventually("TastyTrade is asked") { installation.simulator.counts.requests > calls }
            try installation.put(configuration: "access: []\n")
            daemon.signal(SIGHUP)
            try await eventually("the rules are others") { daemon.errors.contains("configuration reloaded") }
            installation.simulator.releaseHeld()
            let told = try await answer.value
            let refused = try await ask("/v1/users/2/grant", as: clerk, putting: grant, at: installation)
            #expect([told, refused].map(\.status) == ["200", "403"], "\(told.body)")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func theSocketsModeLetsInButGivesNoRight() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon(["SOCKET_MODE": "0666"])
            let stranger = Somebody(user: 41_001)
            let there = try await ask("/v1/users/1/token", as: stranger, at: installation)
            let missing = try await ask("/v1/users/none/token", as: stranger, at: installation)
            #expect(there.status == "403")
            #expect(there.status == missing.status && there.body == missing.body, "nothing tells whether a user exists")
            #expect(try await ask("/healthz", as: stranger, at: installation).status == "200")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func anUnknownNameInARuleIsRefusedAtStart() async throws {
        try await Installation.with(accounts: 0) { installation in
            let daemon = try installation.startDaemon(
                file: "access:\n  - {group: nosuchgroup, users: \"*\", allow: [token]}\n"
            )
            let end = try await daemon.end()
            #expect(end.status == 78)
            #expect(end.errors.contains("config.yaml:2: access: this host has no group \"nosuchgroup\""))
        }
    }
}
