// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TestSupport
import Testing

/// The clients in docs/clients, each run as its users would copy it. Which of them can run depends on what is installed.
@Suite struct ClientExamplesTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/clients").path

    private static func has(_ program: String) -> Bool {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }

    @Test func theOneWithCurlGetsTokens() async throws { try await getsTokens(["sh", "token.sh"]) }
    @Test func theOneInPythonGetsTokens() async throws { try await getsTokens(["python3", "token.py"]) }
    @Test(.enabled(if: has("node"))) func theOneInNodeGetsTokens() async throws {
        try await getsTokens(["node", "token.mjs"])
    }
    @Test(.enabled(if: has("ruby"))) func theOneInRubyGetsTokens() async throws {
        try await getsTokens(["ruby", "token.rb"])
    }

    @Test func theOneWithCurlTellsWhatIsRefused() async throws { try await tellsRefusals(["sh", "token.sh"]) }
    @Test func theOneInPythonTellsWhatIsRefused() async throws { try await tellsRefusals(["python3", "token.py"]) }
    @Test(.enabled(if: has("node"))) func theOneInNodeTellsWhatIsRefused() async throws {
        try await tellsRefusals(["node", "token.mjs"])
    }
    @Test(.enabled(if: has("ruby"))) func theOneInRubyTellsWhatIsRefused() async throws {
        try await tellsRefusals(["ruby", "token.rb"])
    }

    private func run(_ words: [String], _ arguments: String..., at path: String) async throws -> Program {
        let client = [words[0], "\(Self.folder)/\(words[1])"]
        return try await Program.run(client + arguments, environment: ["SOCKET_PATH": path])
    }

    /// A daemon that has no token at first, then one, which stays, and then the next.
    private func getsTokens(_ client: [String]) async throws {
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
            let run = try await run(client, "a/ü 1", "3", at: fixture.path)
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

    private func tellsRefusals(_ client: [String]) async throws {
        for (status, code) in [(403, "forbidden"), (404, "unknown_user"), (409, "no_grant")] {
            try await ToolFixture.with { fixture in
                let server = try ScriptedServer(at: fixture.path) { _ in
                    ScriptedServer.problem(status, code, "It is so.", ["Retry-After: 1"])
                }
                let run = try await run(client, "42", at: fixture.path)
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
