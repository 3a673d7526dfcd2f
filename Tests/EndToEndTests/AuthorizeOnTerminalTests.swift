// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// `tastytoken grant authorize` at a terminal, all of it as it was built; the browser is curl, on plain HTTP.
@Suite(.serialized, .timeLimit(.minutes(3))) struct AuthorizeOnTerminalTests {
    /// A browser that keeps cookies and follows nothing by itself.
    private struct Browser {
        let installation: Installation

        /// What is answered: the status, the place where it leads, and the text.
        func send(
            _ address: String,
            _ form: [(String, String)] = [],
            from origin: String? = nil
        ) async throws -> (status: String, location: String, text: String) {
            let fields = form.flatMap { ["--data-urlencode", "\($0.0)=\($0.1)"] }
            let end = try await RunningProgram.run(
                "/usr/bin/curl",
                ["--silent", "--max-time", "60", "--noproxy", "*", "-c", "jar", "-b", "jar"]
                    + (origin.map { ["-H", "Origin: \($0)"] } ?? []) + fields
                    + [address, "-w", "\n%{http_code} %header{location}"],
                environment: ["PATH": "/usr/bin:/bin"],
                in: installation.folder
            )
            #expect(end.status == 0, "\(end)")
            let last = end.output.split(separator: "\n").last?.split(separator: " ") ?? []
            return (String(last.first ?? ""), last.dropFirst().first.map(String.init) ?? "", end.output)
        }

        /// Opens TastyTrade's page and presses its button: the address to which that leads.
        func allow(_ page: String, as login: String) async throws -> String {
            let shown = try await send(page)
            #expect(shown.status == "200" && shown.text.contains("Authorize"), "\(shown)")
            return try await send(page, [("customer", login), ("decision", "authorize")]).location
        }
    }

    private static let callback = "http://localhost:3000/tastytrade/oauth/callback"

    /// A daemon with an account that nobody connected, and a simulator that browsers reach without TLS.
    private func with(
        _ settings: [String: String] = [:],
        callback: String = callback,
        _ body: (Installation, RunningProgram) async throws -> Void
    ) async throws {
        try await Installation.with(
            accounts: 0,
            settings: settings.merging(
                ["TASTYTRADE_CLIENT_ID": SimulatedClient().id, "TASTYTRADE_REDIRECT_URI": callback]
            ) { $1 },
            simulated: {
                ($0.usesTLS, $0.caFile, $0.environment) = (false, nil, .sandbox)
                $0.client.redirectURIs = [callback]
            }
        ) { installation in
            try await installation.postgres.execute("INSERT INTO users DEFAULT VALUES")
            let daemon = try await installation.startReadyDaemon(
                ["TASTYTRADE_AUTHORIZE_URL": "\(installation.simulator.url)/auth.html"],
                without: ["TASTYTRADE_CA_FILE"]
            )
            try await body(installation, daemon)
            installation.expectNothingLost()
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    /// The tool at a terminal so wide that no address is broken.
    private func tool(_ installation: Installation) throws -> ProgramOnTerminal {
        try ProgramOnTerminal(
            [try RunningProgram.built("tastytoken").path, "grant", "authorize", "1"],
            environment: ["SOCKET_PATH=\(installation.socket)", "TERM=xterm"],
            rows: 60,
            columns: 600
        )
    }

    private func addresses(_ tool: ProgramOnTerminal) async throws -> [String] {
        let screen = try await tool.screen("it asks") { $0.lines.contains { $0.hasPrefix("address") } }
        return screen.lines.filter { $0.hasPrefix("  http") }.map { String($0.dropFirst(2)) }
    }

    @Test func theLinkIsOpenedTheAddressPastedAndTheAccountHasAToken() async throws {
        try await with { installation, daemon in
            let tool = try tool(installation)
            let page = try #require(try await addresses(tool).first)
            #expect(page.hasPrefix("\(installation.simulator.url)/auth.html?"), "\(page)")
            let back = try await Browser(installation: installation).allow(page, as: "ann")
            #expect(back.hasPrefix("\(Self.callback)?code="), "\(back)")
            tool.type("\(back)\r")
            let screen = try await tool.screen("it is done") { $0.lines.contains { $0.hasPrefix("last error") } }
            #expect(try await tool.end() == 0)
            #expect(tool.isAsFound)
            let code = try #require(URLComponents(string: back)?.queryItems?.first { $0.name == "code" }?.value)
            #expect(screen.lines.contains { $0.hasPrefix("status ") && $0.hasSuffix(" active") })
            #expect(!screen.lines.contains { $0.contains(code) } && !daemon.errors.contains(code))
            let token = try installation.token(of: 1)
            #expect(installation.simulator.user(ofLiveToken: token) == "ann")
        }
    }

    @Test func whoSaysNoIsToldSoAndMayBeginAgain() async throws {
        try await with { installation, _ in
            let tool = try tool(installation)
            let page = try #require(try await addresses(tool).first)
            let no = try await Browser(installation: installation).send(
                page,
                [("customer", "ann"), ("decision", "deny")]
            ).location
            tool.type("\(no)\r")
            _ = try await tool.screen("it says so") { $0.lines.contains { $0.hasPrefix("tastytoken: ") } }
            #expect(try await tool.end() == 78)
            #expect((try? installation.token(of: 1)) == nil)
        }
    }

    /// With pages a browser does it all, and Enter says so; where it did not, the status tells.
    @Test func theLinkToThePagesConnectsItAndEnterAloneSaysWhetherItDid() async throws {
        let port = try LoopbackSocket.freePort()
        let origin = "http://localhost:\(port)"
        let web = ["WEB_ENABLED": "true", "WEB_LISTEN": "127.0.0.1:\(port)", "WEB_PUBLIC_URL": origin]
        try await with(web, callback: "\(origin)/tastytrade/oauth/callback") { installation, daemon in
            try await eventually("pages are served; it said: \(daemon.errors)") {
                daemon.errors.contains("web pages are served")
            }
            let idle = try tool(installation)
            #expect(try await addresses(idle).count == 2)
            idle.type("\r")
            _ = try await idle.screen("it says so") { $0.lines.contains { $0.contains("nothing was connected") } }
            #expect(try await idle.end() == 78)

            let tool = try tool(installation)
            let link = try #require(try await addresses(tool).first)
            #expect(link.hasPrefix("\(origin)/tastytrade/oauth/authorize?t="))
            let browser = Browser(installation: installation)
            #expect(try await browser.send(link).status == "200")
            let token = String(try #require(link.split(separator: "=").last))
            let away = try await browser.send("\(origin)/tastytrade/oauth/authorize", [("t", token)], from: origin)
            let back = try await browser.allow(away.location, as: "ann")
            let offer = try await browser.send(back)
            let fields = offer.text.matches(of: /name="(form_token|state|code)" value="([^"]*)"/).map {
                (String($0.1), String($0.2))
            }
            #expect(fields.count == 3, "\(offer)")
            let done = try await browser.send("\(origin)/tastytrade/oauth/callback", fields, from: origin)
            #expect(done.status == "200", "\(done)")
            tool.type("\r")
            _ = try await tool.screen("it shows how it stands") { $0.lines.contains { $0.hasPrefix("last error") } }
            #expect(try await tool.end() == 0)
            #expect(installation.simulator.user(ofLiveToken: try installation.token(of: 1)) == "ann")
        }
    }
}
