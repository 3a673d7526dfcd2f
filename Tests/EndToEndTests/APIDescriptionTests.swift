// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// The built daemon, held against docs/openapi.yaml: whatever the description allows is answered as it says, and whatever it
/// does not is refused. `scripts/test-api` installs the program that asks.
@Suite(.timeLimit(.minutes(5))) struct APIDescriptionTests {
    private static let schemathesis = ProcessInfo.processInfo.environment["SCHEMATHESIS"]
    private static let promtool = ProcessInfo.processInfo.environment["PROMTOOL"]

    @Test(.enabled(if: promtool != nil, "scripts/test-api runs it"))
    func prometheusHasNothingToSayAgainstTheMetrics() async throws {
        let program = try #require(Self.promtool)
        try await Installation.with(accounts: 2, settings: ["METRICS_LISTEN": "127.0.0.1:0"]) { installation in
            let daemon = try await installation.startReadyDaemon()
            for user in 1...3 { _ = try SocketProbe.get("/v1/users/\(user)/token", at: installation.socket) }
            _ = try SocketProbe.get("/metrics", at: installation.socket)
            let text = try SocketProbe.get("/metrics", at: installation.socket).body
            let path = "\(installation.folder)/metrics.txt"
            func judgement(of text: String) async throws -> RunningProgram.End {
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                let command = ["-c", "exec \"$0\" check metrics <\"$1\"", program, path]
                return try await RunningProgram.run("/bin/sh", command, in: installation.folder)
            }
            let end = try await judgement(of: text)
            #expect(text.contains("tastytokend_requests_total{"))
            #expect(end.status == 0 && end.output.isEmpty && end.errors.isEmpty, "\(end)")
            let worse = try await judgement(of: text + "# TYPE tastytokend_things counter\ntastytokend_things 1\n")
            #expect(worse.status != 0 && !(worse.output + worse.errors).isEmpty, "it does judge")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test(.enabled(if: schemathesis != nil, "scripts/test-api runs it"))
    func theDaemonDoesWhatItsDescriptionSays() async throws {
        let program = try #require(Self.schemathesis)
        let port = try LoopbackSocket.freePort()
        let pages = ["WEB_ENABLED": "true", "WEB_LISTEN": "127.0.0.1:\(port)"]
        try await Installation.with(accounts: 4, settings: pages) { installation in
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_refresh_token = NULL WHERE id = 3; INSERT INTO users DEFAULT VALUES"
            )
            let daemon = try await installation.startReadyDaemon()
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let end = try await RunningProgram(
                "/usr/bin/env",
                [
                    "python3", root.path + "/Tests/APIDescription/hold_against.py", program, installation.socket,
                    root.path + "/docs/openapi.yaml",
                ],
                environment: ["PATH": "/usr/bin:/bin", "HOME": installation.folder, "PYTHONDONTWRITEBYTECODE": "1"],
                in: installation.folder
            ).end(within: 270)
            #expect(end.status == 0, "\(end.output)\(end.errors)")
            #expect(daemon.isRunning)
            let stopped = try await installation.stop(daemon)
            #expect(stopped.status == 0)
        }
    }
}
