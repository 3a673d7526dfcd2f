// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Sealed columns, through the programs as they were built.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SealedColumnsTests {
    private let columns =
        "SELECT concat_ws(' ', tastytrade_oauth_token, tastytrade_oauth_refresh_token) FROM users WHERE id = 1"

    private func header(of jwe: Substring) throws -> String {
        let first = String(try #require(jwe.split(separator: ".").first))
        let encoded = first.replacing("-", with: "+").replacing("_", with: "/")
        let padded = encoded + String(repeating: "=", count: (4 - encoded.count % 4) % 4)
        return String(decoding: try #require(Data(base64Encoded: padded)), as: UTF8.self)
    }

    @Test func tokensAreSealedAndKeysAreChangedWhileTheDaemonRuns() async throws {
        try await Installation.with(accounts: 1, settings: ["ENCRYPTION_MODE": "jwe"]) { installation in
            installation.simulator.set(Fault(.rotation(.strict)))
            let path = "\(installation.folder)/keys.json"
            let first = try await installation.keygen(path)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let settings = ["ENCRYPTION_JWE_KEYS_FILE": path, "LOG_LEVEL": "trace"]
            let daemon = try await installation.startReadyDaemon(settings)
            let token = try #require(await installation.allTokens(1...1).first)
            var row = try await installation.postgres.query(columns).split(separator: " ")
            #expect(row.count == 2 && !row.contains(token[...]))
            #expect(
                try header(of: row[0]).contains(#""kid":"\#(first)","env":"sandbox","col":"access_token","row":"1""#)
            )
            #expect(
                try header(of: row[1]).contains(#""kid":"\#(first)","env":"sandbox","col":"refresh_token","row":"1""#)
            )

            let second = try await installation.keygen(path)
            daemon.signal(SIGHUP)
            try await eventually("the new keys are in force") { daemon.errors.contains("configuration reloaded") }
            // Not in the first seconds after another one.
            try await eventually("there is another token") {
                try await installation.tastytoken("refresh", "1").status == 0
            }
            row = try await installation.postgres.query(columns).split(separator: " ")
            #expect(try row.map(header).allSatisfy { $0.contains(#""kid":"\#(second)""#) })
            #expect(try await installation.stop(daemon).status == 0)

            let again = try await installation.startReadyDaemon(settings)
            let kept = try #require(await installation.allTokens(1...1).first)
            #expect(installation.simulator.user(ofLiveToken: kept) == "1", "and a start costs no refresh")
            #expect(try await installation.stop(again).status == 0)

            // Neither what was opened nor what opens it is in any record, whatever the level.
            let keys = try String(contentsOfFile: path, encoding: .utf8).matches(of: /"k":"([^"]{43})"/).map(\.1)
            #expect(keys.count == 2)
            for secret in keys + [token[...], kept[...]] + row {
                #expect(!daemon.errors.contains(secret) && !again.errors.contains(secret))
            }

            // H20: with keys of which none opens anything, there is no start; what is stored stays as it is.
            let other = "\(installation.folder)/other.json"
            _ = try await installation.keygen(other)
            let wrong = try installation.startDaemon(["ENCRYPTION_JWE_KEYS_FILE": other])
            let end = try await wrong.end()
            #expect(end.status == 78, "\(end.errors)")
            #expect(end.errors.contains("None of the 1 sealed rows can be opened"))
            #expect(try await installation.postgres.query(columns).split(separator: " ") == row)
        }
    }

    @Test func h20AReloadThatWouldCloseWhatThisDaemonSealedIsRefused() async throws {
        try await Installation.with(accounts: 1, settings: ["ENCRYPTION_MODE": "jwe"]) { installation in
            let path = "\(installation.folder)/keys.json"
            let key = try await installation.keygen(path)
            let daemon = try await installation.startReadyDaemon(["ENCRYPTION_JWE_KEYS_FILE": path])
            let token = try await installation.allTokens(1...1)
            let kept = try String(contentsOfFile: path, encoding: .utf8)
            try FileManager.default.removeItem(atPath: path)
            _ = try await installation.keygen(path)
            daemon.signal(SIGHUP)
            try await eventually("the reload is refused") {
                daemon.errors.contains(
                    "the key \(key), by which this daemon has sealed until now, is not among those of encryption.jwe"
                )
            }
            #expect(!daemon.errors.contains("configuration reloaded"))
            #expect(try await installation.allTokens(1...1).count == token.count)
            try kept.write(toFile: path, atomically: true, encoding: .utf8)
            daemon.signal(SIGHUP)
            try await eventually("with the key it is taken") { daemon.errors.contains("configuration reloaded") }
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func h20KeysThatComeOpenWhatWasClosedAndAnotherModeTakesARestart() async throws {
        try await Installation.with(accounts: 2) { installation in
            let (path, other) = ("\(installation.folder)/keys.json", "\(installation.folder)/other.json")
            _ = try await installation.keygen(path)
            _ = try await installation.keygen(other)
            let first = try await installation.startReadyDaemon(file: file(keys: path))
            _ = try await installation.allTokens(1...2)
            #expect(try await installation.stop(first).status == 0)

            let grant = try installation.simulator.makeGrant(for: "2")
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_token = NULL, tastytrade_oauth_refresh_token = '\(grant)' WHERE id = 2"
            )
            let closed = try await installation.postgres.query(columns)
            let daemon = try await installation.startReadyDaemon(file: file(keys: other))
            _ = try await installation.allTokens(2...2)
            let socket = installation.socket
            #expect(try SocketProbe.get("/v1/users/1", at: socket).member("status") == "unreadable")
            #expect(try await installation.postgres.query(columns) == closed, "and its row is left alone")

            let members = try [other, path].map { try String(contentsOfFile: $0, encoding: .utf8) }
                .flatMap { $0.matches(of: /{"kty[^}]*}/).map { String($0.output) } }
            try "{\"keys\":[\(members.joined(separator: ","))]}".write(toFile: other, atomically: true, encoding: .utf8)
            daemon.signal(SIGHUP)
            try await eventually("its row is read again") {
                try SocketProbe.get("/v1/users/1/token", at: socket).status == 200
            }

            try installation.put(configuration: "encryption: {mode: none}")
            daemon.signal(SIGHUP)
            try await eventually("it says so") { daemon.errors.contains("settings changed that need a restart") }
            try await eventually("there is another token") {
                try await installation.tastytoken("refresh", "1").status == 0
            }
            let row = try await installation.postgres.query(columns).split(separator: " ")
            #expect(try header(of: row[0]).contains(#""enc":"A256GCM""#), "what is written is sealed still")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    private func file(keys path: String) -> String {
        "encryption: {mode: jwe, jwe: {keysFile: \(path)}}"
    }

    @Test func aFileOfKeysThatIsNoneIsNeitherReadNorReplaced() async throws {
        try await Installation.with(accounts: 0) { installation in
            let path = "\(installation.folder)/keys.json"
            try "{\"keys\":[]".write(toFile: path, atomically: true, encoding: .utf8)
            let keygen = try await installation.tastytokend("keygen", arguments: [path])
            #expect(keygen.status == 78 && keygen.errors.contains("is not JSON"), "\(keygen.errors)")
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"keys\":[]")
            let check = try await installation.tastytokend(
                "check",
                ["ENCRYPTION_MODE": "jwe", "ENCRYPTION_JWE_KEYS_FILE": path]
            )
            #expect(check.status == 78)
            #expect(
                check.output.contains("encryption.jwe.keysFile: holds no keys for jwe: the set of keys is not JSON")
            )
        }
    }
}
