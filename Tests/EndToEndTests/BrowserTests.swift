// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// The web pages in a real Chromium (hard case H32): Tests/Browser has what is done in it. `scripts/test-pages` installs what
/// drives it, and says where that is.
@Suite(.timeLimit(.minutes(10))) struct BrowserTests {
    /// What a daemon is known by to whoever drives the browser.
    private struct Place: Encodable {
        let pages: String
        let simulator: String
        let socket: String
        let database: String
        let tastytoken: String
    }

    private static let variables = ProcessInfo.processInfo.environment
    private static let python = variables["BROWSER_PYTHON"]

    @Test(.enabled(if: python != nil, "scripts/test-pages runs it"))
    func h32ThePagesDoInChromiumWhatTheySay() async throws {
        let python = try #require(Self.python)
        try await with(.sandbox, apiPort: Self.isPictured ? 8080 : 0) { sandbox, sandboxPlace in
            try await with(.production, apiPort: 0) { production, productionPlace in
                let places = try JSONEncoder().encode(["sandbox": sandboxPlace, "production": productionPlace])
                let environment = [
                    "PATH": "/usr/bin:/bin", "HOME": sandbox.folder, "TMPDIR": sandbox.folder,
                    "PYTHONDONTWRITEBYTECODE": "1", "AXE_SCRIPT": Self.variables["AXE_SCRIPT"] ?? "",
                    "SCREENSHOTS": Self.variables["SCREENSHOTS"] ?? "",
                    "TASTYTOKEND_PLACES": String(decoding: places, as: UTF8.self),
                ]
                let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                let only = (Self.variables["BROWSER_TESTS"] ?? "").split(separator: " ").map(String.init)
                // A group of its own: what the program leaves behind goes with it.
                let end = try await RunningProgram(
                    "/usr/bin/timeout",
                    ["--kill-after=20s", "400s", python, "\(root.path)/Browser/run.py"] + only,
                    environment: environment,
                    in: sandbox.folder
                ).end(within: 430)
                print(end.errors, end.output)
                #expect(end.status == 0)
                for installation in [sandbox, production] { installation.expectNothingLost() }
            }
        }
    }

    /// Whether pictures for docs/ are made, in which addresses are those of a first try at home.
    private static var isPictured: Bool { variables["SCREENSHOTS"]?.isEmpty == false }

    /// A daemon with its pages, for two accounts and fifty more that are to be connected.
    private func with(
        _ world: SimulatedEnvironment,
        apiPort: Int,
        _ body: (Installation, Place) async throws -> Void
    ) async throws {
        let port = apiPort == 0 ? try LoopbackSocket.freePort() : 3000
        let pages = "http://localhost:\(port)"
        let callback = "\(pages)/tastytrade/oauth/callback"
        try await Installation.with(
            accounts: 3,
            settings: [
                "TASTYTRADE_ENV": world.rawValue, "TASTYTRADE_CLIENT_ID": SimulatedClient().id,
                "TASTYTRADE_REDIRECT_URI": callback, "WEB_ENABLED": "true", "WEB_LISTEN": "127.0.0.1:\(port)",
                "WEB_PUBLIC_URL": pages,
            ],
            simulated: {
                ($0.usesTLS, $0.caFile, $0.port, $0.environment) = (false, nil, apiPort, world)
                $0.client.redirectURIs = [callback]
            }
        ) { installation in
            try await installation.postgres.execute("INSERT INTO users (email) SELECT '' FROM generate_series(4, 60)")
            let keys = "\(installation.folder)/keys.json"
            _ = try await installation.keygen(keys)
            let settings = [
                "ENCRYPTION_MODE": "jwe", "ENCRYPTION_JWE_KEYS_FILE": keys,
                "TASTYTRADE_AUTHORIZE_URL": "\(installation.simulator.url)/auth.html",
            ]
            let daemon = try await installation.startReadyDaemon(settings, without: ["TASTYTRADE_CA_FILE"])
            try await eventually("pages are served; it said: \(daemon.errors)") {
                daemon.errors.contains("web pages are served")
            }
            let place = Place(
                pages: pages,
                simulator: installation.simulator.url,
                socket: installation.socket,
                database: installation.postgres.url,
                tastytoken: try RunningProgram.built("tastytoken").path
            )
            try await body(installation, place)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}
