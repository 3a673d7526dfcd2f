// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Foundation
import Logging
import NIOCore
import NIOPosix
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// Connections on real sockets, whose loop the test itself turns.
@Suite struct ShortConnectionsTests {
    private static let plain = "GET /v1/users/42/token HTTP/1.1\r\nHost: localhost\r\n\r\n"

    @Test func aRequestIsAnsweredAndTheConnectionStays() throws {
        try LoopFixture.with { fixture in
            let client = try fixture.connect()
            for _ in 1...3 {
                try client.send(Self.plain)
                fixture.turn(client)
                #expect(try RawReply(client.received()).status == 200)
            }
            #expect(fixture.registry.count == 1)
            #expect(fixture.registry.onGeneralWay == 0)
        }
    }

    @Test func anAnswerThatItsCallerDidNotTakeGoesToNobodyElse() throws {
        try LoopFixture.with { fixture in
            let gone = try fixture.connect()
            try gone.send(String(repeating: Self.plain, count: 3))
            gone.end()
            fixture.turn(gone)
            let next = try fixture.connect()
            try next.send(EmbeddedConnection.request("GET", "/v1/users/7/token", ["Accept: */*"]))
            fixture.board.publish(.living(.seconds(700), text: "seven"), for: UserID("7"))
            fixture.turn(next)
            let text = try next.received()
            #expect(text.ranges(of: "HTTP/1.1 200 OK").count == 1)
            #expect(try RawReply(text)[json: "access_token"] == "seven")
            #expect(fixture.registry.count == 1, "the one that has gone is not counted")
        }
    }

    @Test func whatTheShortWayCannotAnswerIsAnsweredAllTheSame() throws {
        try LoopFixture.with { fixture in
            let client = try fixture.connect()
            try client.send(Self.plain + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + Self.plain)
            fixture.turn(client)
            let text = try client.received(until: { $0.ranges(of: "HTTP/1.1 200 OK").count == 3 })
            let tokens = text.ranges(of: "access_token")
            let alive = try #require(text.firstRange(of: "alive"))
            #expect(tokens.count == 2)
            #expect(tokens[0].upperBound < alive.lowerBound && alive.upperBound < tokens[1].lowerBound)
            #expect(fixture.registry.onGeneralWay == 1)
        }
    }

    @Test func whoAsksForMuchAtOnceIsAnsweredInTurnsAndOthersInBetween() throws {
        try LoopFixture.with { fixture in
            let (greedy, modest) = (try fixture.connect(), try fixture.connect())
            let count = 200
            try greedy.send(String(repeating: Self.plain, count: count))
            try modest.send(Self.plain)
            fixture.turn(greedy)
            fixture.turn(modest)
            let first = try greedy.received().ranges(of: "HTTP/1.1 200 OK").count
            #expect(first > 0 && first <= ShortRequest.maximumLength / Self.plain.utf8.count + 1)
            #expect(try RawReply(modest.received()).status == 200)
            var all = first
            for _ in 1...count / first {
                fixture.turn(greedy)
                all += try greedy.received().ranges(of: "HTTP/1.1 200 OK").count
            }
            #expect(all == count)
            #expect(fixture.registry.onGeneralWay == 0, "nor was he sent away for it")
        }
    }

    /// The second request's bytes in the first portion: none, some, or all of them.
    @Test(arguments: 0...plain.utf8.count)
    func aRequestIsAnsweredWhereverItsPortionEnds(inside: Int) throws {
        try LoopFixture.with { fixture in
            let client = try fixture.connect()
            try client.send(Self.plain(length: ShortRequest.maximumLength - inside) + Self.plain + Self.plain)
            fixture.turn(client)
            let answered = try client.received().ranges(of: "HTTP/1.1 200 OK").count
            #expect(answered == (inside == 0 ? 1 : 2), "and nothing behind it was read")
            fixture.turn(client)
            #expect(try client.received().ranges(of: "HTTP/1.1 200 OK").count == 3 - answered)
            #expect(fixture.registry.onGeneralWay == 0)
        }
    }

    @Test(arguments: ["GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /v1/users/42/token HTTP/1.1\r\nHost: y\r\n\r\n"])
    func aRequestWhosePortionEndsBeforeItDoesIsNotLost(last: String) throws {
        try LoopFixture.with { fixture in
            let client = try fixture.connect()
            // What comes after is sent only when the portion was looked at: it is not known then where the request ends.
            try client.send(Self.plain(length: ShortRequest.maximumLength - 20) + last.prefix(20))
            fixture.turn(client)
            try client.send(String(last.dropFirst(20)))
            let text = try client.received(until: { $0.ranges(of: "HTTP/1.1 200 OK").count == 2 })
            #expect(text.ranges(of: "HTTP/1.1 200 OK").count == 2)
        }
    }

    /// A plain request of so many bytes.
    private static func plain(length: Int) -> String {
        let head = "GET /v1/users/42/token HTTP/1.1\r\nHost: localhost\r\nUser-Agent: "
        return "\(head)\(String(repeating: "x", count: length - head.utf8.count - 4))\r\n\r\n"
    }

    @Test func answersForWhichThereIsNoRoomAreSentOnceThereIs() throws {
        try LoopFixture.with { fixture in
            fixture.board.publish(.living(.seconds(600), text: String(repeating: "x", count: 8000)), for: UserID("42"))
            let client = try fixture.connect()
            let count = 100
            try client.send(String(repeating: Self.plain, count: count))
            fixture.turn(client)
            let text = try client.received(until: { $0.ranges(of: "}").count == count })
            #expect(text.ranges(of: "HTTP/1.1 200 OK").count == count)
        }
    }

