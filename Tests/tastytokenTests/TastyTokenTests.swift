// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Logging
import SocketServer
import TestSupport
import Testing
import TokenCore

/// The built tool against a real socket server.
@Suite struct TastyTokenTests {
    private struct Setting: Sendable {
        let board = BoardDouble()
        let path: String
        let binary: String

        func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Program {
            try await Program.run([binary] + arguments, environment: environment)
        }
    }

    private func with(_ body: (Setting) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let setting = Setting(path: folder + "/s", binary: ToolFixture.binary)
        let result = await ToolFixture(path: setting.path).serving(setting.board) { try await body(setting) }
        try FileManager.default.removeItem(atPath: folder)
        try result.get()
    }

    private func token(_ text: String, living lifetime: Duration = .seconds(600)) -> PublishedToken {
        let client = ClientRegistration(
            name: "default",
            environment: .sandbox,
            clientID: nil,
            clientSecret: Secret(""),
            apiURL: "https://api.cert.tastyworks.com"
        )
        let life = TokenLife(expiresAt: .newYear + lifetime, lifetime: .seconds(900))
        return TokenReplyRenderer().render(Secret(text), type: "Bearer", life: life, for: client)
    }

    @Test func tokenAndHeaderArePrintedForScripts() async throws {
        try await with { setting in
            setting.board.publish(token("abc"), for: UserID("4 2"))
            let bare = try await setting.run("token", "4 2", "--socket", setting.path)
            #expect(bare.output == "abc\n")
            #expect(bare.errors == "")
            #expect(bare.status == 0)
            let header = try await setting.run("header", "4 2", environment: ["SOCKET_PATH": setting.path])
            #expect(header.output == "Authorization: Bearer abc\n")
            let json = try await setting.run("token", "4 2", "--json", "--socket", setting.path)
            #expect(json.output.hasPrefix(#"{"user":"4 2","access_token":"abc","#))
            let object = try await setting.run("header", "4 2", "--json", "--socket", setting.path)
            #expect(object.output == #"{"Authorization":"Bearer abc"}"# + "\n")
        }
    }

    @Test func aTokenThatLivesShorterThanAskedIsPrintedWithAWarning() async throws {
        try await with { setting in
            setting.board.publish(token("abc", living: .seconds(20)), .refused, for: UserID("4 2"))
            let run = try await setting.run("token", "4 2", "--min-ttl", "30", "--socket", setting.path)
            #expect(run.output == "abc\n")
            #expect(run.errors.contains("20 s only (reauthorization_required)"))
            #expect(run.status == 0)
        }
    }

