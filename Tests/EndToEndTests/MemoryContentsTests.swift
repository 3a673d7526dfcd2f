// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenCipher
import TokenCore

/// What is in the daemon's memory, and what is not (docs/encryption.md): looked for in all of it, as only root can.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: geteuid() == 0, "reading a process's memory takes root"))
struct MemoryContentsTests {
    /// A key of a file, as it stands there and as it is used.
    private struct Key {
        let text: [UInt8]
        let bytes: [UInt8]

        /// The first key of the set, which seals.
        init(ofSetAt path: String) throws {
            let set = try String(contentsOfFile: path, encoding: .utf8)
            let text = String(try #require(set.firstMatch(of: /"k":"([^"]{43})"/)).1)
            let padded = text.replacing("-", with: "+").replacing("_", with: "/") + "="
            self.text = Array(text.utf8)
            bytes = Array(try #require(Data(base64Encoded: padded)))
        }
    }

    private func keygen(_ path: String, _ installation: Installation) async throws -> Key {
        #expect(try await installation.tastytokend("keygen", arguments: [path]).status == 0)
        return try Key(ofSetAt: path)
    }

    /// Settings with the client's secret in a file: what comes by the environment stays in a process's memory.
    private func settings(_ more: [String: String], _ installation: Installation) throws -> [String: String] {
        let path = "\(installation.folder)/client-secret"
        try installation.secret.write(toFile: path, atomically: true, encoding: .utf8)
        return more.merging(["TASTYTRADE_CLIENT_SECRET_FILE": path]) { $1 }
    }

    private func find(_ needles: [String: [UInt8]], in daemon: RunningProgram) throws -> [String: Int] {
        try ProcessMemory(process: daemon.pid).counts(of: needles)
    }

    /// Seals the refresh tokens of all rows, as they stand once the provider has given new ones.
    private func sealRows(_ path: String, _ installation: Installation) async throws {
        let columns = JWEColumns(try JWEKeySet(Array(Data(contentsOf: URL(filePath: path)))))
        let rows = try await installation.postgres.query("SELECT id, tastytrade_oauth_refresh_token FROM users")
        for row in rows.split(separator: "\n").map({ $0.split(separator: "|") }) {
            let place = ColumnPlace(.refreshToken, of: UserID(String(row[0])), in: .sandbox)
            let sealed = try columns.seal(Secret(String(row[1])), at: place)
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_refresh_token = '\(sealed)' WHERE id = \(row[0])"
            )
        }
    }

    @Test func aKeyIsInOnePlaceAndAReloadLeavesNothingOfIt() async throws {
        try await Installation.with(accounts: 3, settings: ["ENCRYPTION_MODE": "jwe"]) { installation in
            let path = "\(installation.folder)/keys.json"
            let first = try await keygen(path, installation)
            try await sealRows(path, installation)
            let daemon = try await installation.startReadyDaemon(
                try settings(["ENCRYPTION_JWE_KEYS_FILE": path], installation),
                without: ["TASTYTRADE_CLIENT_SECRET"]
            )
            let token = try #require(await installation.allTokens(1...3).first)
            let found = try find(["token": Array(token.utf8), "key": first.bytes, "text": first.text], in: daemon)
            #expect(try #require(found["token"]) > 0, "what is served is there, so that the search finds what there is")
            #expect(found["key"] == 1, "in the page of its own, and nowhere else")
            #expect(found["text"] == 0, "as it stands in the file")

            // The key that seals is not to be taken away before another one does.
            let second = try await keygen(path, installation)
            try await reload(daemon, times: 1)
            try withoutLastKey(path)
            try await reload(daemon, times: 2)
            let now = try find(["old": first.bytes, "text": first.text, "new": second.bytes], in: daemon)
            #expect(now == ["old": 0, "text": 0, "new": 1])
            _ = try await installation.stop(daemon)
        }
    }

    private func reload(_ daemon: RunningProgram, times: Int) async throws {
        daemon.signal(SIGHUP)
        try await eventually("the new keys are in force: \(daemon.errors)") {
            daemon.errors.matches(of: /configuration reloaded/).count == times
        }
    }

    private func withoutLastKey(_ path: String) throws {
        let keys = try String(contentsOfFile: path, encoding: .utf8).matches(of: /{"kty[^}]*}/).map {
            String($0.output)
        }
        try "{\"keys\":[\(keys.dropLast().joined(separator: ","))]}".write(
            toFile: path,
            atomically: true,
            encoding: .utf8
        )
    }

    @Test func whatRailsKeysAreDerivedFromIsGoneOnceTheyAre() async throws {
        try await Installation.with(accounts: 1, settings: ["ENCRYPTION_MODE": "rails"]) { installation in
            let password = "canary-password-\(UUID().uuidString)"
            let salt = "canary-salt-\(UUID().uuidString)"
            var more: [String: String] = [:]
            for (name, text) in [("PRIMARY_KEYS", password), ("KEY_DERIVATION_SALT", salt)] {
                let path = "\(installation.folder)/\(name)"
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                more["ENCRYPTION_RAILS_\(name)_FILE"] = path
            }
            let daemon = try await installation.startReadyDaemon(
                try settings(more, installation),
                without: ["TASTYTRADE_CLIENT_SECRET"]
            )
            let token = try #require(await installation.allTokens(1...1).first)
            let found = try find(
                ["token": Array(token.utf8), "password": Array(password.utf8), "salt": Array(salt.utf8)],
                in: daemon
            )
            #expect(try #require(found["token"]) > 0)
            #expect(found["password"] == 0 && found["salt"] == 0, "\(found)")
            _ = try await installation.stop(daemon)
        }
    }

    /// Root may lock as much as it likes; this user may lock nothing.
    @Test func aDaemonThatMayLockNothingSaysSoAndServes() async throws {
        try await Installation.with(accounts: 1, settings: ["ENCRYPTION_MODE": "jwe"]) { installation in
            let path = "\(installation.folder)/keys.json"
            _ = try await keygen(path, installation)
            var environment = installation.daemonEnvironment(["ENCRYPTION_JWE_KEYS_FILE": path])
            environment["PATH"] = "/usr/bin:/bin"
            let daemon = try RunningProgram(
                "/usr/bin/prlimit",
                [
                    "--memlock=0:0", "setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs",
                    try RunningProgram.built("tastytokend").path, "run",
                ],
                environment: environment,
                in: installation.folder
            )
            try await eventually("the token is there; it said: \(daemon.errors)") {
                (try? SocketProbe.get("/v1/users/1/token", at: installation.socket).status) == 200
            }
            let log = try await installation.stop(daemon).errors
            #expect(log.ranges(of: "memory.unlocked").count == 1)
        }
    }
}
