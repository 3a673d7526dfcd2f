// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// `tastytokend reseal` beside running daemons, with a provider whose refresh tokens work once.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ResealTests {
    private let accounts = 1...60
    private let inClear = """
        SELECT count(*) FROM users WHERE tastytrade_oauth_token NOT LIKE 'eyJhbGciOiJkaXIi%'
            OR tastytrade_oauth_refresh_token NOT LIKE 'eyJhbGciOiJkaXIi%'
        """

    private func reseal(
        _ settings: [String: String],
        _ installation: Installation,
        _ arguments: [String] = []
    ) async throws -> RunningProgram.End {
        try await installation.tastytokend("reseal", settings, arguments: ["--quiet", "--rate", "2000"] + arguments)
    }

    private func settings(_ name: String, keys: String, _ installation: Installation) throws -> [String: String] {
        let folder = "\(installation.folder)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return [
            "SOCKET_PATH": "\(folder)/api.sock", "STATE_DIRECTORY": folder, "ENCRYPTION_MODE": "jwe",
            "ENCRYPTION_JWE_KEYS_FILE": keys,
        ]
    }

    private func start(_ settings: [String: String], _ installation: Installation) async throws -> RunningProgram {
        let daemon = try installation.startDaemon(settings)
        let socket = try #require(settings["SOCKET_PATH"])
        try await eventually("the daemon is ready; it said: \(daemon.errors)") {
            (try? SocketProbe.get("/readyz", at: socket).status) == 200
        }
        return daemon
    }

    /// The tokens that a daemon serves; fails if an account has none.
    private func tokens(_ settings: [String: String]) throws -> [String] {
        try Installation.tokens(of: accounts, at: #require(settings["SOCKET_PATH"]))
    }

    /// How many accounts a daemon says are in good standing.
    private func active(_ settings: [String: String]) throws -> Int {
        var probe = try SocketProbe(at: try #require(settings["SOCKET_PATH"]))
        return try probe.get(accounts.map { "/v1/users/\($0)" }).filter { $0.member("status") == "active" }.count
    }

    @Test func whatStandsInClearIsSealedAndKeysAreChangedAndNothingIsRefreshedForIt() async throws {
        let changes = ["DATABASE_RECONCILE_EVERY": "1s", "REFRESH_MAX_PER_SECOND": "200"]
        try await Installation.with(accounts: accounts.count, settings: changes) { installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            let path = "\(installation.folder)/keys.json"
            let first = try await installation.keygen(path)
            let both = try ["a", "b"].map { try settings($0, keys: path, installation) }
            let daemons = [try await start(both[0], installation), try await start(both[1], installation)]
            try await eventually("every account has a token at both") { (try? both.map(tokens)) != nil }
            try await eventually("neither has a refresh to make") {
                try both.map(tokens)[0] == both.map(tokens)[1]
            }
            let refreshes = installation.simulator.counts.tokenRequests
            let served = try tokens(both[0])

            // What was there before the daemons, and the provider did not renew, stands in clear.
            try await installation.postgres.execute(
                "INSERT INTO users (tastytrade_oauth_refresh_token) VALUES (NULL), ('')"
            )
            let dry = try await reseal(both[0], installation, ["--dry-run"])
            #expect(dry.status == 0 && dry.output.hasPrefix("dry run: 0 rows would be sealed anew"), "\(dry.output)")

            let second = try await installation.keygen(path)
            let refused = try await reseal(both[0], installation)
            #expect(
                refused.status == 78 && refused.errors.contains("seals by key \(first): reload it"),
                "\(refused.errors)"
            )
            let early = try await reseal(both[0], installation, ["--anyway"])
            #expect(early.status == 0, "\(early.output) \(early.errors)")
            #expect(early.output.hasPrefix("\(accounts.count) rows sealed anew\n"), "\(early.output)")
            #expect(early.output.contains("key \(second): 120 values; seals what is written"), "\(early.output)")
            #expect(
                early.output.contains("key \(first): 0 values; in use, daemon "),
                "both seal by it still: \(early.output)"
            )
            #expect(
                try tokens(both[0]) == served && tokens(both[1]) == served,
                "which they cannot open, and have at hand"
            )
            for daemon in daemons { daemon.signal(SIGHUP) }
            try await eventually("both have the key") {
                daemons.allSatisfy { $0.errors.contains("configuration reloaded") }
            }
            try await eventually("both read the rows again") {
                try both.allSatisfy { try active($0) == accounts.count }
            }
            #expect(try tokens(both[0]) == served && tokens(both[1]) == served)
            #expect(installation.simulator.counts.tokenRequests == refreshes, "no refresh was made for it")

            // A minute after the change of keys, for which it moves the daemons' word back.
            try await installation.postgres.execute(
                "UPDATE tastytokend.sealers SET seen_at = seen_at - interval '61 s'"
            )
            try await eventually("the old key can go") {
                let end = try await reseal(both[0], installation, ["--json"])
                return end.output.contains(
                    #"{"key":"\#(first)","values":0,"seals":false,"removable":true,"reason":null}"#
                )
            }
            for daemon in daemons { #expect(try await installation.stop(daemon).status == 0) }
            #expect(installation.simulator.counts.grantsLost == 0 && installation.simulator.counts.reused == 0)
        }
    }

    @Test func beneathRefreshesNoGrantIsLostAndNoAccountIsWithoutAToken() async throws {
        let (life, changes) = (
            20, ["DATABASE_RECONCILE_EVERY": "1s", "REFRESH_CLAIM_FOR": "10s", "REFRESH_TIMEOUT": "5s"]
        )
        try await Installation.with(accounts: accounts.count, lifetime: .seconds(life), settings: changes) {
            installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            let path = "\(installation.folder)/keys.json"
            _ = try await installation.keygen(path)
            let both = try ["a", "b"].map { try settings($0, keys: path, installation) }
            let daemons = [try await start(both[0], installation), try await start(both[1], installation)]
            try await eventually("every account has a token at both") { (try? both.map(tokens)) != nil }
            // Each run has another key to seal by, so that each seals every row; until each grant was refreshed twice more.
            var turn = 0
            while installation.simulator.counts.tokenRequests < accounts.count * 3 {
                turn += 1
                _ = try await installation.keygen(path)
                for daemon in daemons { daemon.signal(SIGHUP) }
                try await eventually("both have the key") {
                    daemons.allSatisfy { $0.errors.matches(of: /configuration reloaded/).count == turn }
                }
                // Slow enough for refreshes to come between, and asked all the while.
                async let run = reseal(both[0], installation, ["--rate", "40"])
                for _ in 0..<20 {
                    for settings in both { _ = try tokens(settings) }
                    try await Task.sleep(for: .milliseconds(50))
                }
                let end = try await run
                #expect(end.status == 0, "\(end.output) \(end.errors)")
                for settings in both { _ = try tokens(settings) }
            }
            #expect(installation.simulator.counts.grantsLost == 0 && installation.simulator.counts.reused == 0)
            #expect(try await installation.postgres.query(inClear) == "0")
            for daemon in daemons { #expect(try await installation.stop(daemon).status == 0) }
        }
    }

    @Test func fromClearToSealedIsTheSameAndARunThatWasCutOffIsTakenUp() async throws {
        try await Installation.with(accounts: accounts.count) { installation in
            let path = "\(installation.folder)/keys.json"
            _ = try await installation.keygen(path)
            let daemon = try await installation.startReadyDaemon()
            let served = try await installation.allTokens(accounts)
            let settings = ["ENCRYPTION_MODE": "jwe", "ENCRYPTION_JWE_KEYS_FILE": path]
            let slow = try RunningProgram(
                RunningProgram.built("tastytokend").path,
                ["reseal", "--anyway", "--rate", "5"],
                environment: installation.daemonEnvironment(settings),
                in: installation.folder
            )
            try await eventually("it is at work") {
                try await installation.postgres.query(inClear) != "\(accounts.count)"
            }
            slow.signal(SIGKILL)
            _ = try await slow.end()
            let half = Int(try await installation.postgres.query(inClear)) ?? 0
            #expect(half > 0 && half < accounts.count)
            let refused = try await reseal(settings, installation)
            #expect(refused.status == 78 && refused.errors.contains("writes in clear"), "\(refused.errors)")
            let end = try await reseal(settings, installation, ["--anyway"])
            #expect(end.status == 0, "\(end.output) \(end.errors)")
            #expect(try await installation.postgres.query(inClear) == "0")
            #expect(
                end.output.contains("writes in clear: give it encryption.mode and keys, and restart it"),
                "\(end.output)"
            )
            #expect(try await installation.allTokens(accounts) == served, "which goes on with what it has")
            #expect(try await installation.stop(daemon).status == 0)
            let alone = try await reseal(settings, installation)
            #expect(
                alone.status == 0 && !alone.output.contains("daemon"),
                "who has ended is in nobody's way: \(alone.output)"
            )

            let sealed = try await installation.startReadyDaemon(settings)
            #expect(try await installation.allTokens(accounts) == served)
            #expect(installation.simulator.counts.tokenRequests == accounts.count)
            #expect(try await installation.stop(sealed).status == 0)
        }
    }

    @Test func aClientsSecretKeepsItsKeyUntilItIsSealedAnew() async throws {
        let (id, secret) = ("6e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11", "canary-second-secret")
        try await Installation.with(accounts: 1, lifetime: .seconds(20)) { installation in
            let path = "\(installation.folder)/keys.json"
            let first = try await installation.keygen(path)
            var client = SimulatedClient()
            (client.id, client.secret) = (id, secret)
            try installation.simulator.register(client)
            let settings = ["ENCRYPTION_MODE": "jwe", "ENCRYPTION_JWE_KEYS_FILE": path]
            let daemon = try await installation.startReadyDaemon(settings)
            let set = try await installation.tastytoken(
                ["client", "set", "second", "--client-id", id],
                input: secret
            )
            #expect(set.status == 0, "\(set)")
            let grant = try installation.simulator.makeGrant(for: "1", client: id)
            let added = try await installation.tastytoken(["grant", "add", "1", "--client", "second"], input: grant)
            #expect(added.status == 0, "\(added)")

            let second = try await installation.keygen(path)
            daemon.signal(SIGHUP)
            try await eventually("it has the key") { daemon.errors.contains("configuration reloaded") }
            let end = try await reseal(settings, installation, ["--anyway"])
            #expect(end.status == 0, "\(end.output) \(end.errors)")
            #expect(end.output.contains(" and 1 client secret sealed anew\n"), "\(end.output)")
            #expect(end.output.contains("1 OAuth client: 1 with a secret that is sealed"), "\(end.output)")
            #expect(try await installation.stop(daemon).status == 0)

            let again = try await reseal(settings, installation)
            #expect(again.output.contains("key \(first): 0 values; not in use, it can be removed"), "\(again.output)")
            try keep(second, in: path)
            let alone = try await installation.startReadyDaemon(settings)
            let token = try installation.token(of: 1)
            try await eventually(within: 30, "it is refreshed with the secret that the new key sealed") {
                try installation.token(of: 1) != token
            }
            #expect(try await installation.stop(alone).status == 0)
        }
    }

    /// Takes the other keys out of a file.
    private func keep(_ key: String, in path: String) throws {
        let set =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path))) as? [String: [[String: Any]]]
        let kept = try #require(set?["keys"]).filter { $0["kid"] as? String == key }
        try JSONSerialization.data(withJSONObject: ["keys": kept]).write(to: URL(filePath: path))
    }

    @Test func withoutAKeyOrASchemaItSaysWhatIsMissing() async throws {
        try await Installation.with(accounts: 1) { installation in
            let none = try await reseal([:], installation)
            #expect(none.status == 78 && none.errors.contains("there is no key to seal with"), "\(none.errors)")
            let path = "\(installation.folder)/keys.json"
            _ = try await installation.keygen(path)
            let settings = ["ENCRYPTION_MODE": "jwe", "ENCRYPTION_JWE_KEYS_FILE": path]
            let end = try await reseal(settings, installation)
            #expect(end.status == 78 && end.errors.contains("without schema tastytokend"), "\(end.errors)")
            #expect(try await reseal(settings, installation, ["--rate", "0"]).status == 64)
        }
    }
}
