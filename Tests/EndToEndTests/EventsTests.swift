// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// `GET /v1/events` through the programs as they were built, read by curl as any program would.
@Suite(.serialized, .timeLimit(.minutes(3))) struct EventsTests {
    /// An event as it came.
    private struct Event: Equatable {
        let name: String
        let id: String
        let user: String?
    }

    private func follow(
        _ installation: Installation,
        as user: UInt32? = nil,
        _ fields: String...
    ) throws -> RunningProgram {
        let curl =
            ["/usr/bin/curl", "-sSN"] + fields.flatMap { ["-H", $0] }
            + ["--unix-socket", installation.socket, "http://localhost/v1/events"]
        let other = user.map { ["/usr/bin/setpriv", "--reuid=\($0)", "--regid=\($0)", "--clear-groups"] } ?? []
        let command = other + curl
        return try RunningProgram(command[0], Array(command.dropFirst()), in: installation.folder)
    }

    private func events(_ follower: RunningProgram) -> [Event] {
        follower.output.components(separatedBy: "\n\n").compactMap { block in
            let lines = block.split(separator: "\n")
            func value(_ name: String) -> String? {
                lines.first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
            }
            guard let name = value("event: "), let id = value("id: "), let data = value("data: ") else { return nil }
            let object = try? JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
            return Event(name: name, id: id, user: object?["user"] as? String)
        }
    }

    private func begun(_ follower: RunningProgram) async throws {
        try await eventually("the stream begins: \(follower.errors)") { follower.output.contains("retry: ") }
    }

    private func hears(_ follower: RunningProgram, _ name: String, of user: String) async throws {
        try await eventually("\(name) of \(user): \(follower.output)") {
            events(follower).contains { $0.name == name && $0.user == user }
        }
    }

    @Test func whatHappensIsToldAndWhoComesBackMissesNothing() async throws {
        try await Installation.with(accounts: 1, settings: ["DATABASE_RECONCILE_EVERY": "1s"]) { installation in
            let daemon = try await installation.startReadyDaemon()
            let first = try follow(installation)
            try await begun(first)
            let grant = try installation.simulator.makeGrant(for: "2")
            try await installation.postgres.execute(
                "INSERT INTO users (tastytrade_oauth_refresh_token) VALUES ('\(grant)')"
            )
            try await hears(first, "grant.added", of: "2")
            try await hears(first, "token.refreshed", of: "2")
            first.signal(SIGKILL)
            _ = try await first.end()
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_refresh_token = 'wrong' WHERE id = 2"
            )
            let last = try #require(events(first).last)
            let second = try follow(installation, "Last-Event-ID: \(last.id)")
            try await hears(second, "refresh.failed", of: "2")
            try await installation.postgres.execute("DELETE FROM users WHERE id = 2")
            try await hears(second, "grant.removed", of: "2")
            #expect(!events(second).contains { $0.name == "events.missed" })
            #expect(!events(second).contains(last), "it was seen")
            let stopped = try await installation.stop(daemon)
            #expect(stopped.status == 0)
            let end = try await second.end()
            #expect(end.status == 0, "a stop ends the stream in good order: \(end.errors)")
            for text in [first.output, end.output] {
                #expect(!text.contains(grant) && !text.contains("eyJ"), "no token is told")
            }
        }
    }

    @Test func anotherRunsPlaceIsToldToBeUnknown() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            let follower = try follow(installation, "Last-Event-ID: 1767225600000000-3")
            try await eventually("events were missed: \(follower.output)") {
                events(follower).first?.name == "events.missed"
            }
            #expect(try await installation.stop(daemon).status == 0)
            #expect(try await follower.end().status == 0)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "calling as other users takes root"))
    func aCallerHearsOnlyOfHisOwnUsers() async throws {
        let file = "access: [{uid: 41001, users: ['2'], allow: [status]}]"
        let settings = ["SOCKET_MODE": "0666", "DATABASE_RECONCILE_EVERY": "1s"]
        try await Installation.with(accounts: 2, settings: settings) { installation in
            let daemon = try await installation.startReadyDaemon(file: file)
            let (his, all) = (try follow(installation, as: 41_001), try follow(installation))
            let stranger = try follow(installation, as: 41_002)
            #expect(try await stranger.end().output.contains("forbidden"))
            for follower in [his, all] { try await begun(follower) }
            try await installation.postgres.execute("DELETE FROM users WHERE id = 1")
            try await hears(all, "grant.removed", of: "1")
            try await installation.postgres.execute("DELETE FROM users WHERE id = 2")
            try await hears(all, "grant.removed", of: "2")
            try await hears(his, "grant.removed", of: "2")
            #expect(!his.output.contains("\"1\""))
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
