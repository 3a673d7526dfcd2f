// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TestSupport
import Testing

/// The controller of docs/rails.md, as it stands there, with enroll.rb. It runs where Ruby is installed.
@Suite(.enabled(if: ClientExample.enrollingInRuby.isRunnable), .timeLimit(.minutes(2))) struct RailsExampleTests {
    private typealias Script = ScriptedServer

    private static let driver = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("RailsController/drive.rb").path
    private static let connected = "Your TastyTrade account is connected."
    private static let unknown = "This was not begun here, or is over. Please begin again."
    private static let undecided =
        "It is not known yet what came of this. Look again in a minute whether your account is connected."

    /// What a browser is told, request by request; the daemon answers whoever comes back with that.
    private func browse(
        _ requests: String...,
        finishing: @escaping @Sendable (String) -> String? = { _ in Script.reply(200, #"{"status":"active"}"#) }
    ) async throws -> (lines: [String], log: String) {
        try await ToolFixture.with { tool in
            let begun = Mutex(0)
            let server = try Script(at: tool.path) { request in
                guard request.target.hasSuffix("/authorizations") else { return finishing(request.target) }
                let number = begun.withLock { begun in
                    begun += 1
                    return begun
                }
                let url = "https://my.example/auth.html?state=s\(number)"
                return Script.reply(200, #"{"authorization_url":"\#(url)","state":"s\#(number)"}"#)
            }
            let run = try await Program.run(["ruby", Self.driver] + requests, environment: ["SOCKET_PATH": tool.path])
            _ = server
            #expect(run.status == 0, "\(run)")
            return (run.output.split(separator: "\n").map(String.init), run.errors)
        }
    }

    @Test func somebodyIsSentAwayAndConnectedOnce() async throws {
        let lines = try await browse("connect", "0", "0").lines
        #expect(lines == ["https://my.example/auth.html?state=s1 true", Self.connected, Self.unknown])
    }

    @Test func h32TwoTabsAreBothFinished() async throws {
        let lines = try await browse("connect", "connect", "0", "1").lines
        #expect(lines.suffix(2) == [Self.connected, Self.connected])
    }

    /// A cookie has room for some.
    @Test func theSessionKeepsTheLastFiveStates() async throws {
        let many = try await browse("connect", "connect", "connect", "connect", "connect", "connect", "0", "1", "5")
            .lines
        #expect(many.suffix(3) == [Self.unknown, Self.connected, Self.connected])
    }

    @Test(arguments: ["overloaded", "hang-up"])
    func whatMayComeAboutYetIsNotSaidToHaveFailed(_ end: String) async throws {
        let (lines, log) = try await browse("connect", "0") { _ in
            end == "hang-up" ? nil : Script.problem(503, end, "It is not done yet, and goes on.")
        }
        #expect(lines.last == Self.undecided)
        #expect(!log.contains("s1") && !log.contains("code-0"), "\(log)")
    }

    @Test func whatFailedLeavesTheAccountAsItWas() async throws {
        let lines = try await browse("connect", "0") { _ in
            Script.problem(503, "token_unavailable", "TastyTrade is away.")
        }
        .lines
        #expect(lines.last?.contains("stands as it did before") == true)
        let refused = try await browse("connect", "0") { _ in Script.problem(422, "grant_refused", "You said no.") }
            .lines
        #expect(refused.last == "You said no.")
    }
}
