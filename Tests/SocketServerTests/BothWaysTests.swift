// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// Both ways give the same answers to the same bytes, and the general way alone gives them too.
@Suite struct BothWaysTests {
    static let plain = "GET /v1/users/42/token HTTP/1.1\r\nHost: localhost\r\n\r\n"

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

    private func answers(
        of board: BoardDouble,
        to bytes: [UInt8],
        splitAt positions: [Int],
        usesShortWay: Bool
    ) throws -> String {
        var connection = try TravellingConnection(board: board, usesShortWay: usesShortWay)
        let cuts = [0] + positions + [bytes.count]
        for (start, end) in zip(cuts, cuts.dropFirst()) { try connection.send(bytes[start..<end]) }
        try connection.endInput()
        return connection.answers + (connection.isOpen ? "open" : "closed")
    }

    /// What is answered to the bytes, on either way, at once, in two pieces and byte by byte: always the same. Pieces of
    /// any size are tried where both ways are open, since they lead to the general one too: half of a request goes there.
    private func answers(to bytes: [UInt8]) throws -> String {
        // None of them changes anything on it.
        let board = BoardDouble.withUsers()
        let expected = try answers(of: board, to: bytes, splitAt: [], usesShortWay: false)
        #expect(try answers(of: board, to: bytes, splitAt: [], usesShortWay: true) == expected)
        for position in 1..<bytes.count {
            let short = try answers(of: board, to: bytes, splitAt: [position], usesShortWay: true)
            try #require(short == expected, "both ways, split at \(position)")
        }
        let halves = [bytes.count / 2]
        #expect(try answers(of: board, to: bytes, splitAt: halves, usesShortWay: false) == expected)
        let everyByte = Array(1..<bytes.count)
        #expect(try answers(of: board, to: bytes, splitAt: everyByte, usesShortWay: true) == expected)
        #expect(try answers(of: board, to: bytes, splitAt: everyByte, usesShortWay: false) == expected)
        return expected
    }

    @Test(arguments: streams.indices)
    func everyStreamIsAnsweredAlikeHoweverItArrives(index: Int) throws {
        let answers = try answers(to: Array(Self.streams[index].utf8))
        #expect(answers.hasPrefix("HTTP/1.1 "))
        #expect(answers.hasSuffix("closed"))
    }

    @Test(arguments: RequestShape.ambiguous + RequestShape.clear)
    func everyShapeIsTakenForTheSameHoweverItArrives(shape: RequestShape) throws {
        let answers = try answers(to: shape.bytes)
        let statuses = answers.split(separator: "HTTP/1.1 ").compactMap { Int($0.prefix(3)) }
        #expect(statuses == shape.statuses)
        #expect(answers.hasSuffix("closed"))
    }

    @Test func nothingAmbiguousIsAnswered() {
        #expect(RequestShape.ambiguous.allSatisfy { $0.statuses == [400] || $0.statuses == [413] })
    }

    @Test func aConnectionGoesToAndFroWithoutLosingAnAnswer() throws {
        var connection = try TravellingConnection(board: .withUsers(), usesShortWay: true)
        let other = EmbeddedConnection.request("GET", "/v1/users/nobody/token", [])
        for round in 1...3 {
            try connection.send(Array(other.utf8)[...])
            #expect(connection.isOnGeneralWay)
            for _ in 1...16 { try connection.send(Array(Self.plain.utf8)[...]) }
            #expect(!connection.isOnGeneralWay, "round \(round)")
            try connection.send(Array((Self.plain + Self.plain).utf8)[...])
            #expect(!connection.isOnGeneralWay)
        }
        #expect(connection.answers.ranges(of: "HTTP/1.1 404 ").count == 3)
        #expect(connection.answers.ranges(of: "HTTP/1.1 200 ").count == 3 * 18)
    }

    @Test func whoIsGivenNoTokenStaysOnTheGeneralWay() throws {
        var connection = try TravellingConnection(board: .withUsers(), usesShortWay: true)
        let dead = EmbeddedConnection.request("GET", "/v1/users/dead/token", [])
        for _ in 1...40 {
            try connection.send(Array(dead.utf8)[...])
            #expect(connection.isOnGeneralWay)
        }
        #expect(connection.answers.ranges(of: "HTTP/1.1 409 ").count == 40)
    }

    @Test func whoSendsRequestsInPiecesStaysOnTheGeneralWay() throws {
        var connection = try TravellingConnection(board: .withUsers(), usesShortWay: true)
        let bytes = Array(Self.plain.utf8)
        for _ in 1...40 {
            try connection.send(bytes[..<20])
            try connection.send(bytes[20...])
            #expect(connection.isOnGeneralWay)
        }
        #expect(connection.answers.ranges(of: "HTTP/1.1 200 ").count == 40)
    }

    @Test func manyRequestsAtOnceAreAnsweredInOneGo() throws {
        let board = BoardDouble.withUsers()
        let way = ShortWay(try EmbeddedConnection(board: board).service)
        let bytes = Array(String(repeating: Self.plain, count: 20).utf8) + Array("GET /v1".utf8)
        var answers = ByteBuffer()
        let taken = bytes.withUnsafeBytes { way.answer($0, from: .root, at: .newYear, into: &answers) }
        #expect(taken == bytes.count - 7)
        #expect(String(buffer: answers).ranges(of: "HTTP/1.1 200 OK").count == 20)
    }
}
