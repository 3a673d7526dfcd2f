// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import GrantInspection
import TestSupport
import Testing
import TokenCore

@testable import tastytoken

/// `grant` and `client` of the built tool, against a real socket server.
@Suite(.timeLimit(.minutes(2))) struct GrantCommandTests {
    private struct Setting: Sendable {
        let enrolling = EnrollingDouble()
        let tool: ToolFixture

        /// Runs the tool with that on its standard input.
        func run(_ arguments: String..., input: String) async throws -> Program {
            let file = "\(tool.path).input"
            try input.write(toFile: file, atomically: true, encoding: .utf8)
            return try await Program.run(
                ["/bin/sh", "-c", "exec \"$@\" < \"$0\"", file, ToolFixture.binary] + arguments,
                environment: ["SOCKET_PATH": tool.path]
            )
        }
    }

    private func with(_ body: (Setting) async throws -> Void) async throws {
        try await ToolFixture.with { tool in
            let setting = Setting(tool: tool)
            let board = BoardDouble()
            board.report(.sample("42", client: "second"))
            try await tool.serving(board, setting.enrolling) { try await body(setting) }.get()
        }
    }

    @Test func aGrantIsReadFromStandardInputAndTheAccountShown() async throws {
        try await with { setting in
            setting.enrolling.remark(["Quotes were taken off."])
            let run = try await setting.run("grant", "add", "42", "--client", "second", input: "r1-canary\r\n")
            #expect(run.status == 0, "\(run)")
            #expect(
                run.output.contains("status             active") && run.output.contains("client             second")
            )
            #expect(run.errors == "tastytoken: Quotes were taken off.\n")
            #expect(await setting.enrolling.requests.next() == .connect(UserID("42"), Secret("r1-canary"), "second"))
            #expect(!(run.output + run.errors).contains("canary"))
            let json = try await setting.run("grant", "add", "42", "--json", input: "r1")
            #expect(json.output.hasPrefix(#"{"user":"42""#) && json.output.contains(#""notes":["Quotes"#))
        }
    }

    @Test(arguments: ["", "\n", "\r\n"])
    func withoutASecretNothingIsAsked(_ input: String) async throws {
        try await with { setting in
            for arguments in [["grant", "add", "42"], ["client", "set", "second"]] {
                let run = try await Program.run(
                    ["/bin/sh", "-c", "printf \"$0\" | exec \"$@\"", input, ToolFixture.binary] + arguments,
                    environment: ["SOCKET_PATH": setting.tool.path]
                )
                #expect(run.status == 64, "\(run)")
            }
            #expect(setting.enrolling.requests.count == 0)
        }
    }

    @Test func aSecretOnTheCommandLineIsNotAccepted() async throws {
        try await with { setting in
            for arguments in [
                ["grant", "add", "42", "r1-canary"], ["client", "set", "second", "--client-secret", "s"],
            ] {
                let run = try await Program.run(
                    [ToolFixture.binary] + arguments,
                    environment: ["SOCKET_PATH": setting.tool.path]
                )
                #expect(run.status == 64)
                #expect(!run.errors.contains("canary") && !run.output.contains("canary"))
            }
            #expect(setting.enrolling.requests.count == 0)
        }
    }

    @Test(
        arguments: [
            (EnrollmentFailure.Kind.grantRefused, 78), (.unknownUser, 67), (.tooSoon, 75), (.unavailable, 75),
            (.noSealingKey, 78), (.unknownClient, 64),
        ] as [(EnrollmentFailure.Kind, Int32)]
    )
    func theDaemonsWordsAreShownAndTheStatusTellsWhatToDo(_ kind: EnrollmentFailure.Kind, _ status: Int32) async throws
    {
        try await with { setting in
            setting.enrolling.fail(with: EnrollmentFailure(kind, "What happened.", retryAfter: .seconds(3)))
            let run = try await setting.run("grant", "add", "42", input: "r1")
            #expect(run.status == status && run.output.isEmpty && run.errors.contains("What happened."), "\(run)")
        }
    }

    @Test func forgettingSaysThatTastyTradeStillKnowsIt() async throws {
        try await with { setting in
            let run = try await setting.run("grant", "remove", "42", input: "")
            #expect(run.status == 0 && run.output.contains("TastyTrade still knows it"), "\(run)")
            #expect(run.output.contains(TradeEnvironment.production.applicationsPage))
            #expect(await setting.enrolling.requests.next() == .disconnect(UserID("42")))
        }
    }

    @Test(arguments: ["add", "remove"])
    func theHelpSaysWhereGrantsAreAsAllElseDoes(command: String) async throws {
        try await with { setting in
            let run = try await setting.run("grant", command, "--help", input: "")
            let words = run.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(run.status == 0 && words.contains(TradeEnvironment.production.applicationsPage), "\(run)")
        }
    }

    @Test func whatIsTypedAtATerminalIsNotShownHoweverLongItIs() async throws {
        try await with { setting in
            let tool = try ToolOnTerminal(["grant", "add", "42"], at: setting.tool.path, columns: 120)
            _ = try await tool.screen("it asks") {
                $0.lines.contains { $0.hasPrefix("refresh token of user 42 (it is not shown):") }
            }
            // Longer than a terminal's own line can be.
            let token = "canary" + String(repeating: "a", count: 6000)
            tool.type("typo\u{15}\(token)x\u{7F}\r")
            let screen = try await tool.screen("it is done") { $0.lines.contains { $0.hasPrefix("last error") } }
            #expect(!screen.lines.contains { $0.contains("canary") || $0.contains("typo") || $0.contains("aaa") })
            #expect(try await tool.end() == 0)
            #expect(tool.isAsFound)
            #expect(await setting.enrolling.requests.next() == .connect(UserID("42"), Secret(token), nil))
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aTerminalIsGivenBackAsItWasWhenSomebodyThinksBetterOfIt(_ signal: CInt) async throws {
        try await with { setting in
            let tool = try ToolOnTerminal(["client", "set", "second"], at: setting.tool.path)
            _ = try await tool.screen("it asks") { $0.lines.contains { $0.hasPrefix("client secret of second") } }
            if signal == SIGINT { tool.type("\u{3}") } else { tool.signal(signal) }
            #expect(try await tool.end() == -signal)
            #expect(tool.isAsFound && setting.enrolling.requests.count == 0)
        }
    }

    @Test func onceTheSecretIsReadTheWaitForTheDaemonCanBeEnded() async throws {
        try await with { setting in
            setting.enrolling.hold()
            let tool = try ToolOnTerminal(["grant", "add", "42"], at: setting.tool.path)
            _ = try await tool.screen("it asks") { $0.lines.contains { $0.hasPrefix("refresh token of user 42") } }
            tool.type("r1\r")
            _ = await setting.enrolling.requests.next()
            tool.type("\u{3}")
            #expect(try await tool.end() == -SIGINT)
            #expect(tool.isAsFound)
            setting.enrolling.release()
        }
    }

    @Test(arguments: [("n\r", false), ("\r", false), ("y\r", true)])
    func atATerminalForgettingIsAskedFor(_ answer: String, _ isMeant: Bool) async throws {
        try await with { setting in
            let tool = try ToolOnTerminal(["grant", "remove", "42"], at: setting.tool.path, columns: 200)
            _ = try await tool.screen("it asks") { $0.lines.contains { $0.hasPrefix("Forget the grant of user 42?") } }
            tool.type(answer)
            #expect(try await tool.end() == (isMeant ? 0 : 64))
            #expect(setting.enrolling.requests.count == (isMeant ? 1 : 0))
            let unasked = try ToolOnTerminal(["grant", "remove", "42", "--yes"], at: setting.tool.path)
            #expect(try await unasked.end() == 0)
        }
    }

    @Test func clientsAreListedSetAndRemoved() async throws {
        try await with { setting in
            setting.enrolling.list([.sample()])
            let list = try await setting.run("client", "list", input: "")
            let lines = list.output.split(separator: "\n")
            #expect(list.status == 0 && lines.count == 2, "\(list)")
            #expect(lines.first?.hasPrefix("NAME     ENVIRONMENT  CLIENT ID  ACCOUNTS") == true)
            #expect(
                lines.last?.hasPrefix("default  production   -          7         -             read trade") == true
            )
            setting.enrolling.remark(["A remark."])
            let set = try await setting.run(
                "client",
                "set",
                "second",
                "--client-id",
                "id",
                "--environment",
                "production",
                "--scopes",
                "read openid",
                input: "s-canary\n"
            )
            #expect(
                set.status == 0 && set.errors == "tastytoken: A remark.\n" && !set.output.contains("canary"),
                "\(set)"
            )
            var draft = ClientDraft(name: "second", clientID: "id", clientSecret: Secret("s-canary"))
            (draft.environment, draft.scopes) = ("production", ["read", "openid"])
            #expect(await setting.enrolling.requests.next() == .put(draft))
            let kept = try await setting.run(
                "client",
                "set",
                "second",
                "--no-secret",
                "--client-id",
                "other",
                input: ""
            )
            #expect(kept.status == 0)
            #expect(await setting.enrolling.requests.next() == .put(ClientDraft(name: "second", clientID: "other")))
            #expect(try await setting.run("client", "remove", "second", input: "").status == 0)
            #expect(await setting.enrolling.requests.next() == .removeClient("second"))
            setting.enrolling.fail(with: EnrollmentFailure(.unknownClient, "None."))
            let gone = try await setting.run("client", "remove", "second", input: "")
            #expect(gone.status == 64 && gone.errors.contains("there is no OAuth client second"), "\(gone)")
        }
    }

    @Test func keysTakeBackWhatWasTyped() {
        var line = TypedLine(mostBytes: 4)
        line.take(Array("ab\u{8}c\u{7F}d".utf8))
        #expect(line.bytes == Array("ad".utf8) && !line.isOver)
        line.take(Array("\u{15}x\rleft".utf8))
        #expect(line.bytes == Array("x".utf8) && line.isOver)
        var full = TypedLine(mostBytes: 4)
        full.take(Array("12345678".utf8))
        #expect(full.isOver && full.bytes.count == 5)
    }
}
