// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

@Suite struct ConnectionGateTests {
    private static let plain = "GET /v1/users/42/token HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Streams of bytes whose answers must not depend on the way taken, nor on how the bytes arrive.
    static let streams: [String] = [
        "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
            + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        plain,
        plain + plain + plain,
        plain + EmbeddedConnection.request("GET", "/v1/users/7/token", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/token", ["User-Agent: curl/8.14.1", "Accept: */*"]),
        EmbeddedConnection.request(
            "GET",
            "/v1/users/42/token",
            ["Accept: application/json", "Connection: keep-alive"]
        ),
        EmbeddedConnection.request("GET", "/v1/users/42/token", ["accept-encoding: gzip, deflate", "USER-AGENT: x"]),
        EmbeddedConnection.request("GET", "/v1/users/42/token", ["Accept: text/plain"]) + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/token", ["Accept: text/plain;q=0.1, application/json"]) + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/token", ["Connection: close"]) + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/token", ["X-Unknown: 1"]) + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/token", ["If-None-Match: \"x\""]) + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/token?min_ttl=10", []) + plain + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/token?min_ttl=x", []) + plain,
        EmbeddedConnection.request("HEAD", "/v1/users/42/token", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/4%32/token", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/%zz/token", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/%00/token", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users//token", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/token/", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/nobody/token", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/dead/token", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/short/token", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/../token", []) + plain,
        EmbeddedConnection.request("GET", "/healthz", []) + plain,
        EmbeddedConnection.request("GET", "/readyz?x", []) + plain,
        EmbeddedConnection.request("GET", "/", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/refresh", []) + plain,
        EmbeddedConnection.request("GET", "http://localhost/v1/users/42/token", []) + plain,
        EmbeddedConnection.request("POST", "/v1/users/42/token", []) + plain,
        EmbeddedConnection.request("POST", "/v1/users/42/token", ["Content-Length: 3"]) + "abc" + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/token", ["Content-Length: 3"]) + "abc" + plain,
        EmbeddedConnection.request("POST", "/healthz", ["Transfer-Encoding: chunked"]) + "3\r\nabc\r\n0\r\n\r\n"
            + plain,
        EmbeddedConnection.request("DELETE", "/nothing", []) + plain,
        EmbeddedConnection.request("GET", "/v1/users/42/token", ["Host: again"]) + plain,
        "GET /v1/users/42/token HTTP/1.1\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/1.1\r\nHost:\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/1.1\r\nHost:   x  \r\nAccept:*/*\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/1.1\r\nHost : x\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/1.1\r\n: x\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/1.1\r\nHost: x\r\nUser-Agent: \u{1}\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/1.1\r\nHost: x\r\nUser-Agent: é\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/1.0\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/2.0\r\nHost: x\r\n\r\n" + plain,
        "GET  /v1/users/42/token HTTP/1.1\r\nHost: x\r\n\r\n" + plain,
        "GET /v1/users/42/token  HTTP/1.1\r\nHost: x\r\n\r\n" + plain,
        "GET /v1/users/4 2/token HTTP/1.1\r\nHost: x\r\n\r\n" + plain,
        "get /v1/users/42/token HTTP/1.1\r\nHost: x\r\n\r\n" + plain,
        "GET /v1/users/42/token\r\n\r\n" + plain,
        "GET /v1/users/42/token HTTP/1.1\nHost: x\n\n" + plain,
        "\r\n" + plain,
        "\u{16}\u{3}\u{1}",
        "*1\r\n$4\r\nPING\r\n",
    ]

    private func board() -> BoardDouble {
        let board = BoardDouble()
        board.publish(.living(.seconds(600)), for: UserID("42"))
        board.publish(.living(.seconds(700), text: "seven", user: "7"), .refused, for: UserID("7"))
        board.publish(nil, .refused, for: UserID("dead"))
        board.publish(.living(.seconds(5), user: "short"), .refused, for: UserID("short"))
        return board
    }

    private func answers(to stream: String, splitAt positions: [Int], usesShortWay: Bool) throws -> String {
        let connection = try EmbeddedConnection(board: board(), usesShortWay: usesShortWay)
        try connection.send(stream, splitAt: positions)
        connection.endInput()
        return try connection.received() + (connection.channel.isActive ? "open" : "closed")
    }

    @Test(arguments: streams.indices)
    func bothWaysAnswerEveryStreamAlikeHoweverItArrives(index: Int) throws {
        let stream = Self.streams[index]
        let expected = try answers(to: stream, splitAt: [], usesShortWay: false)
        #expect(expected.hasPrefix("HTTP/1.1 "))
        #expect(expected.hasSuffix("closed"))
        #expect(try answers(to: stream, splitAt: [], usesShortWay: true) == expected)
        for position in 1..<stream.utf8.count {
            let short = try answers(to: stream, splitAt: [position], usesShortWay: true)
            try #require(short == expected, "short way, split at \(position)")
            let general = try answers(to: stream, splitAt: [position], usesShortWay: false)
            try #require(general == expected, "general way, split at \(position)")
        }
        let everyByte = Array(1..<stream.utf8.count)
        #expect(try answers(to: stream, splitAt: everyByte, usesShortWay: true) == expected)
    }

    @Test func pipelinedPlainRequestsAreAnsweredWithOneWrite() throws {
        let connection = try EmbeddedConnection(board: board())
        try connection.send(String(repeating: Self.plain, count: 20), splitAt: [100, 500])
        let only = try #require(try connection.channel.readOutbound(as: ByteBuffer.self))
        #expect(String(buffer: only).ranges(of: "HTTP/1.1 200 OK").count == 20)
        #expect(try connection.channel.readOutbound(as: ByteBuffer.self) == nil)
    }

    @Test func theShortWayIsTakenAgainAfterARequestThatHadToWait() throws {
        let connection = try EmbeddedConnection(board: board())
        connection.board.publish(nil, .underWay, for: UserID("9"))
        try connection.send(EmbeddedConnection.request("GET", "/v1/users/9/token", []) + Self.plain)
        #expect(try connection.received() == "", "order is kept: what came later waits too")
        connection.board.publish(.living(.seconds(900), text: "nine", user: "9"), for: UserID("9"))
        connection.loop.run()
        let text = try connection.received()
        let nine = try #require(text.firstRange(of: "nine"))
        let plain = try #require(text.firstRange(of: "\"user\":\"42\""))
        #expect(nine.lowerBound < plain.lowerBound)
        try connection.send(Self.plain)
        #expect(try RawReply(connection.received()).status == 200)
    }

    @Test func nothingIsReadWhileARequestWaits() throws {
        let connection = try EmbeddedConnection(board: board())
        connection.board.publish(nil, .underWay, for: UserID("9"))
        let reads = ReadCounter()
        try connection.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        try connection.send(EmbeddedConnection.request("GET", "/v1/users/9/token", []))
        connection.channel.read()
        #expect(reads.count == 0)
        connection.board.publish(nil, .refused, for: UserID("9"))
        connection.loop.run()
        #expect(reads.count == 1)
    }
}

/// Counts the reads that reach the transport.
private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}

