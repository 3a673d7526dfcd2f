// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// `GET /v1/events`, on a loop whose time and bytes the test drives.
@Suite struct EventStreamTests {
    private static let ofOne = AccessRules(
        ownUser: 1000,
        [AccessRules.Rule(.user(Caller.stranger.user), for: .some([UserID("1")]), [.status])]
    )

    private func event(_ user: String, _ kind: AccountEvent.Kind = .refreshFailed) -> AccountEvent {
        AccountEvent(
            kind,
            of: UserID(user),
            at: Moment.newYear.wall,
            status: .degraded,
            expiresAt: Moment.newYear.wall + .seconds(60),
            failure: .throttled
        )
    }

    private func open(_ connection: EmbeddedConnection, _ fields: String...) throws -> String {
        try connection.send(EmbeddedConnection.request("GET", "/v1/events", fields))
        return try connection.received()
    }

    /// The stream's own text, its chunks put together; what is no chunk fails.
    private func text(_ chunks: String) throws -> String {
        var (text, rest) = ("", chunks[...])
        while !rest.isEmpty {
            let line = try #require(rest.firstRange(of: "\r\n"))
            let length = try #require(Int(rest[..<line.lowerBound], radix: 16))
            let end = rest.utf8.index(line.upperBound, offsetBy: length)
            text += rest[line.upperBound..<end]
            #expect(rest[end...].hasPrefix("\r\n"))
            rest = rest[end...].dropFirst(1)
        }
        return text
    }

    /// What is told once the stream has rested.
    private func next(_ connection: EmbeddedConnection) throws -> String {
        connection.loop.advanceTime(by: .milliseconds(50))
        return try text(connection.received())
    }

