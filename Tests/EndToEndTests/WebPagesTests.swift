// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// The web pages of the daemon as it was built, with curl for a browser.
@Suite(.serialized, .timeLimit(.minutes(5))) struct WebPagesTests {
    /// A reply: the status, and all that came.
    private struct Reply {
        let status: Int
        let text: String
    }

    private func settings(_ port: UInt16) -> [String: String] {
        [
            "WEB_ENABLED": "true", "WEB_LISTEN": "127.0.0.1:\(port)", "WEB_PUBLIC_URL": "http://localhost:\(port)",
        ]
    }

    private func curl(_ installation: Installation, _ arguments: [String]) async throws -> Reply {
        let end = try await RunningProgram.run(
            "/usr/bin/curl",
            ["-s", "-i", "-m", "20", "--noproxy", "*", "-c", "jar", "-b", "jar"] + arguments,
            environment: ["PATH": "/usr/bin:/bin"],
            in: installation.folder
        )
        let words = end.output.split(separator: "\n").first?.split(separator: " ") ?? []
        return Reply(status: words.dropFirst().first.flatMap { Int($0) } ?? 0, text: end.output)
    }

    private func isServed(_ daemon: RunningProgram) async throws {
        try await eventually("pages are served; it said: \(daemon.errors)") {
            daemon.errors.contains("web pages are served")
        }
    }

    @Test func aLinkFromTheToolSignsInOnceAndTheAccountsAreShown() async throws {
        let port = try LoopbackSocket.freePort()
        try await Installation.with(accounts: 2, settings: settings(port)) { installation in
            let daemon = try await installation.startReadyDaemon()
            try await isServed(daemon)
            try await eventually("both have a token") { installation.simulator.counts.made == 2 }
            let console = try await installation.tastytoken("console")
            #expect(console.status == 0 && console.errors.contains("signs in once"), "\(console)")
            let link = console.output.trimmingCharacters(in: .newlines)
            let origin = "http://localhost:\(port)"
            let token = try #require(link.split(separator: "=").last.map(String.init))
            #expect(link == "\(origin)/console?t=\(token)" && token.count == 43)

            #expect(try await curl(installation, ["\(origin)/"]).status == 403, "nobody is signed in")
            for _ in 1...2 { #expect(try await curl(installation, [link]).status == 200, "looking spends nothing") }
            let spend = ["--data-urlencode", "t=\(token)", "\(origin)/console"]
            #expect(try await curl(installation, ["-H", "Origin: http://evil.example"] + spend).status == 403)
            #expect(try await curl(installation, spend).status == 403, "without an origin")
            let signedIn = try await curl(installation, ["-H", "Origin: \(origin)"] + spend)
            #expect(signedIn.status == 303 && signedIn.text.contains("HttpOnly; SameSite=Strict"), "\(signedIn)")
            let overview = try await curl(installation, ["\(origin)/"])
            #expect(overview.status == 200, "\(overview)")
            for user in 1...2 { #expect(overview.text.contains("<h2>\(user)</h2>"), "\(overview.text)") }
            #expect(overview.text.contains("GMT") && overview.text.contains("no-store"))
            for user in 1...2 { #expect(!overview.text.contains(try installation.token(of: user))) }

            try FileManager.default.removeItem(atPath: "\(installation.folder)/jar")
            #expect(try await curl(installation, ["\(origin)/"]).status == 403, "another browser")
            let again = try await curl(installation, ["-H", "Origin: \(origin)"] + spend)
            #expect(again.status == 410, "the link is spent")
            #expect(try await installation.stop(daemon).status == 0)
            #expect(!daemon.errors.contains(token))
        }
    }

    @Test func onlyTheirOwnNameIsAnswered() async throws {
        let port = try LoopbackSocket.freePort()
        try await Installation.with(accounts: 0, settings: settings(port)) { installation in
            let daemon = try await installation.startReadyDaemon()
            try await isServed(daemon)
            for host in ["evil.example:\(port)", "127.0.0.1:\(port)", "localhost"] {
                let reply = try await curl(
                    installation,
                    ["-H", "Host: \(host)", "http://127.0.0.1:\(port)/console?t=x"]
                )
                #expect(reply.status == 421, "\(host): \(reply)")
            }
            #expect(try await curl(installation, ["http://localhost:\(port)/console?t=x"]).status == 410)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    @Test func aPortThatIsTakenIsOneWarningAndTokensAreServed() async throws {
        let port = try LoopbackSocket.freePort()
        try await Installation.with(accounts: 1, settings: settings(port)) { installation in
            let address = "127.0.0.1:\(port)"
            let free = try await installation.tastytokend("check")
            #expect(free.output.contains("ok    web: \(address) can be listened at"), "\(free.output)")
            let taken = try LoopbackSocket.full(at: "127.0.0.1", port: port)
            let check = try await installation.tastytokend("check")
            #expect(check.status == 0 && check.output.contains("warn  web: \(address) is taken by another program"))
            let daemon = try await installation.startReadyDaemon()
            try await eventually("it says so: \(daemon.errors)") { daemon.errors.contains("the web pages are off") }
            try await eventually("tokens are served") {
                try SocketProbe.get("/v1/users/1/token", at: installation.socket).status == 200
            }
            let console = try await installation.tastytoken("console")
            #expect(
                console.status == 75 && console.output.isEmpty && console.errors.contains("web.listen"),
                "\(console)"
            )
            withExtendedLifetime(taken) {}
            #expect(try await installation.stop(daemon).status == 0)
            #expect(daemon.errors.ranges(of: "the web pages are off").count == 1)
        }
    }

    @Test func checkKnowsADaemonThatIsThere() async throws {
        let port = try LoopbackSocket.freePort()
        try await Installation.with(accounts: 0, settings: settings(port)) { installation in
            let daemon = try await installation.startReadyDaemon()
            try await isServed(daemon)
            let check = try await installation.tastytokend("check")
            #expect(check.output.contains("ok    web: 127.0.0.1:\(port): a daemon is running there"), "\(check.output)")
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    /// As many as are taken at a time say nothing: they are let go of before a browser gives up.
    @Test func whoeverIsSilentShutsNobodyOutForLong() async throws {
        let port = try LoopbackSocket.freePort()
        try await Installation.with(accounts: 0, settings: settings(port)) { installation in
            let daemon = try await installation.startReadyDaemon()
            try await isServed(daemon)
            let silent = try (1...32).map { _ in try LoopbackSocket.caller(of: "127.0.0.1", port: port) }
            #expect(try await curl(installation, ["http://localhost:\(port)/console?t=x"]).status == 410)
            withExtendedLifetime(silent) {}
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    /// A browser keeps its connections for when somebody clicks.
    @Test func anOpenConnectionDoesNotHoldUpTheEnd() async throws {
        let port = try LoopbackSocket.freePort()
        try await Installation.with(accounts: 0, settings: settings(port)) { installation in
            let daemon = try await installation.startReadyDaemon()
            try await isServed(daemon)
            let idle = try LoopbackSocket.caller(of: "127.0.0.1", port: port)
            try idle.send("GET /assets/pages.css HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n")
            #expect(try idle.receive().hasPrefix("HTTP/1.1 200 "))
            let half = try LoopbackSocket.caller(of: "127.0.0.1", port: port)
            try half.send("POST /console HTTP/1.1\r\nHost: localhost:\(port)\r\nContent-Length: 100\r\n")
            daemon.signal(SIGTERM)
            #expect(try await daemon.end(within: 15).status == 0)
            #expect(!daemon.errors.contains("Waiting on child channel"))
            withExtendedLifetime((idle, half)) {}
        }
    }

    @Test(arguments: [
        (["WEB_LISTEN": "0.0.0.0:3000"], "environment WEB_LISTEN: web.listen: web.listen is not on loopback"),
        (
            ["WEB_PUBLIC_URL": "http://tokens.example"],
            "environment WEB_PUBLIC_URL: web.publicUrl: \"http://tokens.example\" would send sessions in clear"
        ),
    ])
    func whatOthersCouldReadEndsTheStart(settings: [String: String], line: String) async throws {
        try await Installation.with(accounts: 0) { installation in
            let end = try await installation.startDaemon(settings).end()
            #expect(end.status == 78 && end.errors.contains(line), "\(end.errors)")
        }
    }
}