extension ConnectionGateTests {
    @Test func strangersGetTheSame403WhateverTheyAskFor() throws {
        let connection = try EmbeddedConnection(board: board(), caller: .stranger)
        let refusal = try connection.get("/v1/users/42/token")
        #expect(refusal.status == 403)
        #expect(refusal.code == "forbidden")
        for target in [
            "/v1/users/nobody/token", "/v1/users/42/token?min_ttl=x", "/v1/users/42", "/none", "/v1/users/%",
        ] {
            #expect(try connection.get(target) == refusal)
        }
        #expect(try connection.ask(EmbeddedConnection.request("PUT", "/v1/users/42/token", [])) == refusal)
        #expect(try connection.get("/healthz").status == 200)
        #expect(try connection.get("/readyz").status == 200)
    }

    @Test func otherMethodsAre405WithAllow() throws {
        let connection = try EmbeddedConnection(board: board())
        for target in ["/v1/users/42/token", "/v1/users/42", "/healthz", "/readyz"] {
            let reply = try connection.ask(EmbeddedConnection.request("POST", target, []))
            #expect(reply.status == 405)
            #expect(reply.code == "method_not_allowed")
            #expect(reply.fields["allow"] == "GET, HEAD")
        }
    }

    @Test func readinessFollowsTheBoard() throws {
        let connection = try EmbeddedConnection()
        connection.board.setReady(false)
        #expect(try connection.get("/healthz").status == 200)
        let reply = try connection.get("/readyz")
        #expect(reply.status == 503)
        #expect(reply.fields["content-type"] == "application/problem+json")
        #expect(reply.fields["retry-after"] == "1")
        connection.board.setReady(true)
        #expect(try connection.get("/readyz").status == 200)
    }