    @Test func aStreamBeginsNowAndTellsWhatHappensToTheLetter() throws {
        let connection = try EmbeddedConnection()
        connection.board.tell(event("before"))
        let head = try RawReply(open(connection))
        #expect(head.status == 200)
        #expect(head.fields["content-type"] == "text/event-stream" && head.fields["cache-control"] == "no-store")
        #expect(head.fields["transfer-encoding"] == "chunked" && head.fields["content-length"] == nil)
        #expect(try text(head.body) == "retry: 1000\nid: 1-1\n\n")
        connection.board.tell(event("4\n2"))
        #expect(
            try next(connection) == "event: refresh.failed\nid: 1-2\n"
                + #"data: {"user":"4\u000a2","at":"2026-01-01T00:00:00Z","status":"degraded","#
                + #""expires_at":"2026-01-01T00:01:00Z","error":"throttled"}"# + "\n\n"
        )
        #expect(try next(connection) == "", "nothing more has happened")
    }

    @Test func whoComesBackGoesOnWhereHeWas() throws {
        let connection = try EmbeddedConnection()
        for user in 1...3 { connection.board.tell(event("\(user)")) }
        let text = try text(RawReply(open(connection, "Last-Event-ID: 1-1 \t")).body)
        #expect(text.hasPrefix("retry: 1000\n\nevent: refresh.failed\nid: 1-2\n"))
        #expect(text.contains("\"3\"") && !text.contains("\"1\"") && !text.contains("events.missed"))
    }

    @Test(arguments: ["", "x", "1", "1-", "-1", "0-0", "9-1", "1-99", "1-1-1", "1--1", "1-99999999999999999999", "1-1"])
    func whoCannotBeGivenAllIsToldSo(place: String) throws {
        let connection = try EmbeddedConnection()
        // Eight are kept.
        for user in 1...11 { connection.board.tell(event("\(user)")) }
        let text = try text(RawReply(open(connection, "Last-Event-ID: \(place)")).body)
        #expect(
            text.hasPrefix("retry: 1000\n\nevent: events.missed\nid: 1-3\ndata: {}\n\nevent: refresh.failed\nid: 1-4\n")
        )
        #expect(text.hasSuffix("}\n\n") && text.contains("id: 1-11\n"))
    }

    @Test func onlyThoseAreToldOfWhomTheCallerMaySee() throws {
        let connection = try EmbeddedConnection(caller: .stranger)
        #expect(try RawReply(open(connection)).status == 403)
        connection.service.access.replace(with: Self.ofOne)
        #expect(try RawReply(open(connection)).status == 200)
        for user in ["2", "1", "3"] { connection.board.tell(event(user)) }
        let text = try next(connection)
        #expect(text.contains("\"user\":\"1\"") && text.contains("id: 1-2\n"))
        #expect(!text.contains("\"2\"") && !text.contains("\"3\""))
    }

    @Test func aRightThatIsTakenAwayEndsTheStream() throws {
        let connection = try EmbeddedConnection(caller: .stranger)
        connection.service.access.replace(with: Self.ofOne)
        _ = try open(connection)
        connection.service.access.replace(with: AccessRules(ownUser: 1000))
        connection.board.tell(event("1"))
        connection.loop.advanceTime(by: .milliseconds(50))
        #expect(try connection.received() == "0\r\n\r\n")
        #expect(!connection.channel.isActive)
        #expect(connection.board.snapshot.followers == 0)
    }

    @Test func silenceIsBrokenAndShowsTheRightToBeGone() throws {
        let connection = try EmbeddedConnection(caller: .stranger)
        connection.service.access.replace(with: Self.ofOne)
        _ = try open(connection)
        connection.board.tell(event("2"))
        connection.loop.advanceTime(by: .seconds(15))
        #expect(try text(connection.received()) == ":\nid: 1-1\n\n", "who comes back need not look at it again")
        connection.service.access.replace(with: AccessRules(ownUser: 1000))
        connection.loop.advanceTime(by: .seconds(15))
        #expect(try connection.received() == "0\r\n\r\n")
    }

    @Test func whoDoesNotReadIsGivenNoMoreAndMissesWhatIsNotKept() throws {
        let connection = try EmbeddedConnection()
        _ = try open(connection)
        connection.channel.isWritable = false
        connection.channel.pipeline.fireChannelWritabilityChanged()
        for user in 1...20 { connection.board.tell(event("\(user)")) }
        #expect(try next(connection) == "")
        #expect(connection.board.snapshot.followers == 0)
        connection.channel.isWritable = true
        connection.channel.pipeline.fireChannelWritabilityChanged()
        let text = try next(connection)
        #expect(text.hasPrefix("event: events.missed\nid: 1-12\ndata: {}\n\n"))
        #expect(text.contains("id: 1-20\n"))
        connection.loop.advanceTime(by: .milliseconds(50))
        #expect(connection.board.snapshot.followers == 1)
        connection.board.tell(event("21"))
        #expect(try next(connection).contains("id: 1-21\n"))
    }

    @Test func aCallerWhoStaysSilentIsNotIdleWhileHeIsAnswered() throws {
        let connection = try EmbeddedConnection()
        _ = try open(connection)
        for _ in 1...40 { connection.loop.advanceTime(by: .seconds(15)) }
        #expect(connection.channel.isActive)
    }

    @Test func manyEventsAreToldAtOnceAfterARest() throws {
        let connection = try EmbeddedConnection()
        _ = try open(connection)
        for user in 1...3 { connection.board.tell(event("\(user)")) }
        connection.loop.advanceTime(by: .milliseconds(49))
        #expect(try connection.received() == "")
        connection.loop.advanceTime(by: .milliseconds(1))
        #expect(try text(connection.received()).ranges(of: "event: ").count == 3)
        connection.loop.advanceTime(by: .milliseconds(50))
        connection.board.tell(event("4"))
        connection.loop.run()
        #expect(try text(connection.received()).contains("id: 1-4\n"), "after a silence, at once")
    }

    @Test func aCallerWhoGoesIsForgotten() throws {
        let connection = try EmbeddedConnection()
        _ = try open(connection)
        connection.loop.advanceTime(by: .milliseconds(50))
        #expect(connection.board.snapshot.followers == 1)
        try connection.channel.close().wait()
        connection.loop.run()
        #expect(connection.board.snapshot.followers == 0)
        connection.board.tell(event("1"))
        connection.loop.advanceTime(by: .seconds(60))
        #expect(try connection.received() == "")
    }

    /// The kernel may say that the other end is gone when it is written to, so that the end comes out of the write.
    @Test(arguments: 1...3) func aCallerWhoIsFoundGoneByAWriteLeavesNothing(write: Int) throws {
        let connection = try EmbeddedConnection()
        weak var held: ClosingHandler?
        do {
            let handler = ClosingHandler(at: write)
            held = handler
            try connection.channel.pipeline.syncOperations.addHandler(handler, position: .first)
            connection.board.tell(event("1"))
            try connection.send(EmbeddedConnection.request("GET", "/v1/events", ["Last-Event-ID: 1-0"]))
        }
        #expect(!connection.channel.isActive)
        connection.loop.advanceTime(by: .seconds(60))
        #expect(connection.board.snapshot.followers == 0)
        #expect(held == nil, "no timer keeps the connection")
    }

    @Test func aStopEndsStreamsAtOnce() throws {
        let connection = try EmbeddedConnection()
        _ = try open(connection)
        connection.channel.pipeline.fireUserInboundEventTriggered(ServerStopping())
        connection.loop.run()
        #expect(try connection.received() == "0\r\n\r\n")
        #expect(!connection.channel.isActive)
    }

    @Test func anOldCallerGetsNoChunksAndTheConnectionsEnd() throws {
        let connection = try EmbeddedConnection()
        try connection.send("GET /v1/events HTTP/1.0\r\n\r\n")
        let head = try RawReply(connection.received())
        #expect(head.fields["transfer-encoding"] == nil && head.fields["connection"] == "close")
        #expect(head.body == "retry: 1000\nid: 1-0\n\n")
        connection.channel.pipeline.fireUserInboundEventTriggered(ServerStopping())
        connection.loop.run()
        #expect(try connection.received() == "")
        #expect(!connection.channel.isActive)
    }

    @Test(arguments: ["HEAD", "POST"])
    func theyTakeGETAlone(method: String) throws {
        let reply = try EmbeddedConnection().ask(EmbeddedConnection.request(method, "/v1/events", []))
        #expect(reply.status == 405 && reply.fields["allow"] == "GET")
    }

    @Test(arguments: [[], ["Expect: 100-continue", "Content-Length: 3"]])
    func whatIsAskedAfterAStreamIsNotAnswered(fields: [String]) throws {
        let connection = try EmbeddedConnection(usesShortWay: false)
        let stream = EmbeddedConnection.request("GET", "/v1/events", [])
        try connection.send(stream + EmbeddedConnection.request("GET", "/healthz", fields))
        #expect(try text(RawReply(connection.received()).body) == "retry: 1000\nid: 1-0\n\n")
        #expect(try next(connection) == "")
    }
}

/// Closes the channel out of one of the writes, as a socket does whose other end is gone.
private final class ClosingHandler: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let last: Int
    private var writes = 0

    init(at last: Int) {
        self.last = last
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        writes += 1
        if writes == last { context.close(promise: nil) }
        context.write(data, promise: promise)
    }
}
