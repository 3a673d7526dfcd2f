// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Accounts that are connected by hand, through the programs as they were built.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ConnectingTests {
    private func tastytoken(
        _ arguments: String...,
        input: String = "",
        at installation: Installation
    ) async throws -> RunningProgram.End {
        try await installation.tastytoken(arguments, input: input)
    }

    private func row(_ user: Int, _ installation: Installation) async throws -> String {
        try await installation.postgres.query(
            "SELECT tastytrade_oauth_token, tastytrade_oauth_refresh_token FROM users WHERE id = \(user)"
        )
    }

    @Test func aGrantThatIsHandedOverGivesATokenAtOnceAndIsKeptFresh() async throws {
        try await Installation.with(accounts: 1, lifetime: .seconds(20)) { installation in
            try await installation.postgres.execute("INSERT INTO users DEFAULT VALUES")
            let daemon = try await installation.startReadyDaemon()
            let before = try await tastytoken("token", "2", at: installation)
            #expect(before.status == 78, "\(before)")
            let grant = try installation.simulator.makeGrant(for: "2")
            let added = try await tastytoken("grant", "add", "2", input: " \"\(grant)\"\n", at: installation)
            #expect(added.status == 0 && added.output.contains("active"), "\(added)")
            #expect(added.errors.contains("uotes") && !added.errors.contains(grant))
            let token = try installation.token(of: 2)
            #expect(try await row(2, installation) == "\(token)|\(grant)")
            #expect(installation.simulator.user(ofLiveToken: token) == "2")
            try await eventually(within: 30, "it is refreshed by itself") { try installation.token(of: 2) != token }
            installation.expectNothingLost()
            #expect(try await installation.stop(daemon).status == 0)
            #expect(!daemon.errors.contains(grant) && !daemon.errors.contains(token))
        }
    }

    @Test func h32TheOldGrantGoesOnUntilTheNewOneProvedItself() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            try await eventually("the first token is there") { (try? installation.token(of: 1)) != nil }
            let before = try await row(1, installation)
            let token = try installation.token(of: 1)
            // The wrong kind of token is found out without a call; one that TastyTrade does not know, by a call.
            let calls = installation.simulator.counts.tokenRequests
            let access = try await tastytoken("grant", "add", "1", input: token, at: installation)
            #expect(access.status == 78 && access.errors.contains("access token"), "\(access)")
            #expect(installation.simulator.counts.tokenRequests == calls)
            let unknown = try await tastytoken("grant", "add", "1", input: "no-grant-of-anybody", at: installation)
            #expect(unknown.status == 78, "\(unknown)")
            #expect(installation.simulator.counts.tokenRequests == calls + 1)
            installation.simulator.set(Fault(.outage(.unavailable)))
            let grant = try installation.simulator.makeGrant(for: "1")
            try await eventually("five seconds are over") {
                try await tastytoken("grant", "add", "1", input: grant, at: installation).errors.contains("503")
            }
            #expect(try await row(1, installation) == before)
            #expect(try installation.token(of: 1) == token)
            installation.simulator.clearFaults()
            try await eventually("five seconds are over") {
                try await tastytoken("grant", "add", "1", input: grant, at: installation).status == 0
            }
            #expect(try await row(1, installation) == "\(try installation.token(of: 1))|\(grant)")
            #expect(try installation.token(of: 1) != token)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func anotherDaemonServesWhatThisOneConnected() async throws {
        try await Installation.with(accounts: 0) { installation in
            try await installation.postgres.execute("INSERT INTO users DEFAULT VALUES")
            // Daemons listen to one another where there is the trigger.
            #expect(try await installation.tastytokend("migrate").status == 0)
            let daemon = try await installation.startReadyDaemon()
            let other = "\(installation.folder)/other"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            let second = try installation.startDaemon(["SOCKET_PATH": "\(other)/s", "STATE_DIRECTORY": other])
            try await eventually("the second one is ready") {
                (try? SocketProbe.get("/readyz", at: "\(other)/s").status) == 200
            }
            let grant = try installation.simulator.makeGrant(for: "1")
            #expect(try await tastytoken("grant", "add", "1", input: grant, at: installation).status == 0)
            let token = try installation.token(of: 1)
            try await eventually("the other one has it") {
                (try? Installation.tokens(of: 1...1, at: "\(other)/s")) == [token]
            }
            let removed = try await tastytoken("grant", "remove", "1", at: installation)
            #expect(removed.status == 0, "\(removed)")
            #expect(try await row(1, installation) == "|")
            #expect(try SocketProbe.get("/v1/users/1/token", at: installation.socket).member("code") == "no_grant")
            try await eventually("the other one has none") {
                try SocketProbe.get("/v1/users/1/token?max_wait=0", at: "\(other)/s").member("code") == "no_grant"
            }
            #expect(installation.simulator.counts.made == 1, "one call, by the one that was asked")
            #expect(try await installation.stop(daemon).status == 0)
            #expect(try await installation.stop(second).status == 0)
        }
    }

    /// Item 1 of the clients: one that is put in while the daemon runs is used for its accounts, and its secret's successor too.
    @Test func anAccountIsConnectedWithASecondClientWhoseSecretIsReplacedWhileRunning() async throws {
        let id = "6e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11"
        try await Installation.with(accounts: 1, lifetime: .seconds(20)) { installation in
            let keys = "\(installation.folder)/keys.json"
            _ = try await installation.keygen(keys)
            let sealing = ["ENCRYPTION_MODE": "jwe", "ENCRYPTION_JWE_KEYS_FILE": keys]
            let secrets = ["canary-second-secret-a", "canary-second-secret-b"]
            var client = SimulatedClient()
            (client.id, client.secret) = (id, secrets[0])
            try installation.simulator.register(client)
            let daemon = try await installation.startReadyDaemon(sealing)
            let set = try await tastytoken(
                "client",
                "set",
                "second",
                "--client-id",
                id,
                input: secrets[0],
                at: installation
            )
            #expect(set.status == 0, "\(set)")
            let grant = try installation.simulator.makeGrant(for: "1", client: id)
            let added = try await tastytoken("grant", "add", "1", "--client", "second", input: grant, at: installation)
            #expect(added.status == 0 && added.output.contains("second"), "\(added)")
            let list = try await tastytoken("client", "list", at: installation)
            #expect(list.output.split(separator: "\n").last?.contains("second") == true, "\(list)")
            client.secret = secrets[1]
            try installation.simulator.register(client)
            let replaced = try await tastytoken("client", "set", "second", input: secrets[1], at: installation)
            #expect(replaced.status == 0 && replaced.errors.contains("1 account"), "\(replaced)")
            let token = try installation.token(of: 1)
            try await eventually(within: 30, "it is refreshed with the new secret") {
                try installation.token(of: 1) != token
            }
            let kept = try await tastytoken("client", "remove", "second", at: installation)
            #expect(kept.status == 64 && kept.errors.contains("was not removed"), "\(kept)")
            let stored = try await installation.postgres.query("SELECT client_secret FROM tastytokend.clients")
            #expect(try await installation.stop(daemon).status == 0)
            for secret in secrets {
                #expect(!stored.contains(secret) && !(daemon.errors + list.output + set.output).contains(secret))
            }
        }
    }

    @Test func withoutAKeyNoClientIsStored() async throws {
        try await Installation.with(accounts: 0) { installation in
            let daemon = try await installation.startReadyDaemon()
            let set = try await tastytoken(
                "client",
                "set",
                "second",
                "--client-id",
                "6e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11",
                input: "s",
                at: installation
            )
            #expect(set.status == 78 && set.errors.contains("keygen"), "\(set)")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
