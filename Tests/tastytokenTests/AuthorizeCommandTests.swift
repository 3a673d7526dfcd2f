// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import SocketAPI
import TestSupport
import Testing
import TokenCore

@testable import tastytoken

/// `grant authorize` of the built tool at a terminal, against a real socket server.
@Suite(.timeLimit(.minutes(2))) struct AuthorizeCommandTests {
    private static let question = "address (it is not shown):"

    private func with(_ body: (ToolFixture, AuthorizingDouble) async throws -> Void) async throws {
        try await ToolFixture.with { tool in
            let (board, enrolling, authorizing) = (BoardDouble(), EnrollingDouble(), AuthorizingDouble())
            board.report(.sample("42", client: "second"))
            try await tool.serving(board, enrolling, authorizing) { try await body(tool, authorizing) }.get()
        }
    }

    private func asked(_ tool: ToolOnTerminal, times: Int = 1) async throws -> TerminalScreen {
        try await tool.screen("it asks") { $0.lines.count { $0.hasPrefix(Self.question) } == times }
    }

    @Test func theAddressIsShownAndWhatCameBackHandedOver() async throws {
        try await with { fixture, authorizing in
            authorizing.remark(["Worth knowing."])
            let tool = try ToolOnTerminal(
                ["grant", "authorize", "42", "--client", "second"],
                at: fixture.path,
                rows: 40,
                columns: 140
            )
            let before = try await asked(tool)
            let url = authorizing.start.url.reveal()
            #expect(before.lines.contains("  \(url)"))
            tool.type("http://localhost:3000/tastytrade/oauth/callback?code=code%2Dcanary&state=state-of-the-double\r")
            let after = try await tool.screen("it is done") { $0.lines.contains { $0.hasPrefix("last error") } }
            #expect(after.lines.contains("tastytoken: Worth knowing."))
            #expect(!after.lines.contains { $0.contains("canary") })
            #expect(try await tool.end() == 0)
            #expect(tool.isAsFound)
            #expect(await authorizing.requests.next() == .begin(UserID("42"), "second", .socket))
            #expect(await authorizing.requests.next() == .pending(Secret("state-of-the-double"), .socket))
            let finish = await authorizing.requests.next()
            #expect(finish == .finish(Secret("state-of-the-double"), .code(Secret("code-canary")), .socket))
        }
    }

    /// An account that was refreshed so many seconds after the new year; nil if it never was.
    private func report(_ status: GrantStatus = .active, refreshed seconds: Int64?) -> GrantReport {
        GrantReport(
            user: UserID("42"),
            status: status,
            environment: .sandbox,
            client: "default",
            expiresAt: nil,
            lastRefreshedAt: seconds.map { Moment.newYear.wall + .seconds($0) },
            nextRefreshAt: nil,
            consecutiveFailures: 0,
            lastError: nil
        )
    }

    /// Presses Enter alone, after the account was changed to that.
    private func enter(
        _ board: BoardDouble,
        _ after: GrantReport,
        at fixture: ToolFixture,
        _ more: String...
    ) async throws -> (screen: TerminalScreen, status: CInt) {
        let tool = try ToolOnTerminal(["grant", "authorize", "42"] + more, at: fixture.path, rows: 60, columns: 140)
        _ = try await tool.screen("it asks") { $0.lines.contains { $0.hasPrefix("address, or Enter") } }
        board.report(after)
        tool.type("\r")
        let screen = try await tool.screen("it says how it stands") {
            $0.lines.contains {
                $0.contains("nothing was connected") || $0.hasPrefix("last error") || $0.hasPrefix("{")
            }
        }
        return (screen, try await tool.end())
    }

    @Test func withPagesThereIsALinkToThemAndEnterAloneEndsIt() async throws {
        try await ToolFixture.with { fixture in
            let (board, pages) = (BoardDouble(), LinkingDouble())
            board.report(report(.noGrant, refreshed: nil))
            try await fixture.serving(board, EnrollingDouble(), AuthorizingDouble(), pages: pages) {
                let (screen, status) = try await enter(board, report(refreshed: 1), at: fixture)
                #expect(screen.lines.contains("  \(pages.link.url.reveal())"))
                #expect(status == 0)
                // Without a terminal there is nobody who could paste anything.
                let link = try await fixture.run("grant", "authorize", "42", "--client", "second")
                #expect(link.status == 0 && link.output == pages.link.url.reveal() + "\n" && link.errors.isEmpty)
                let reply = try await fixture.run("grant", "authorize", "42", "--json")
                let start = #"{"link":"\#(pages.link.url.reveal())","expires_at":""#
                #expect(reply.status == 0 && reply.output.hasPrefix(start) && reply.output.hasSuffix("}\n"), "\(reply)")
                pages.goOut(because: "They are off.")
                let none = try await fixture.run("grant", "authorize", "42")
                #expect(none.status == 75 && none.errors.contains("They are off."), "\(none)")
            }.get()
        }
    }

    /// Enter is what somebody presses whose browser said that it is done; a script goes by the status.
    @Test(
        arguments: [
            (nil, .noGrant, nil), (5, .active, 5), (5, .reauthorizationRequired, 9), (nil, .expired, 9),
        ] as [(Int64?, GrantStatus, Int64?)]
    )
    func enterAloneWhereNothingWasConnectedFails(_ before: Int64?, _ status: GrantStatus, _ after: Int64?) async throws
    {
        try await ToolFixture.with { fixture in
            let board = BoardDouble()
            board.report(report(before == nil ? .noGrant : .active, refreshed: before))
            try await fixture.serving(board, EnrollingDouble(), AuthorizingDouble(), pages: LinkingDouble()) {
                let end = try await enter(board, report(status, refreshed: after), at: fixture)
                #expect(end.status == 78)
                let json = try await enter(board, report(status, refreshed: after), at: fixture, "--json")
                #expect(json.status == 78)
            }.get()
        }
    }

    @Test func whoMayNotLookIsNotToldThatItWorked() async throws {
        try await ToolFixture.with { fixture in
            let server = try ScriptedServer(at: fixture.path) { request in
                switch (request.method, request.target) {
                case ("GET", _): ScriptedServer.problem(403, "forbidden", "No rule lets you.")
                case (_, let target) where target.hasSuffix("authorizations"):
                    ScriptedServer.reply(200, #"{"authorization_url":"https://a.example/auth","state":"s"}"#)
                default:
                    ScriptedServer.reply(
                        200,
                        #"{"link":"http://localhost:3000/l","expires_at":"2026-01-01T00:00:00Z"}"#
                    )
                }
            }
            let tool = try ToolOnTerminal(["grant", "authorize", "42"], at: fixture.path, rows: 40, columns: 140)
            _ = try await tool.screen("it asks") { $0.lines.contains { $0.hasPrefix("address, or Enter") } }
            tool.type("\r")
            _ = try await tool.screen("it says so") { $0.lines.contains { $0.contains("not for this user to see") } }
            #expect(try await tool.end() == 77)
            _ = server
        }
    }

    @Test func whatIsPastedWronglyIsSaidAndAskedForAgain() async throws {
        try await with { fixture, authorizing in
            let tool = try ToolOnTerminal(["grant", "authorize", "42"], at: fixture.path, rows: 60, columns: 140)
            _ = try await asked(tool)
            tool.type("code-canary\r")
            _ = try await asked(tool, times: 2)
            tool.type("http://localhost/cb?code=canary&state=another-one\r")
            let screen = try await asked(tool, times: 3)
            #expect(screen.lines.contains { $0.contains("no question mark") })
            #expect(screen.lines.contains { $0.contains("another attempt") })
            #expect(!screen.lines.contains { $0.contains("canary") })
            tool.type("http://localhost/cb?error=access_denied&state=state-of-the-double\r")
            #expect(try await tool.end() == 0)
            for _ in 1...2 { _ = await authorizing.requests.next() }
            let finish = await authorizing.requests.next()
            #expect(finish == .finish(Secret("state-of-the-double"), .error("access_denied"), .socket))
        }
    }

    @Test func afterThreeOfThemItEnds() async throws {
        try await with { fixture, authorizing in
            let tool = try ToolOnTerminal(["grant", "authorize", "42"], at: fixture.path, rows: 60, columns: 140)
            for time in 1...3 {
                _ = try await asked(tool, times: time)
                tool.type("nothing\r")
            }
            #expect(try await tool.end() == 64)
            _ = await authorizing.requests.next()
            #expect(authorizing.requests.count == 0)
        }
    }

    @Test(
        arguments: [
            (EnrollmentFailure.Kind.invalidState, 78), (.grantRefused, 78), (.unknownUser, 67), (.unknownClient, 64),
            (.unavailable, 75),
        ] as [(EnrollmentFailure.Kind, Int32)]
    )
    func theDaemonsWordsAreShownAndTheStatusTellsWhatToDo(_ kind: EnrollmentFailure.Kind, _ status: Int32) async throws
    {
        try await with { fixture, authorizing in
            let tool = try ToolOnTerminal(["grant", "authorize", "42"], at: fixture.path, rows: 40, columns: 140)
            _ = try await asked(tool)
            authorizing.fail(with: EnrollmentFailure(kind, "What happened."))
            tool.type("http://localhost/cb?code=c&state=state-of-the-double\r")
            _ = try await tool.screen("it says so") { $0.lines.contains { $0.contains("What happened.") } }
            #expect(try await tool.end() == status)
        }
    }

    @Test func whereItWasOnlyAwayForAMomentItIsAskedAgain() async throws {
        try await with { fixture, authorizing in
            let tool = try ToolOnTerminal(["grant", "authorize", "42"], at: fixture.path, rows: 40, columns: 140)
            _ = try await asked(tool)
            authorizing.fail(with: EnrollmentFailure(.unavailable, "Away.", retryAfter: .seconds(1)))
            tool.type("http://localhost/cb?code=c&state=state-of-the-double\r")
            _ = try await tool.screen("it says so") { $0.lines.contains { $0.contains("Away.") } }
            authorizing.fail(with: nil)
            #expect(try await tool.end() == 0)
        }
    }

    @Test func somebodyWhoThinksBetterOfItHasHisTerminalBack() async throws {
        try await with { fixture, authorizing in
            let tool = try ToolOnTerminal(["grant", "authorize", "42"], at: fixture.path, rows: 40, columns: 140)
            _ = try await asked(tool)
            tool.type("\u{3}")
            #expect(try await tool.end() == -SIGINT)
            #expect(tool.isAsFound)
        }
    }
}

/// The address that a browser ends at.
@Suite struct RedirectedAddressTests {
    @Test(arguments: [
        ("http://localhost:3000/cb?code=c%2B1&state=s", "c+1"),
        ("  \"https://a.example/cb?state=s&code=c+1\" \n", "c 1"),
        ("<http://localhost/cb?x=1&code=c&state=s#_=_>", "c"),
        ("localhost:3000/cb?state=s&code=c&scope=read%20trade", "c"),
        ("?code=c&state=s&flag", "c"),
    ])
    func aCodeIsFoundInIt(_ text: String, _ code: String) throws {
        let address = try RedirectedAddress(text)
        #expect(address.state == "s" && address.end == .code(code))
    }

    @Test func anErrorGoesBeforeACode() throws {
        #expect(try RedirectedAddress("http://a/cb?error=access_denied&code=c&state=s").end == .error("access_denied"))
    }

    @Test(arguments: [
        "", "code", "http://localhost/cb", "http://localhost/cb?code=c", "http://localhost/cb?state=s",
        "http://localhost/cb?code=&state=s", "http://localhost/cb?code=c&state=",
        "http://localhost/cb?code=a&code=b&state=s",
        "http://localhost/cb#code=c&state=s", "http://localhost/cb?code=%ZZ&state=s",
    ])
    func whatIsMissingIsSaidWithoutQuotingIt(_ text: String) {
        let failure = #expect(throws: Failure.self) { try RedirectedAddress(text) }
        #expect(failure?.exit == .usage && failure?.text.contains("localhost") == false)
    }
}
