// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TestSupport
import Testing

/// The clients in docs/clients, each run as its users would copy it. Which of them can run depends on what is installed.
@Suite struct ClientExamplesTests {
    @Test func theOneWithCurlGetsTokens() async throws { try await getsTokens(.withCurl) }
    @Test func theOneInPythonGetsTokens() async throws { try await getsTokens(.inPython) }
    @Test(.enabled(if: ClientExample.inNode.isRunnable)) func theOneInNodeGetsTokens() async throws {
        try await getsTokens(.inNode)
    }
    @Test(.enabled(if: ClientExample.inRuby.isRunnable)) func theOneInRubyGetsTokens() async throws {
        try await getsTokens(.inRuby)
    }

    @Test func theOneWithCurlTellsWhatIsRefused() async throws { try await tellsRefusals(.withCurl) }
    @Test func theOneInPythonTellsWhatIsRefused() async throws { try await tellsRefusals(.inPython) }
    @Test(.enabled(if: ClientExample.inNode.isRunnable)) func theOneInNodeTellsWhatIsRefused() async throws {
        try await tellsRefusals(.inNode)
    }
    @Test(.enabled(if: ClientExample.inRuby.isRunnable)) func theOneInRubyTellsWhatIsRefused() async throws {
        try await tellsRefusals(.inRuby)
    }

    /// A daemon that has no token at first, then one, which stays, and then the next.
    private func getsTokens(_ client: ClientExample) async throws {
        try await ToolFixture.with { fixture in
            let script = Mutex([
                ScriptedServer.problem(503, "token_unavailable", "Not yet.", ["Retry-After: 1"]),
                Self.token("one"), ScriptedServer.reply(304, "", ["ETag: \"one\""]), Self.token("two"),
            ])
            let server = try ScriptedServer(at: fixture.path) { request in
                let reply = script.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                guard let reply, request.fields["accept"] == "text/plain" else { return reply }
                return Self.bare(reply)
            }
            let run = try await client.run("a/ü 1", "3", at: fixture.path)
            #expect(run.output == "one\none\ntwo\n", "\(run.errors)")
            #expect(run.status == 0)
            let requests = server.requests
            #expect(requests.count == 4)
            #expect(requests.allSatisfy { $0.method == "GET" })
            // However it escapes the user, the daemon reads the same.
            #expect(requests.allSatisfy { $0.target.removingPercentEncoding == "/v1/users/a/ü 1/token" })
            #expect(requests.allSatisfy { !$0.target.dropFirst(10).dropLast(6).contains("/") })
            #expect(requests.dropFirst(2).map { $0.fields["if-none-match"] } == ["\"one\"", "\"one\""])
        }
    }

    private func tellsRefusals(_ client: ClientExample) async throws {
        for (status, code) in [(403, "forbidden"), (404, "unknown_user"), (409, "no_grant")] {
            try await ToolFixture.with { fixture in
                let server = try ScriptedServer(at: fixture.path) { _ in
                    ScriptedServer.problem(status, code, "It is so.", ["Retry-After: 1"])
                }
                let run = try await client.run("42", at: fixture.path)
                #expect(run.status != 0)
                #expect(run.output == "")
                #expect(run.errors.contains(code) && run.errors.contains("It is so."), "\(run.errors)")
                #expect(server.requests.count == 1, "what is refused is not asked again")
            }
        }
    }

    private static func token(_ token: String) -> String { ScriptedServer.token(token) }

    /// The same reply as the bare token, which is also its ETag.
    private static func bare(_ reply: String) -> String {
        guard let etag = reply.firstMatch(of: /ETag: "([a-z]+)"/), reply.hasPrefix("HTTP/1.1 200") else { return reply }
        return ScriptedServer.reply(200, String(etag.1), ["ETag: \"\(etag.1)\""])
    }
}
