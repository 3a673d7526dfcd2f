// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// Who took whose token, as the built daemon's log has it.
@Suite(.serialized, .timeLimit(.minutes(3))) struct AuditRecordTests {
    private struct Taken: Equatable {
        let user: String
        let takes: Int
    }

    private func records(_ event: String, in log: String) throws -> [[String: Any]] {
        try log.split(separator: "\n").compactMap { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return object?["event"] as? String == event ? object : nil
        }
    }

    private func taken(in log: String) throws -> [Taken] {
        try records("token.taken", in: log).map { record in
            Taken(
                user: try #require(record["user.id"] as? String),
                takes: try #require(record["token.takes"] as? Int)
            )
        }
    }

    private func take(_ user: Int, _ times: Int, query: String = "", from installation: Installation) throws {
        for _ in 0..<times {
            #expect(try SocketProbe.get("/v1/users/\(user)/token\(query)", at: installation.socket).status == 200)
        }
    }

    @Test func everyHandOutIsToldWithItsCallerAndNothingOfTheToken() async throws {
        try await Installation.with(accounts: 3) { installation in
            let daemon = try await installation.startReadyDaemon()
            try take(1, 3, from: installation)
            try take(1, 2, query: "?min_ttl=5", from: installation)
            try take(2, 1, from: installation)
            let header = try await installation.tastytoken("header", "2").output
            try await eventually("the first are told while it runs") { try taken(in: daemon.errors).count == 2 }
            let log = try await installation.stop(daemon).errors
            let all = try taken(in: log)
            #expect(all.prefix(2) == [Taken(user: "1", takes: 1), Taken(user: "2", takes: 1)])
            #expect(
                all.count == 4 && all.contains(Taken(user: "1", takes: 4)) && all.contains(Taken(user: "2", takes: 1))
            )
            for record in try records("token.taken", in: log) {
                #expect(record["level"] as? String == "info")
                #expect(record["caller.uid"] as? Int == Int(geteuid()))
                #expect(record["caller.pid"] as? Int ?? 0 > 0)
                #expect((800...900).contains(try #require(record["token.seconds_left"] as? Int)))
            }
            let token = try #require(header.split(separator: " ").last).trimmingCharacters(in: .newlines)
            #expect(token.count > 40 && !log.contains(token) && !log.contains(token.suffix(12)))
        }
    }

    @Test func aReloadTurnsItOffAndOn() async throws {
        try await Installation.with(accounts: 1) { installation in
            let path = "\(installation.folder)/config.yaml"
            let daemon = try await installation.startReadyDaemon(file: "log: {audit: false}")
            try take(1, 2, from: installation)
            try "log: {audit: true}".write(toFile: path, atomically: true, encoding: .utf8)
            daemon.signal(SIGHUP)
            try await eventually("log.audit is taken up") {
                daemon.errors.contains("\"configuration.changed\":\"log.audit\"")
            }
            try take(1, 1, from: installation)
            let log = try await installation.stop(daemon).errors
            #expect(try taken(in: log) == [Taken(user: "1", takes: 1)])
        }
    }
}
