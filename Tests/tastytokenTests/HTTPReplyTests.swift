// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import Testing

@testable import tastytoken

@Suite struct HTTPReplyTests {
    private let whole = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTastytokend-Degraded: no_grant\r\n\r\nabc"

    @Test func aReplyIsReadOnceItIsWhole() throws {
        let bytes = Array(whole.utf8)
        for length in 0..<bytes.count {
            #expect(try HTTPReply.parse(Array(bytes.prefix(length))) == nil)
        }
        let reply = try #require(try HTTPReply.parse(bytes))
        #expect(reply.status == 200)
        #expect(reply.text == "abc")
        #expect(reply[HeaderName.degraded] == "no_grant")
    }

    @Test(arguments: [
        "SSH-2.0-x\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
    ])
    func whatIsNoReplyOfOursIsSaid(text: String) {
        #expect(throws: Failure.self) { try HTTPReply.parse(Array(text.utf8)) }
    }

    @Test func aFloodWithoutAHeadIsCutOff() {
        #expect(throws: Failure.self) { try HTTPReply.parse([UInt8](repeating: 65, count: HTTPReply.maximumLength)) }
    }

    @Test func aRefusalIsToldInTheDaemonsWordsMadeHarmless() throws {
        let problem = Problem(.reauthorizationRequired, detail: "no\u{1B}[2J grant")
        let text =
            "HTTP/1.1 409 Conflict\r\nContent-Length: \(problem.json.count)\r\n\r\n"
            + String(decoding: problem.json, as: UTF8.self)
        let reply = try #require(try HTTPReply.parse(Array(text.utf8)))
        let failure = #expect(throws: Failure.self) { try reply.decoded(TokenReply.self, of: "42") }
        #expect(failure?.exit == .grantNeedsPerson)
        #expect(failure?.text == "no?[2J grant See tastytoken explain 42.")
    }

    @Test(arguments: ["a\nb", "", "a b", "é"])
    func aTokenThatCannotStandInAHeaderIsNotPrinted(token: String) throws {
        var body = JSONText()
        for name in ["user", "token_type", "expires_at", "environment", "api_url"] { body.add(name, "x") }
        body.add("access_token", token)
        body.add("expires_in", 5)
        body.close()
        let text =
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.bytes.count)\r\n\r\n"
            + String(decoding: body.bytes, as: UTF8.self)
        let answer = try TokenAnswer(try #require(try HTTPReply.parse(Array(text.utf8))), of: "x")
        #expect(throws: Failure.self) { try answer.presentableToken() }
    }
}

@Suite struct StatusTextTests {
    private let status = StatusReply(
        user: "42",
        status: "degraded",
        environment: "sandbox",
        client: "default",
        expiresAtMicroseconds: 0,
        lastRefreshedAtMicroseconds: nil,
        nextRefreshAtMicroseconds: nil,
        consecutiveFailures: 2,
        lastError: "it said \u{1B}[31m"
    )

    @Test func fieldsStandInOneColumn() {
        #expect(
            StatusText(status, inColour: false).lines == [
                "user               42",
                "status             degraded",
                "environment        sandbox",
                "client             default",
                "expires at         1970-01-01T00:00:00Z",
                "last refreshed at  -",
                "next refresh at    -",
                "failures in a row  2",
                "last error         it said ?[31m",
            ]
        )
    }

    @Test func onlyTheStatusHasAColourAndOnlyIfAskedFor() {
        let lines = StatusText(status, inColour: true).lines
        #expect(lines[1] == "status             \u{1B}[33mdegraded\u{1B}[0m")
        #expect(lines.filter { $0.contains("\u{1B}") }.count == 1)
    }
}
