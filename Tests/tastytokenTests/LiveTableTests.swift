// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TestSupport
import Testing

/// The live table on a real pseudo-terminal, by what the terminal shows.
@Suite struct LiveTableTests {
    private typealias Script = ScriptedServer

    private static func list(_ accounts: [String]) -> String {
        Script.reply(200, #"{"users":[\#(accounts.joined(separator: ","))],"next":null}"#)
    }

    private static func time(inSeconds seconds: Double) -> String {
        Date(timeIntervalSinceNow: seconds).formatted(.iso8601)
    }

    @Test func troubleStandsFirstThenWhatExpiresSoonestAndAKeyEndsIt() async throws {
        try await ToolFixture.with { fixture in
            let (soon, late) = (Self.time(inSeconds: 290), Self.time(inSeconds: 900.5))
            let server = try Script(at: fixture.path) { request in
                request.target == "/v1/status"
                    ? Script.reply(200, #"{"database":{"state":"up"},"ready":true,"last_error":null}"#)
                    : Self.list([
                        Script.account("late", expiresAt: late), Script.account("soon", expiresAt: soon),
                        Script.account(
                            "bad",
                            "reauthorization_required",
                            expiresAt: nil,
                            failures: 3,
                            error: "refused"
                        ),
                    ])
            }
            let tool = try ToolOnTerminal(["status", "--watch"], at: fixture.path)
            let screen = try await tool.screen("the table is drawn") {
                $0.lines.last?.hasPrefix("q ends") == true || $0.lines.contains("q ends this")
            }
            let lines = screen.lines
            #expect(lines[0].hasSuffix("Z  3 accounts: 1 reauthorization_required, 2 active"))
            #expect(lines[1] == "database state up  ready true")
            #expect(lines[3].hasPrefix("USER  STATUS"))
            #expect(lines[4].hasPrefix("bad   reauthorization_required  -"))
            #expect(lines[4].hasSuffix("3         refused"))
            #expect(lines[5].hasPrefix("soon  active"))
            #expect(lines[5].contains("in 4m"))
            #expect(lines[6].hasPrefix("late  active"))
            #expect(screen.isAlternate && screen.hidesCursor && !screen.wraps)
            #expect(screen.styles.contains("7m") && screen.styles.contains("31m") && screen.styles.contains("32m"))
            #expect(screen.unknown == [])
            #expect(!tool.isAsFound)
            tool.type("xq")
            #expect(try await tool.end() == 0)
            let after = try await tool.screen("the screen is given back") { !$0.isAlternate }
            #expect(!after.hidesCursor && after.wraps)
            #expect(tool.isAsFound)
            _ = server
        }
    }

    @Test func theCountdownRunsAndAChangeIsShown() async throws {
        try await ToolFixture.with { fixture in
            let expiry = Self.time(inSeconds: 40)
            let status = Mutex("active")
            let server = try Script(at: fixture.path) { request in
                request.target == "/v1/status"
                    ? Script.problem(403, "forbidden", "no")
                    : Self.list([Script.account("42", status.withLock { $0 }, expiresAt: expiry)])
            }
            let tool = try ToolOnTerminal(["status", "--watch"], at: fixture.path, environment: ["NO_COLOR=1"])
            let shown = try await tool.screen("a countdown") { $0.lines.contains("q ends this") }.lines[3]
            let later = try await tool.screen("a later countdown") {
                $0.lines[3].hasPrefix("42 ") && $0.lines[3] != shown
            }
            #expect(later.lines[3].hasPrefix("42    active  in "))
            #expect(later.styles == [])
            status.withLock { $0 = "degraded" }
            _ = try await tool.screen("the change") { $0.lines[3].hasPrefix("42    degraded") }
            // Who may not have the summary is not asked about it again and again.
            #expect(server.requests.filter { $0.target == "/v1/status" }.count == 1)
            tool.type("\u{3}")
            #expect(try await tool.end() == -SIGINT)
            _ = try await tool.screen("the screen is given back") { !$0.isAlternate && !$0.hidesCursor }
            #expect(tool.isAsFound)
        }
    }

    @Test func itFollowsTheWindowAndTellsWhatHasNoRoom() async throws {
        try await ToolFixture.with { fixture in
            let accounts = (1...50).map { Script.account("user\($0)", error: String(repeating: "e", count: 300)) }
            let server = try Script(at: fixture.path) { request in
                request.target == "/v1/status" ? Script.problem(404, "not_found", "no") : Self.list(accounts)
            }
            let tool = try ToolOnTerminal(["status", "--watch"], at: fixture.path)
            let small = try await tool.screen("the rest is counted") {
                $0.lines[23].hasPrefix("30 more, none more urgent")
            }
            #expect(small.unknown == [] && !small.isOverfull)
            #expect(!small.lines[2].contains("ENVIRONMENT"))
            tool.resize(rows: 60, columns: 150)
            let large = try await tool.screen("all are shown") { $0.lines.contains("q ends this") }
            #expect(large.lines[2].contains("ENVIRONMENT"))
            #expect(large.lines[52].hasPrefix("user9"))
            #expect(large.unknown == [] && !large.isOverfull)
            tool.resize(rows: 5, columns: 20)
            let tiny = try await tool.screen("little is shown") { $0.lines[4].hasPrefix("49 more") }
            #expect(tiny.unknown == [] && !tiny.isOverfull)
            tool.signal(SIGTERM)
            #expect(try await tool.end() == -SIGTERM)
            #expect(tool.isAsFound)
            _ = server
        }
    }

    @Test func aDaemonThatGoesAwayLeavesTheTableAndItsReturnIsNoticed() async throws {
        try await ToolFixture.with { fixture in
            let answer: @Sendable (Script.Request) -> String? = { _ in Script.reply(200, Script.account("42")) }
            let first = try Script(at: fixture.path, answer: answer)
            let tool = try ToolOnTerminal(["status", "42", "--watch"], at: fixture.path)
            let there = try await tool.screen("the account") { $0.lines.contains("status             active") }
            #expect(there.lines.contains { $0.hasPrefix("expires at         2026-01-01T00:10:00.25Z (") })
            first.stop()
            let gone = try await tool.screen("the trouble") { $0.lines[1].contains("no daemon") }
            #expect(gone.lines[1].hasPrefix("shown as it was "))
            #expect(gone.lines.contains("status             active"))
            let second = try Script(at: fixture.path, answer: answer)
            _ = try await tool.screen("the return") { !$0.lines[1].contains("no daemon") }
            tool.type("q")
            #expect(try await tool.end() == 0)
            _ = second
        }
    }

    @Test func stoppedItGivesTheTerminalBackAndTakesItAgain() async throws {
        try await ToolFixture.with { fixture in
            let server = try Script(at: fixture.path) { _ in Script.reply(200, Script.account("42")) }
            let tool = try ToolOnTerminal(["status", "42", "--watch"], at: fixture.path)
            _ = try await tool.screen("the account") { $0.lines.contains("status             active") }
            tool.signal(SIGTSTP)
            _ = try await tool.screen("the screen is given back") { !$0.isAlternate }
            try await tool.stopped()
            tool.signal(SIGCONT)
            _ = try await tool.screen("the screen is taken again") { $0.isAlternate && $0.hidesCursor }
            tool.type("q")
            #expect(try await tool.end() == 0)
            #expect(tool.isAsFound)
            _ = server
        }
    }

    @Test func whatIsWrongFromTheStartIsToldWithoutATable() async throws {
        try await ToolFixture.with { fixture in
            let server = try Script(at: fixture.path) { _ in Script.problem(403, "forbidden", "You may not.") }
            let tool = try ToolOnTerminal(["status", "--watch"], at: fixture.path)
            #expect(try await tool.end() == 77)
            let screen = try await tool.screen("the reason") {
                $0.lines[0].contains("You may not.") || $0.lines[1].contains("You may not.")
            }
            #expect(!screen.isAlternate)
            _ = server
        }
    }

    @Test func aTerminalThatCanOnlyPrintGetsLines() async throws {
        try await ToolFixture.with { fixture in
            let server = try Script(at: fixture.path) { _ in Self.list([Script.account("42")]) }
            let tool = try ToolOnTerminal(
                ["status", "--watch"],
                at: fixture.path,
                columns: 150,
                environment: ["TERM=dumb"]
            )
            let screen = try await tool.screen("a row") { $0.lines[1].hasPrefix("42    active") }
            #expect(!screen.isAlternate && screen.styles == [] && screen.unknown == [])
            tool.type("\u{3}")
            #expect(try await tool.end() == -SIGINT)
            _ = server
        }
    }

    @Test func aListOnATerminalTellsHowFarTimesAreAndSumsUp() async throws {
        try await ToolFixture.with { fixture in
            let soon = Self.time(inSeconds: 7200.5)
            let server = try Script(at: fixture.path) { request in
                request.target == "/v1/status"
                    ? Script.reply(200, #"{"ready":true}"#)
                    : Self.list([Script.account("1", expiresAt: soon), Script.account("2", "expired")])
            }
            let tool = try ToolOnTerminal(["status"], at: fixture.path, columns: 150)
            let screen = try await tool.screen("the list") { $0.lines.contains { $0.hasPrefix("2 accounts") } }
            #expect(try await tool.end() == 0)
            #expect(screen.lines[0] == "ready  true")
            #expect(screen.lines[2].hasPrefix("USER  STATUS   EXPIRES"))
            #expect(
                screen.lines[3].hasPrefix("1     active   in 1h59m")
                    || screen.lines[3].hasPrefix("1     active   in 2h00m")
            )
            #expect(screen.lines[4].hasPrefix("2     expired  "))
            #expect(screen.lines[6] == "2 accounts: 1 expired, 1 active")
            #expect(screen.styles.filter { $0 != "0m" } == ["32m", "31m"])
            #expect(!screen.isAlternate && screen.unknown == [])
            _ = server
        }
    }

    @Test func aDaemonThatIsNotThereYetIsWaitedFor() async throws {
        try await ToolFixture.with { fixture in
            let tool = try ToolOnTerminal(["status", "--watch"], at: fixture.path)
            _ = try await tool.screen("the reason") { $0.lines[1].hasPrefix("no daemon listens at \(fixture.path)") }
            let server = try Script(at: fixture.path) { _ in Self.list([Script.account("42")]) }
            _ = try await tool.screen("the account") { screen in screen.lines.contains { $0.hasPrefix("42    active") }
            }
            tool.type("q")
            #expect(try await tool.end() == 0)
            _ = server
        }
    }

    @Test func whatTheDaemonSaysOfItselfIsNotCutAtEightyColumns() async throws {
        try await ToolFixture.with { fixture in
            let summary = """
                {"version":"1.0.0","ready":true,"started_at":"2026-01-01T00:00:00Z","accounts":{"total":5,"healthy":3,\
                "failing":1,"needing_a_person":1,"without_grant":0},"refreshes":{"in_line":0,"in_flight":1,"unstored":0},\
                "capacity_accounts":10800,"database":{"trouble":null,"changes":"by trigger"}}
                """
            let server = try Script(at: fixture.path) { request in
                request.target == "/v1/status" ? Script.reply(200, summary) : Self.list([Script.account("42")])
            }
            let tool = try ToolOnTerminal(["status", "--watch"], at: fixture.path)
            let screen = try await tool.screen("the table") { $0.lines.contains("q ends this") }
            #expect(screen.lines[1] == "version 1.0.0  ready true  started at 2026-01-01T00:00:00Z  accounts total 5")
            #expect(screen.lines[2].hasPrefix("accounts healthy 3  accounts failing 1  accounts needing a person 1"))
            #expect(screen.lines.contains { $0.contains("database changes by trigger") })
            #expect(screen.lines.contains { $0.hasPrefix("42    active") } && !screen.isOverfull)
            tool.type("q")
            #expect(try await tool.end() == 0)
            _ = server
        }
    }

    @Test func aDaemonThatStillLoadsIsWaitedFor() async throws {
        try await ToolFixture.with { fixture in
            let isReady = Mutex(false)
            let server = try Script(at: fixture.path) { _ in
                isReady.withLock { $0 }
                    ? Self.list([Script.account("42")]) : Script.problem(503, "token_unavailable", "It still loads.")
            }
            let tool = try ToolOnTerminal(["status", "--watch"], at: fixture.path)
            _ = try await tool.screen("the reason") { $0.lines[1].hasPrefix("It still loads.") }
            isReady.withLock { $0 = true }
            _ = try await tool.screen("the account") { screen in screen.lines.contains { $0.hasPrefix("42    active") }
            }
            tool.signal(SIGHUP)
            #expect(try await tool.end() == -SIGHUP)
            #expect(tool.isAsFound)
            _ = server
        }
    }
}