    @Test func noMoreIsAnsweredAheadThanABurst() throws {
        let board = BoardDouble()
        board.publish(.living(.seconds(600), text: String(repeating: "x", count: 8000)), for: UserID("42"))
        let way = ShortWay(try EmbeddedConnection(board: board).service)
        let requests = Array(String(repeating: Self.plain, count: 300).utf8)
        var answers = ByteBuffer()
        let taken = requests.withUnsafeBytes { way.answer($0, from: .root, at: .newYear, into: &answers) }
        #expect(answers.readableBytes < ShortWay.burst + 9000)
        #expect(taken > 0 && taken < requests.count && taken % Self.plain.utf8.count == 0)
    }

    @Test func aSilentConnectionIsClosedAfterOneToTwoIdleTimes() throws {
        try LoopFixture.with { fixture in
            let (silent, busy) = (try fixture.connect(), try fixture.connect())
            fixture.endIdle()
            #expect(fixture.registry.count == 2)
            try busy.send(Self.plain)
            fixture.turn(busy)
            fixture.endIdle()
            #expect(fixture.registry.count == 1)
            #expect(try silent.received() == "")
            #expect(try RawReply(busy.received()).status == 200)
        }
    }

    @Test func whatCameInTheTurnInWhichTheIdleTimeEndedIsAnswered() throws {
        try LoopFixture.with { fixture in
            let client = try fixture.connect()
            fixture.endIdle()
            try client.send(Self.plain)
            fixture.endIdle()
            #expect(try RawReply(client.received()).status == 200)
            #expect(fixture.registry.count == 1)
        }
    }

    @Test func moreThanOneReadHoldsIsAnsweredAtAStopToo() throws {
        try LoopFixture.with { fixture in
            let client = try fixture.connect()
            let count = 2 * ShortConnections.room / Self.plain.utf8.count
            try client.send(String(repeating: Self.plain, count: count))
            fixture.endAll()
            #expect(fixture.registry.count == 0)
            let text = try client.received(until: { $0.ranges(of: "}").count == count })
            #expect(text.ranges(of: "HTTP/1.1 200 OK").count == count)
            #expect(client.hasEnded, "and not been reset")
        }
    }

    @Test func aConnectionThatCannotBeWatchedIsClosedAndForgotten() throws {
        try LoopFixture.with { fixture in
            // epoll(7) takes no regular files, which stands here for a kernel that has no room.
            let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
            try fixture.take(descriptor)
            #expect(fixture.registry.count == 0)
            #expect(fcntl(descriptor, F_GETFD) == -1)
        }
    }

    @Test func whatHadArrivedBeforeAStopIsAnswered() throws {
        try LoopFixture.with { fixture in
            let client = try fixture.connect()
            try client.send(Self.plain)
            fixture.endAll()
            #expect(try RawReply(client.received()).status == 200)
            #expect(fixture.registry.count == 0)
        }
    }

    @Test func aConnectionThatEndsIsForgotten() throws {
        try LoopFixture.with { fixture in
            let client = try fixture.connect()
            client.end()
            fixture.turn(client)
            #expect(fixture.registry.count == 0)
        }
    }
}

/// Connections without a thread of their own.
private final class LoopFixture {
    let board = BoardDouble()
    let registry: ConnectionRegistry
    var connections: ShortConnections
    private let poller: Poller
    private let inbox: LoopInbox
    private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: ShortConnections.room, alignment: 1)
    private var clients: [PairedClient] = []

    private init() throws {
        board.publish(.living(.seconds(600)), for: UserID("42"))
        let service = try EmbeddedConnection(board: board).service
        registry = ConnectionRegistry(service.limits)
        poller = try Poller(for: "test")
        inbox = try LoopInbox(for: "test")
        let general = GeneralWay(
            group: MultiThreadedEventLoopGroup.singleton,
            service: service,
            registry: registry,
            inbox: inbox
        )
        connections = ShortConnections(service, registry, general, poller)
    }

    static func with(_ body: (LoopFixture) throws -> Void) throws {
        let fixture = try LoopFixture()
        defer { fixture.end() }
        try body(fixture)
    }

    func connect() throws -> PairedClient {
        let client = try PairedClient()
        clients.append(client)
        try take(client.serverEnd)
        return client
    }

    func take(_ descriptor: Int32) throws {
        guard case .admitted(let connection) = registry.admit(.root) else { throw PairedClient.Failure() }
        connections.take(connection, descriptor: descriptor)
    }

    /// One turn of the loop in which something can be read of that connection.
    func turn(_ client: PairedClient) {
        connections.serve(client.serverEnd, using: room)
        connections.endTurn()
    }

    func endIdle() {
        connections.endIdle(using: room)
    }

    func endAll() {
        connections.endAll(using: room)
    }

    private func end() {
        endAll()
        for client in clients { client.end() }
        _ = inbox.end()
        poller.end()
        room.deallocate()
    }
}

/// One end of a connection, the other of which the loop has. Every wait ends after ten seconds.
private final class PairedClient {
    struct Failure: Error {}

    let serverEnd: Int32
    private var descriptor: Int32

    init() throws {
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, UnixAddress.streamType, 0, &pair) == 0 else { throw Failure() }
        (descriptor, serverEnd) = (pair[0], pair[1])
    }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Failure()
        }
    }

    /// What is there now.
    func received() throws -> String {
        try received(until: { _ in true })
    }

    /// What is there once it is enough.
    func received(until isEnough: (String) -> Bool) throws -> String {
        var text = ""
        var bytes = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count > 0 {
                text += String(decoding: bytes.prefix(count), as: UTF8.self)
            } else if count == 0 || isEnough(text) {
                return text
            } else {
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, 10_000) == 1 else { throw Failure() }
            }
        }
    }

    /// Whether the other end has closed in an orderly manner, and nothing is left to read.
    var hasEnded: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) == 0
    }

    func end() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }
}
