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

    @Test func orderIsKeptWhenARequestHasToWait() throws {
        let connection = try EmbeddedConnection(board: .withUsers())
        connection.board.publish(nil, .underWay, for: UserID("9"))
        try connection.send(EmbeddedConnection.request("GET", "/v1/users/9/token", []) + Self.plain)
        #expect(try connection.received() == "", "order is kept: what came later waits too")
        connection.board.publish(.living(.seconds(900), text: "nine"), for: UserID("9"))
        connection.loop.run()
        let text = try connection.received()
        let nine = try #require(text.firstRange(of: "nine"))
        let plain = try #require(text.firstRange(of: "\"user\":\"42\""))
        #expect(nine.lowerBound < plain.lowerBound)
        try connection.send(Self.plain)
        #expect(try RawReply(connection.received()).status == 200)
    }

    @Test func nothingIsReadWhileARequestWaits() throws {
        let connection = try EmbeddedConnection(board: .withUsers())
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
        let connection = try EmbeddedConnection(board: .withUsers(), caller: .stranger)
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
        let connection = try EmbeddedConnection(board: .withUsers())
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
        let connection = try EmbeddedConnection(board: .withUsers())
        try connection.send(Self.plain)
        connection.loop.advanceTime(by: .seconds(239))
        #expect(connection.channel.isActive)
        connection.loop.advanceTime(by: .seconds(1))
        #expect(!connection.channel.isActive)
    }

    @Test func aCallerWhoAlwaysHasTheNextRequestHalfSentIsNotCutOff() throws {
        let connection = try EmbeddedConnection(board: .withUsers())
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
            let connection = try EmbeddedConnection(board: .withUsers(), usesShortWay: usesShortWay)
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
        let connection = try EmbeddedConnection(board: .withUsers())
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
        let connection = try EmbeddedConnection(board: .withUsers())
        connection.board.publish(nil, .underWay, for: UserID("9"))
        try connection.send(EmbeddedConnection.request("GET", "/v1/users/9/token", []) + Self.plain)
        connection.endInput()
        #expect(connection.channel.isActive)
        connection.board.publish(.living(.seconds(900), text: "nine"), for: UserID("9"))
        connection.loop.run()
        #expect(try connection.received().ranges(of: "HTTP/1.1 200 OK").count == 2)
        #expect(!connection.channel.isActive)
    }

    @Test func aDaemonThatStopsEndsIdleConnectionsAtOnceAndOthersAfterTheirAnswer() throws {
        let idle = try EmbeddedConnection(board: .withUsers())
        idle.channel.pipeline.fireUserInboundEventTriggered(ServerStopping())
        #expect(!idle.channel.isActive)

        let busy = try EmbeddedConnection(board: .withUsers())
        busy.board.publish(nil, .underWay, for: UserID("9"))
        try busy.send(EmbeddedConnection.request("GET", "/v1/users/9/token", []))
        busy.channel.pipeline.fireUserInboundEventTriggered(ServerStopping())
        #expect(busy.channel.isActive)
        busy.board.publish(.living(.seconds(900)), for: UserID("9"))
        busy.loop.run()
        #expect(try RawReply(busy.received()).fields["connection"] == "close")
        #expect(!busy.channel.isActive)
    }
}
