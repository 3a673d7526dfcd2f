// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenCore

@testable import SocketAPI
@testable import tastytoken

/// `tastytoken console`, against a real server and against one that says what it should not.
@Suite(.timeLimit(.minutes(1))) struct ConsoleCommandTests {
    private static let end = "2026-01-01T00:01:00Z"
    /// Forty seconds before it.
    private static let now: Int64 = 1_767_225_620_000_000

    private func lines(_ link: String, _ connection: String?) -> [String] {
        LinkAdvice(LinkReply(link: link, expiresAt: Self.end), atMicroseconds: Self.now, connection: connection).lines
    }

    @Test func theLinkIsAloneOnStandardOutput() async throws {
        try await ToolFixture.with { tool in
            let pages = LinkingDouble()
            try await tool.serving(BoardDouble(), pages: pages) {
                let run = try await tool.run("console")
                #expect(run.status == 0 && run.output == pages.link.url.reveal() + "\n", "\(run)")
                #expect(run.errors.hasPrefix("tastytoken: the link signs in once, until \(Self.end)"))
                #expect(run.errors.split(separator: "\n").count == 1 && !run.errors.contains("link-of-the-double"))
                let remote = try await tool.run(
                    "console",
                    environment: ["SSH_CONNECTION": "192.0.2.9 51234 192.0.2.7 22"]
                )
                #expect(remote.output == run.output, "each time what the daemon gives")
                #expect(remote.errors.contains("ssh -N -L 3000:localhost:3000 192.0.2.7\n"), "\(remote)")
                #expect(pages.count == 2)
            }.get()
        }
    }

    @Test func withoutPagesThereIsAReasonAndNoLink() async throws {
        try await ToolFixture.with { tool in
            try await tool.serving(BoardDouble()) {
                let run = try await tool.run("console")
                #expect(run.status == 75 && run.output.isEmpty && run.errors.contains("web.enabled"), "\(run)")
            }.get()
        }
    }

    @Test func whoMayNotIsToldWhatItTakes() async throws {
        try await ToolFixture.with { tool in
            let server = try ScriptedServer(at: tool.path) { _ in
                ScriptedServer.problem(403, "forbidden", "User id 7 may not.")
            }
            let run = try await tool.run("console")
            #expect(run.status == 77 && run.output.isEmpty && run.errors.contains("under access"), "\(run)")
            #expect(server.requests.map { "\($0.method) \($0.target)" } == ["POST /v1/console-links"])
        }
    }

    @Test(arguments: ["javascript:alert(1)", "http://a b", "http://a\\u001b[31m", ""])
    func whatIsNoLinkIsNotPrinted(_ link: String) async throws {
        try await ToolFixture.with { tool in
            let server = try ScriptedServer(at: tool.path) { _ in
                ScriptedServer.reply(200, #"{"link":"\#(link)","expires_at":"\#(Self.end)"}"#)
            }
            let run = try await tool.run("console")
            #expect(run.status == 69 && run.output.isEmpty, "\(run)")
            withExtendedLifetime(server) {}
        }
    }

    @Test func itIsSaidForHowLong() {
        #expect(lines("http://localhost:3000/console?t=x", nil) == ["the link signs in once, until \(Self.end) (40 s)"])
    }

    @Test(arguments: [
        ("http://localhost:3000/console?t=x", "a 1 192.0.2.7 22", "ssh -N -L 3000:localhost:3000 192.0.2.7"),
        ("http://127.0.0.1/console?t=x", "a 1 host-7 2222", "ssh -N -L 80:127.0.0.1:80 -p 2222 host-7"),
        ("http://[::1]:3000/console?t=x", "a 1 fe80::7%eth0 22", "ssh -N -L 3000:[::1]:3000 fe80::7%eth0"),
    ])
    func whoCameBySSHIsToldHowABrowserComes(link: String, connection: String, command: String) throws {
        let lines = lines(link, connection)
        #expect(lines.count == 2 && lines[1].hasSuffix(command), "\(lines)")
    }

    @Test(arguments: [
        ("https://tokens.example/console?t=x", "a 1 b 22"), ("http://localhost:3000/console?t=x", ""),
        ("http://localhost:3000/console?t=x", "a 1 $(reboot) 22"), ("http://localhost:3000/console?t=x", "a 1 b"),
        ("http://localhost.evil.example/console?t=x", "a 1 b 22"),
    ])
    func othersAreToldOfNoTunnel(link: String, connection: String) {
        #expect(lines(link, connection).count == 1)
    }
}
