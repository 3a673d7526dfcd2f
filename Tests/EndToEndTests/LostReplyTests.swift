// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H1, H3, H4, H8 with the built daemon: a provider whose refresh tokens work once, and every way to lose the new one.
@Suite struct LostReplyTests {
    private let settings = ["REFRESH_CLAIM_FOR": "10s", "REFRESH_TIMEOUT": "5s", "DATABASE_RECONCILE_EVERY": "2s"]

    private func status(_ user: Int, _ installation: Installation) throws -> String? {
        try SocketProbe.get("/v1/users/\(user)", at: installation.socket).member("status")
    }

    private func order(_ user: Int, _ installation: Installation) throws {
        var probe = try SocketProbe(at: installation.socket)
        _ = try probe.exchange(
            "POST /v1/users/\(user)/refresh?max_wait=0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        )
    }

    private func stored(_ user: Int, _ installation: Installation) async throws -> String {
        try await installation.postgres.query("SELECT tastytrade_oauth_token FROM users WHERE id = \(user)")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func summary(_ installation: Installation) throws -> String {
        try SocketProbe.get("/v1/status", at: installation.socket).body
    }

    /// A daemon with one account that has a token of the provider's that rotates.
    private func served(_ installation: Installation) async throws -> (RunningProgram, token: String) {
        installation.simulator.set(Fault(.rotation(.strict)))
        let daemon = try await installation.startReadyDaemon()
        try await eventually("the token is in its row") {
            guard let token = try? installation.token(of: 1) else { return false }
            return try await stored(1, installation) == token
        }
        // An order is too soon after the first refresh for a while.
        try await Task.sleep(for: .seconds(6))
        return (daemon, try installation.token(of: 1))
    }

    /// Keeps every write of tokens waiting while `body` goes on; reading goes on.
    private func withLockedTable<Value>(
        _ installation: Installation,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let postgres = installation.postgres
        async let lock: Void = postgres.execute("BEGIN; LOCK TABLE users IN EXCLUSIVE MODE; SELECT pg_sleep(120)")
        try await eventually("the table is locked") {
            try await postgres.query(
                "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation = 'users'::regclass"
            )
            .hasPrefix("1")
        }
        let value = try await body()
        _ = try await postgres.query(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation = 'users'::regclass"
        )
        try? await lock
        return value
    }

    @Test func h3WhatAKilledDaemonWasGivenIsServedAndStoredByTheNext() async throws {
        try await Installation.with(accounts: 1, lifetime: .seconds(300), settings: settings) { installation in
            let (daemon, first) = try await served(installation)
            let kept = try await withLockedTable(installation) {
                try order(1, installation)
                try await eventually("the new token is served, and is in no row") {
                    try installation.token(of: 1) != first
                }
                let kept = try installation.token(of: 1)
                #expect(try await stored(1, installation) == first)
                #expect(try summary(installation).contains(#""journal":{"entries":1,"trouble":null}"#))
                daemon.signal(SIGKILL)
                _ = try await daemon.end()
                return kept
            }
            let file = try Data(contentsOf: URL(fileURLWithPath: "\(installation.folder)/reply-journal"))
            #expect(file.range(of: Data(kept.utf8)) == nil, "it is sealed")
            let calls = installation.simulator.counts.made
            let next = try await installation.startReadyDaemon()
            #expect(try installation.token(of: 1) == kept)
            try await eventually("the row has it") { try await stored(1, installation) == kept }
            try await eventually("the journal lets go of it") {
                try summary(installation).contains(#""journal":{"entries":0,"trouble":null}"#)
            }
            #expect(installation.simulator.counts.made == calls, "no other call was made for it")
            try await eventually("the new refresh token works") {
                // It is too soon for a while.
                try order(1, installation)
                return try installation.token(of: 1) != kept
            }
            #expect(installation.simulator.counts.reused == 0 && installation.simulator.counts.grantsLost == 0)
            #expect(try await installation.stop(next).status == 0)
        }
    }

    @Test func h4WithTheDatabaseAwayItIsKeptPastTheTokensEndAndThroughARestart() async throws {
        // However long it takes to stop the database, the reply is not given up meanwhile.
        let patient = settings.merging(["REFRESH_CLAIM_FOR": "120s", "REFRESH_TIMEOUT": "60s"]) { $1 }
        try await Installation.with(accounts: 1, lifetime: .seconds(20), settings: patient) { installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            let daemon = try await installation.startReadyDaemon()
            try await eventually("the token is in its row") {
                guard let token = try? installation.token(of: 1) else { return false }
                return try await stored(1, installation) == token
            }
            installation.simulator.set(Fault(.hold), for: .account("1"))
            try await eventually("a call is under way") { installation.simulator.counts(of: "1").inFlight == 1 }
            let before = try installation.token(of: 1)
            try await installation.postgres.stop(mode: .immediate)
            installation.simulator.clearFaults(.account("1"))
            try await eventually("the new token is served") { (try? installation.token(of: 1)) != before }
            #expect(try summary(installation).contains(#""journal":{"entries":1,"#))
            daemon.signal(SIGKILL)
            _ = try await daemon.end()
            let next = try installation.startDaemon()
            // Longer than the token lives.
            try await Task.sleep(for: .seconds(21))
            let calls = installation.simulator.counts.made
            try await installation.postgres.start()
            try await eventually("a token is served again") { (try? installation.token(of: 1)) != nil }
            #expect(installation.simulator.counts.reused == 0 && installation.simulator.counts.grantsLost == 0)
            #expect(installation.simulator.counts.made > calls, "with the refresh token that only the journal had")
            #expect(try await installation.stop(next).status == 0)
        }
    }

    @Test func h1ALostReplyEndsInUnknownOutcomeAndNotInSilence() async throws {
        try await Installation.with(accounts: 2, lifetime: .seconds(24), settings: settings) { installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            let daemon = try await installation.startReadyDaemon()
            try await eventually("both have a token") {
                (try? installation.tokens(of: 1...2)) != nil
            }
            installation.simulator.set(Fault(.lostReply(sentBytes: 20), count: 1), for: .account("1"))
            try await eventually("the refusal of what was tried again says that the outcome is unknown") {
                try status(1, installation) == "unknown_outcome"
            }
            let alive = try SocketProbe.get("/v1/users/1/token?max_wait=0", at: installation.socket)
            #expect(alive.status == 200, "the token at hand is served while it lives")
            let calls = installation.simulator.counts(of: "1").requests
            try await eventually("the token is dead") {
                try SocketProbe.get("/v1/users/1/token?max_wait=0", at: installation.socket).status == 409
            }
            let dead = try SocketProbe.get("/v1/users/1/token?max_wait=0", at: installation.socket)
            #expect(dead.member("code") == "unknown_outcome")
            #expect(installation.simulator.counts(of: "1").requests == calls, "it is not hammered")
            // It is remembered, and another grant in the row ends it.
            #expect(try await installation.stop(daemon).status == 0)
            let next = try await installation.startReadyDaemon()
            #expect(try status(1, installation) == "unknown_outcome")
            #expect(try status(2, installation) == "active")
            let grant = try installation.simulator.makeGrant(for: "1")
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_refresh_token = '\(grant)' WHERE id = 1"
            )
            try await eventually("the new grant gives a token") { (try? installation.token(of: 1)) != nil }
            #expect(try await installation.stop(next).status == 0)
        }
    }

    @Test func h1AProviderWithGraceTakesTheOldRefreshTokenOnceMore() async throws {
        try await Installation.with(accounts: 1, lifetime: .seconds(20), settings: settings) { installation in
            installation.simulator.set(Fault(.rotation(.grace(.seconds(30)))))
            let daemon = try await installation.startReadyDaemon()
            try await eventually("it has a token") { (try? installation.token(of: 1)) != nil }
            let first = try installation.token(of: 1)
            installation.simulator.set(Fault(.lostReply(sentBytes: 20), count: 1), for: .account("1"))
            try await eventually("it has another one") { try installation.token(of: 1) != first }
            try await eventually("it is well") { try status(1, installation) == "active" }
            #expect(installation.simulator.counts.grantsLost == 0)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test(.enabled(if: NameService.isAvailable, "mounts a file system of its own, which takes root"))
    func h8WithAFullDiskItSaysSoAndRefreshesOnlyWhatIsAboutToDie() async throws {
        try await Installation.with(accounts: 1, lifetime: .seconds(30), settings: settings) { installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            let state = "\(installation.folder)/state"
            try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: false)
            let daemon = try installation.startDaemon(["STATE_DIRECTORY": state], under: Self.tinyDisk(at: state))
            try await eventually("it has a token: \(daemon.errors)") { (try? installation.token(of: 1)) != nil }
            let filler = URL(fileURLWithPath: "/proc/\(daemon.pid)/root\(state)/filler")
            try Self.fill(filler)
            // What is left of the last page takes some entries yet.
            try await eventually("it says that nothing can be written") {
                try order(1, installation)
                return try summary(installation).contains("No space left on device")
            }
            try await eventually("it waits until the token is about to die") {
                try status(1, installation) == "degraded"
            }
            #expect(try installation.token(of: 1).isEmpty == false)
            let held = try installation.token(of: 1)
            try await eventually("then it is refreshed all the same") { try installation.token(of: 1) != held }
            #expect(installation.simulator.counts.grantsLost == 0)
            #expect(daemon.errors.contains("the reply journal cannot be written"))
            try FileManager.default.removeItem(at: filler)
            try await eventually("it is well again") {
                try summary(installation).contains(#""trouble":null}}"#) && status(1, installation) == "active"
            }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    private static func tinyDisk(at folder: String) -> [String] {
        [
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
            "PATH=/usr/bin:/bin:/usr/sbin:/sbin; mount -t tmpfs -o size=64k none '\(folder)' && exec \"$0\" \"$@\"",
        ]
    }

    /// Takes all the room that there is.
    private static func fill(_ file: URL) throws {
        try Data().write(to: file)
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
    }
}