    @Test func aWishThatIsLoweredToHalfALifeIsWarnedOf() async throws {
        try await with { setting in
            setting.board.publish(token("abc", living: .seconds(500)), for: UserID("4 2"))
            for command in ["token", "header"] {
                let run = try await setting.run(command, "4 2", "--min-ttl", "3600", "--socket", setting.path)
                #expect(run.output.hasSuffix("abc\n") && run.status == 0)
                #expect(
                    run.errors == "tastytoken: the token of user 4 2 lives for 500 s only, not for 3600 s: no token is "
                        + "replaced that has half of its life left\n"
                )
            }
            let met = try await setting.run("token", "4 2", "--min-ttl", "500", "--socket", setting.path)
            #expect(met.output == "abc\n" && met.errors == "")
        }
    }

    @Test func aCommandGetsTheTokenInItsEnvironmentAndItsStatusIsItsOwn() async throws {
        try await with { setting in
            setting.board.publish(token("abc"), for: UserID("4 2"))
            let script =
                #"echo "$TASTYTRADE_ACCESS_TOKEN $TASTYTRADE_API_URL $0 $1"; tr '\0' ' ' </proc/$$/cmdline | grep -c a[b]c; exit 9"#
            // The address goes with the token, whatever it was.
            let environment = ["SOCKET_PATH": setting.path, "TASTYTRADE_API_URL": "https://elsewhere.example"]
            let run = try await setting.run(
                "exec",
                "4 2",
                "--",
                "sh",
                "-c",
                script,
                "a",
                "--json",
                environment: environment
            )
            // The last line is how often the token stands on the command line.
            #expect(run.output == "abc https://api.cert.tastyworks.com a --json\n0\n")
            #expect(run.errors == "")
            #expect(run.status == 9)
        }
    }

    @Test func aCommandTakesThePlaceOfTheTool() async throws {
        try await with { setting in
            setting.board.publish(token("abc"), for: UserID("4 2"))
            let tool = try RunningTool(["exec", "4 2", "--", "sh", "-c", "echo $$; exec sleep 600"], at: setting.path)
            #expect(try await tool.line() == "\(tool.pid)")
            tool.signal(SIGTERM)
            #expect(try await tool.end() == -SIGTERM)
        }
    }

    @Test(arguments: [("/nowhere/at-all", 127), ("no-such-command", 127), ("/etc/passwd", 126), ("/tmp", 126)])
    func aCommandThatCannotRunEndsAsShellsHaveIt(command: String, status: Int32) async throws {
        try await with { setting in
            setting.board.publish(token("abc"), for: UserID("4 2"))
            let run = try await setting.run("exec", "4 2", "--socket", setting.path, "--", command)
            #expect(run.status == status)
            #expect(run.errors.hasPrefix("tastytoken: cannot run \(command): "))
            #expect(run.output == "")
        }
    }

    @Test func eachNewTokenIsALineAndTheReadersEndIsTheEnd() async throws {
        try await with { setting in
            let user = UserID("4 2")
            setting.board.publish(token("abc"), for: user)
            let tool = try RunningTool(["watch", "4 2"], at: setting.path)
            #expect(try await tool.line().hasPrefix(#"{"user":"4 2","access_token":"abc","#))
            for number in 1...3 {
                await setting.board.when { $0.waiters == 1 }
                setting.board.publish(token("abc\(number)"), for: user)
                #expect(try await tool.line().contains(#""access_token":"abc\#(number)""#))
            }
            tool.closeOutput()
            #expect(try await tool.end() == -SIGPIPE)
            #expect(try await tool.remainingComplaints() == "")
            #expect(setting.board.violations == [])
        }
    }

    @Test func interruptedItEndsQuietly() async throws {
        try await with { setting in
            setting.board.publish(token("abc"), for: UserID("4 2"))
            let tool = try RunningTool(["watch", "4 2"], at: setting.path)
            _ = try await tool.line()
            tool.signal(SIGINT)
            #expect(try await tool.end() == -SIGINT)
            #expect(try await tool.remainingComplaints() == "")
        }
    }

    @Test func aGrantThatIsRefusedWhileItIsWatchedEndsTheWatch() async throws {
        try await with { setting in
            setting.board.publish(token("abc"), for: UserID("4 2"))
            let tool = try RunningTool(["watch", "4 2"], at: setting.path)
            _ = try await tool.line()
            await setting.board.when { $0.waiters == 1 }
            setting.board.publish(nil, .refused, for: UserID("4 2"))
            #expect(try await tool.end() == 78)
            #expect(try await tool.remainingComplaints().hasSuffix("See tastytoken explain 4 2.\n"))
        }
    }

    @Test func everyFailureHasItsStatusAndALine() async throws {
        try await with { setting in
            let board = setting.board
            board.publish(nil, .refused, for: UserID("refused"))
            board.publish(nil, .underWay, for: UserID("slow"))
            board.publish(nil, .backingOff(until: .newYear + .seconds(9)), for: UserID("failing"))
            let cases: [(Int32, [String])] = [
                (67, ["token", "nobody"]), (67, ["status", "nobody"]), (67, ["watch", "nobody"]),
                (67, ["exec", "nobody", "--", "echo", "x"]), (78, ["watch", "refused"]),
                (78, ["exec", "refused", "--", "echo", "x"]), (78, ["token", "refused"]),
                (78, ["header", "refused"]), (75, ["token", "slow", "--max-wait", "0"]), (75, ["token", "failing"]),
            ]
            for (status, arguments) in cases {
                let environment = ["SOCKET_PATH": setting.path]
                let run = try await Program.run([setting.binary] + arguments, environment: environment)
                #expect(run.status == status, "\(arguments)")
                #expect(run.output == "")
                #expect(run.errors.hasPrefix("tastytoken: "))
                #expect(run.errors.hasSuffix(".\n"))
            }
        }
    }

    @Test func othersAreNotAllowed() async throws {
        try #require(geteuid() == 0, "run as root, so that another user can be taken on")
        try await with { setting in
            let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            let path = setting.path
            let run = try await Program.run(nobody + [setting.binary, "token", "1", "--socket", path])
            #expect(run.status == 77)
            chmod(path, 0o600)
            let closed = try await Program.run(nobody + [setting.binary, "token", "1", "--socket", path])
            #expect(closed.status == 77)
            #expect(closed.errors.contains(path))
            for watch in [["watch", "1"], ["status", "--watch"]] {
                let closed = try await Program.run(nobody + [setting.binary] + watch + ["--socket", path])
                #expect(closed.status == 77, "it is not waited for")
            }
        }
    }

    @Test(
        arguments: [
            ("tokne", ": did you mean token?"), ("stat", ": did you mean status?"),
            ("refrsh", ": did you mean refresh?"),
            ("no", "; see tastytoken --help."), ("4\u{1B}2", "; see tastytoken --help."),
        ]
    )
    func anUnknownCommandIsNamedWithTheNearest(word: String, advice: String) async throws {
        let run = try await Program.run([ToolFixture.binary, word, "42"])
        #expect(run.status == 64 && run.output == "")
        #expect(run.errors == "tastytoken: there is no command \(word.replacing("\u{1B}", with: "?"))\(advice)\n")
    }

    @Test func theCommandsOfTheParserAreKnown() async throws {
        for arguments in [
            ["help", "token"], ["--help"], ["token", "--help"], ["--generate-completion-script", "bash"],
        ] {
            let run = try await Program.run([ToolFixture.binary] + arguments)
            #expect(run.status == 0 && run.output.contains("token"), "\(arguments)")
        }
    }

    @Test func wrongUsageIsTold() async throws {
        try await with { setting in
            for arguments in [
                ["token"], ["token", ""], ["token", "1", "--min-ttl", "-1"], ["token", "1", "--max-wait", "x"], ["no"],
                ["status", ""], ["refresh"], ["refresh", "1", "--max-wait", "-1"],
                ["refresh", "1", "--if-match", "a b"],
                ["watch"], ["explain"], ["exec", "1"], ["exec", "1", "env"], ["exec", "--", "env"],
            ] {
                let run = try await Program.run([setting.binary] + arguments)
                #expect(run.status == 64, "\(arguments)")
                #expect(run.errors != "")
            }
            let version = try await setting.run("--version")
            #expect(version.status == 0)
        }
    }
}
