// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TestSupport
import Testing

/// The built tool against answers that a real daemon gives on bad days only, or that this version's server has no route for.
@Suite struct ScriptedDaemonTests {
    private typealias Script = ScriptedServer

    @Test func aRefreshTellsUntilWhenTheTokenLivesAndNeverTheToken() async throws {
        try await ToolFixture.with { fixture in
            let server = try Script(at: fixture.path) { _ in Script.token("secret-token") }
            let run = try await fixture.run("refresh", "4/2", "--max-wait", "7", "--if-match", "\"abc\"")
            #expect(run.output == "user 4/2 has a token that lives until 2026-01-01T00:10:00Z (600 s)\n")
            #expect(run.status == 0)
            let json = try await fixture.run("refresh", "42", "--json")
            #expect(
                json.output == """
                    {"user":"42","token_type":"Bearer","expires_at":"2026-01-01T00:10:00Z","expires_in":600,\
                    "environment":"sandbox","api_url":"https://api.cert.tastyworks.com","new":[1]}\n
                    """
            )
            #expect(!(run.output + run.errors + json.output + json.errors).contains("secret-token"))
            let requests = server.requests
            #expect(requests.map(\.method) == ["POST", "POST"])
            #expect(requests.map(\.target) == ["/v1/users/4%2F2/refresh?max_wait=7", "/v1/users/42/refresh"])
            #expect(requests.map { $0.fields["if-match"] } == ["\"abc\"", nil])
            #expect(requests.map { $0.fields["content-length"] } == ["0", "0"])
        }
    }

    @Test(arguments: [
        (429, "too_many_refreshes", 75, "Try again in 4 s."), (412, "stale_token", 75, "tastytoken token 42."),
        (503, "token_unavailable", 75, "no. Try again in 4 s; if that does not help, see tastytoken explain 42."),
        (503, "overloaded", 75, "Try again in 4 s."), (504, "refresh_timeout", 75, "Try again in 4 s."),
        (403, "forbidden", 77, "runs as."), (404, "unknown_user", 67, "no."), (404, "not_found", 69, "upgrade it."),
        (405, "method_not_allowed", 69, "upgrade it."), (409, "no_grant", 78, "See tastytoken explain 42."),
        (418, "teapot", 64, "no."),
    ])
    func whatARefreshIsRefusedForIsToldWithWhatToDo(status: Int, code: String, exit: Int32, end: String) async throws {
        try await ToolFixture.with { fixture in
            let server = try Script(at: fixture.path) { _ in Script.problem(status, code, "no.", ["Retry-After: 4"]) }
            let run = try await fixture.run("refresh", "42")
            #expect(run.status == exit)
            #expect(run.output == "")
            #expect(run.errors.hasSuffix(end + "\n"), "\(run.errors)")
            _ = server
        }
    }

    @Test func aWatchOutlivesItsDaemonAndWhatThatSays() async throws {
        try await ToolFixture.with { fixture in
            let answers = Mailbox<String>()
            let answer: @Sendable (Script.Request) -> String? = { _ in
                // Every answer waits for the test, so that each step is seen by itself.
                let box = Mutex<String?>(nil)
                let isThere = DispatchSemaphore(value: 0)
                Task {
                    let answer = await answers.next()
                    box.withLock { $0 = answer }
                    isThere.signal()
                }
                isThere.wait()
                return box.withLock { $0 }
            }
            let first = try Script(at: fixture.path, answer: answer)
            let tool = try RunningTool(["watch", "42"], at: fixture.path)
            answers.send(Script.problem(503, "token_unavailable", "It loads.", ["Retry-After: 0"]))
            #expect(
                try await tool.complaint()
                    == "tastytoken: still watching user 42: It loads. Try again in 0 s; if that does not help, see tastytoken explain 42."
            )
            answers.send(Script.token("one"))
            #expect(try await tool.line().contains("one"))
            #expect(try await tool.complaint() == "tastytoken: watching user 42: all is well again")
            // Gone in the middle of an answer, and back at the same place.
            first.stop()
            answers.send("")
            #expect(try await tool.complaint().contains("hung up"))
            #expect(try await tool.complaint().contains("no daemon listens at \(fixture.path)"))
            let second = try Script(at: fixture.path, answer: answer)
            answers.send(Script.token("one"))
            answers.send(Script.token("two\\n"))
            #expect(try await tool.complaint() == "tastytoken: watching user 42: all is well again")
            #expect(try await tool.line().contains("two"))
            answers.send(Script.problem(404, "unknown_user", "No row."))
            #expect(try await tool.end() == 67)
            #expect(try await tool.remainingComplaints() == "tastytoken: No row.\n")
            let asked = (first.requests + second.requests).map { $0.fields["if-none-match"] }
            #expect(asked.prefix(3) == [nil, nil, "\"one\""])
            #expect(asked.last == "\"two\\n\"")
            #expect(second.requests.last?.target == "/v1/users/42/token?min_ttl=0")
            #expect(second.requests.last?.fields["prefer"] == "wait=60")
        }
    }

    @Test func aWatchThatBeginsBeforeItsDaemonWaitsForIt() async throws {
        try await ToolFixture.with { fixture in
            let tool = try RunningTool(["watch", "42"], at: fixture.path)
            let complaint = try await tool.complaint()
            #expect(complaint.hasPrefix("tastytoken: still watching user 42: no daemon listens at \(fixture.path)"))
            let server = try Script(at: fixture.path) { _ in Script.token("one") }
            #expect(try await tool.line().contains("one"))
            #expect(try await tool.complaint() == "tastytoken: watching user 42: all is well again")
            _ = server
        }
    }

    @Test func aFeedThatBeginsBeforeItsDaemonWaitsForIt() async throws {
        try await ToolFixture.with { fixture in
            let tool = try RunningTool(["status", "--watch", "--json"], at: fixture.path)
            let complaint = try await tool.complaint()
            #expect(complaint.hasPrefix("tastytoken: still watching: no daemon listens at \(fixture.path)"))
            let server = try Script(at: fixture.path) { _ in
                Script.reply(200, #"{"users":[\#(Script.account("1"))],"next":null}"#)
            }
            #expect(try await tool.line() == Script.account("1"))
            #expect(try await tool.complaint() == "tastytoken: watching: all is well again")
            _ = server
        }
    }

    @Test func allAccountsAreListedPageByPage() async throws {
        try await ToolFixture.with { fixture in
            let server = try Script(at: fixture.path) { request in
                request.target.contains("after=")
                    ? Script.reply(
                        200,
                        #"{"users":[\#(Script.account("b/3", "degraded", failures: 2, error: #"it\tfailed"#))],"next":null}"#
                    )
                    : Script.reply(
                        200,
                        #"{"users":[\#(Script.account("1")), \#(Script.account("a&2", expiresAt: nil))],"next":"a&2"}"#
                    )
            }
            let table = try await fixture.run("status")
            #expect(table.status == 0, "\(table.errors)")
            #expect(
                table.output == """
                    USER  STATUS  EXPIRES               REFRESHED  NEXT REFRESH  FAILURES  ENVIRONMENT  CLIENT   LAST ERROR
                    1     active  2026-01-01T00:10:00Z  -          -             0         sandbox      default  -
                    a&2   active  -                     -          -             0         sandbox      default  -
                    b/3   degraded  2026-01-01T00:10:00Z  -          -             2         sandbox      default  it?failed\n
                    """
            )
            let json = try await fixture.run("status", "--json")
            let lines = [Script.account("1"), Script.account("a&2", expiresAt: nil)].map { $0 + "," }
            let last = Script.account("b/3", "degraded", failures: 2, error: #"it\tfailed"#)
            #expect(
                json.output == #"{"users":["# + "\n" + (lines + [last, #"],"next":null}"#]).joined(separator: "\n")
                    + "\n"
            )
            #expect(
                server.requests.map(\.target).suffix(2) == ["/v1/users?limit=500", "/v1/users?limit=500&after=a%262"]
            )
        }
    }

    @Test func noAccountsAreAnEmptyListAndACutListIsAFailure() async throws {
        try await ToolFixture.with { fixture in
            let next = Mutex<[String]>([
                #"{"users":[],"next":null}"#, #"{"users":[\#(Script.account("1"))],"next":"1"}"#,
                #"{"users":[],"next":"1"}"#,
            ])
            let server = try Script(at: fixture.path) { _ in Script.reply(200, next.withLock { $0.removeFirst() }) }
            #expect(try await fixture.run("status", "--json").output == "{\"users\":[\n\n],\"next\":null}\n")
            let endless = try await fixture.run("status", "--json")
            #expect(endless.status == 69)
            #expect(endless.errors.contains("is not tastytokend"))
            _ = server
        }
    }

    @Test func withoutATerminalEachChangeIsALine() async throws {
        try await ToolFixture.with { fixture in
            let state = Mutex([Script.account("1"), Script.account("2")])
            let server = try Script(at: fixture.path) { _ in
                Script.reply(200, #"{"users":[\#(state.withLock { $0.joined(separator: ",") })],"next":null}"#)
            }
            let json = try RunningTool(["status", "--watch", "--json"], at: fixture.path)
            let table = try RunningTool(["status", "--watch"], at: fixture.path)
            #expect(try await json.line() == Script.account("1"))
            #expect(try await json.line() == Script.account("2"))
            #expect(try await table.line().hasPrefix("USER  STATUS"))
            for user in ["1", "2"] { #expect(try await table.line().hasPrefix("\(user)     active")) }
            state.withLock { $0 = [Script.account("2", "degraded", failures: 1)] }
            #expect(try await json.line() == Script.account("2", "degraded", failures: 1))
            #expect(try await json.line() == #"{"user":"1","status":null}"#)
            #expect(try await table.line().hasPrefix("2     degraded"))
            #expect(try await table.line() == "1  removed")
            json.closeOutput()
            #expect(try await json.end() == -SIGPIPE)
            server.stop()
            #expect(try await table.complaint().hasPrefix("tastytoken: still watching: no daemon"))
            table.signal(SIGTERM)
            #expect(try await table.end() == -SIGTERM)
        }
    }

    @Test func anExplanationIsShownWithWhatIsKnownOfIt() async throws {
        try await ToolFixture.with { fixture in
            let body = """
                {"user":"42","status":"degraded","reason":"The endpoint answered 502.","remedy":null,"weather":{"a":1},\
                "next_attempt":{"at":"2026-01-01T00:00:08Z","why":"backoff after 2 failures","x":1},"attempts":[\
                {"at":"2026-01-01T00:00:00Z","duration_ms":120,"outcome":"failed","error":"502"},\
                {"at":"2025-12-31T23:59:58.5Z","duration_ms":30000.6,"outcome":"succeeded","error":null}]}
                """
            let server = try Script(at: fixture.path) { request in
                request.target.hasPrefix("/v1/users/42/")
                    ? Script.reply(200, body) : Script.reply(200, #"{"user":"43","status":"active"}"#)
            }
            let run = try await fixture.run("explain", "42")
            #expect(run.status == 0, "\(run.errors)")
            #expect(
                run.output == """
                    user          42
                    status        degraded
                    reason        The endpoint answered 502.
                    remedy        -
                    next attempt  2026-01-01T00:00:08Z: backoff after 2 failures

                    ATTEMPT                 TOOK      OUTCOME    ERROR
                    2026-01-01T00:00:00Z    120 ms    failed     502
                    2025-12-31T23:59:58.5Z  30001 ms  succeeded  -\n
                    """
            )
            #expect(try await fixture.run("explain", "42", "--json").output == body + "\n")
            #expect(try await fixture.run("explain", "43").output.hasSuffix("next attempt  -\n\nno attempts yet\n"))
            #expect(server.requests.first?.target == "/v1/users/42/explain")
        }
    }
}

/// What is told of a socket that cannot be used.
@Suite struct UnusableSocketTests {
    @Test func eachWayIsToldByItsCause() async throws {
        try await ToolFixture.with { fixture in
            let path = fixture.path
            let none = try await fixture.run("token", "1")
            #expect(none.status == 69)
            #expect(none.errors.contains("no daemon listens at \(path), there is no such file"))
            try Data().write(to: URL(fileURLWithPath: path))
            let file = try await fixture.run("status", "1")
            #expect(file.status == 69)
            #expect(file.errors.contains("\(path) is no socket; give the daemon's"))
            for watch in [["watch", "1"], ["status", "--watch"]] {
                let tool = try RunningTool(watch, at: path)
                #expect(try await tool.end() == 69, "\(watch)")
                #expect(try await tool.remainingComplaints().contains("\(path) is no socket"))
            }
            let left = try ListeningNowhere(at: path + "3")
            let dead = try await fixture.run("status", "--socket", left.path)
            #expect(dead.status == 69)
            #expect(dead.errors.contains("no daemon listens at \(left.path) any more"))
            let long = try await fixture.run("refresh", "1", "--socket", "/" + String(repeating: "x", count: 200))
            #expect(long.status == 64)
            let server = try ScriptedServer(at: path) { _ in "SSH-2.0-Hello\r\n\r\n" }
            let stranger = try await fixture.run("explain", "1")
            #expect(stranger.status == 69)
            #expect(stranger.errors.contains("is not tastytokend"))
            _ = server
        }
    }
}

/// A socket's file that a daemon left behind.
private struct ListeningNowhere {
    let path: String

    init(at path: String) throws {
        self.path = path
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        let status = withUnixAddress(path) { bind(descriptor, $0, $1) }
        guard status == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }
}
