// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// The built daemon, held against docs/openapi.yaml: whatever the description allows is answered as it says, and whatever it
/// does not is refused. `scripts/test-api` installs the program that asks.
@Suite(.timeLimit(.minutes(5))) struct APIDescriptionTests {
    private static let schemathesis = ProcessInfo.processInfo.environment["SCHEMATHESIS"]

    @Test(.enabled(if: schemathesis != nil, "scripts/test-api runs it"))
    func theDaemonDoesWhatItsDescriptionSays() async throws {
        let program = try #require(Self.schemathesis)
        try await Installation.with(accounts: 4) { installation in
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