    @Test(arguments: [
        ("GET /" + String(repeating: "x", count: 9000) + " HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: x\r\nX: " + String(repeating: "x", count: 9000) + "\r\n\r\n", 431),
        (
            "GET / HTTP/1.1\r\nHost: x\r\n"
                + String(repeating: "X: \(String(repeating: "y", count: 200))\r\n", count: 90), 431
        ),
        ("GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: "X: y\r\n", count: 120), 431),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 413),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n11000\r\n"
                + String(repeating: "x", count: 0x11000),
            413
        ),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
    ])
    func whatIsTooLargeOrBrokenIsSaidAndEndsTheConnection(stream: String, status: Int) throws {
        for usesShortWay in [true, false] {
            let connection = try EmbeddedConnection(usesShortWay: usesShortWay)
            try connection.send(stream)
            let reply = try RawReply(connection.received())
            #expect(reply.status == status)
            #expect(reply.code == (status == 400 ? "bad_request" : "request_too_large"))
            #expect(reply.fields["connection"] == "close")
            #expect(!connection.channel.isActive)
        }
    }

    @Test func leaveToSendABodyIsGiven() throws {
        let connection = try EmbeddedConnection()
        try connection.send("POST /healthz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        #expect(try connection.received() == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(try connection.ask("ab").status == 405)
    }

    @Test func aConnectionThatIsSilentIsClosed() throws {
        let connection = try EmbeddedConnection(board: board())
        try connection.send(Self.plain)
        connection.loop.advanceTime(by: .seconds(239))
        #expect(connection.channel.isActive)
        connection.loop.advanceTime(by: .seconds(1))
        #expect(!connection.channel.isActive)
    }

    @Test func aCallerWhoAlwaysHasTheNextRequestHalfSentIsNotCutOff() throws {
        let connection = try EmbeddedConnection(board: board())
        let (head, tail) = (Self.plain.prefix(20), Self.plain.dropFirst(20))
        try connection.send(String(head))
        for _ in 1...6 {
            connection.loop.advanceTime(by: .seconds(2))
            try connection.send(tail + Self.plain + head)
            #expect(try !connection.received().isEmpty)
            #expect(connection.channel.isActive)
        }
    }

    @Test(arguments: [
        "GET /v1/users/42/token HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
    ])
    func aRequestThatDoesNotEndIsCutOffHoweverBusilyItDrips(start: String) throws {
        for usesShortWay in [true, false] {
            let connection = try EmbeddedConnection(board: board(), usesShortWay: usesShortWay)
            try connection.send(start)
            for _ in 1...4 {
                connection.loop.advanceTime(by: .seconds(2))
                try connection.send("s")
                #expect(connection.channel.isActive)
            }
            connection.loop.advanceTime(by: .seconds(2))
            #expect(!connection.channel.isActive)
        }
    }

    @Test func aCallerWhoStopsReadingIsReadNoMoreAndThenCutOff() throws {
        let connection = try EmbeddedConnection(board: board())
        connection.channel.isWritable = false
        connection.channel.pipeline.fireChannelWritabilityChanged()
        try connection.send(Self.plain)
        #expect(try connection.received() == "")
        connection.channel.isWritable = true
        connection.channel.pipeline.fireChannelWritabilityChanged()
        connection.loop.run()
        #expect(try RawReply(connection.received()).status == 200)
        connection.channel.isWritable = false
        connection.channel.pipeline.fireChannelWritabilityChanged()
        connection.loop.advanceTime(by: .seconds(30))
        #expect(!connection.channel.isActive)
    }

    @Test func aCallerWhoEndedHisDirectionStillGetsHisAnswers() throws {
        let connection = try EmbeddedConnection(board: board())
        connection.board.publish(nil, .underWay, for: UserID("9"))
        try connection.send(EmbeddedConnection.request("GET", "/v1/users/9/token", []) + Self.plain)
        connection.endInput()
        #expect(connection.channel.isActive)
        connection.board.publish(.living(.seconds(900), text: "nine", user: "9"), for: UserID("9"))
        connection.loop.run()
        #expect(try connection.received().ranges(of: "HTTP/1.1 200 OK").count == 2)
        #expect(!connection.channel.isActive)
    }

    @Test func aDaemonThatStopsEndsIdleConnectionsAtOnceAndOthersAfterTheirAnswer() throws {
        let idle = try EmbeddedConnection(board: board())
        idle.channel.pipeline.fireUserInboundEventTriggered(ServerStopping())
        #expect(!idle.channel.isActive)

        let busy = try EmbeddedConnection(board: board())
        busy.board.publish(nil, .underWay, for: UserID("9"))
        try busy.send(EmbeddedConnection.request("GET", "/v1/users/9/token", []))
        busy.channel.pipeline.fireUserInboundEventTriggered(ServerStopping())
        #expect(busy.channel.isActive)
        busy.board.publish(.living(.seconds(900), user: "9"), for: UserID("9"))
        busy.loop.run()
        #expect(try RawReply(busy.received()).fields["connection"] == "close")
        #expect(!busy.channel.isActive)
    }
}
