// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// A clock that stands still until it is set.
final class StandingClock: Sendable {
    private let moment = Mutex(Moment.newYear)

    var now: Moment { moment.withLock { $0 } }

    func advance(by duration: Duration) {
        moment.withLock { $0 = $0 + duration }
    }
}

extension Caller {
    static let root = Caller(process: 1, user: 0, group: 0)
    static let stranger = Caller(process: 2, user: 4242, group: 4242)
}

extension ClientRegistration {
    static let sandbox = ClientRegistration(
        name: "default",
        environment: .sandbox,
        clientID: nil,
        clientSecret: Secret("s"),
        apiURL: "https://api.cert.tastyworks.com"
    )
}

extension PublishedToken {
    /// A token that lives for so long from new year on.
    static func living(
        _ lifetime: Duration,
        of total: Duration = .seconds(900),
        text: String = "eyJhbGciOiJFZERTQSJ9.e30.c2ln",
        user: String = "42"
    ) -> PublishedToken {
        TokenReplyRenderer().render(
            Secret(text),
            type: "Bearer",
            life: TokenLife(expiresAt: .newYear + lifetime, lifetime: total),
            of: UserID(user),
            for: .sandbox
        )
    }
}

/// One connection's pipeline on a loop whose time and bytes the test drives.
struct EmbeddedConnection {
    let board: BoardDouble
    let clock: StandingClock
    let channel = EmbeddedChannel()
    var loop: EmbeddedEventLoop { channel.embeddedEventLoop }

    init(
        board: BoardDouble = BoardDouble(),
        clock: StandingClock = StandingClock(),
        caller: Caller = .root,
        limits: SocketLimits = SocketLimits(),
        usesShortWay: Bool = true
    ) throws {
        self.board = board
        self.clock = clock
        let service = SocketService(
            serving: board,
            clock: { clock.now },
            access: ownerOnlyAccess(ownUser: 1000),
            limits: limits,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            usesShortWay: usesShortWay
        )
        let batch = FlushBatch(on: channel.embeddedEventLoop)
        let gate = ConnectionGate(caller: caller, service: service, batch: batch)
        try channel.pipeline.syncOperations.addHandler(gate)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    }

    /// Sends bytes, in pieces if so said.
    func send(_ text: String, splitAt positions: [Int] = []) throws {
        let bytes = Array(text.utf8)
        let cuts = [0] + positions.filter { $0 > 0 && $0 < bytes.count } + [bytes.count]
        for (start, end) in zip(cuts, cuts.dropFirst()) where channel.isActive {
            try channel.writeInbound(ByteBuffer(bytes: bytes[start..<end]))
        }
        loop.run()
    }

    /// Ends the caller's direction, as `shutdown(SHUT_WR)` does.
    func endInput() {
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        loop.run()
    }

    /// Everything that was answered since the last call.
    func received() throws -> String {
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        return text
    }

    /// Sends a request and gives its answer.
    func ask(_ request: String) throws -> RawReply {
        try send(request)
        return try RawReply(received())
    }

    /// `GET` with the header fields that every client sends.
    func get(_ target: String, _ fields: String...) throws -> RawReply {
        try ask(Self.request("GET", target, fields))
    }

    static func request(_ method: String, _ target: String, _ fields: [String]) -> String {
        (["\(method) \(target) HTTP/1.1", "Host: localhost"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
    }
}

/// A reply taken apart, to the letter.
struct RawReply: Equatable {
    let status: Int
    let fields: [String: String]
    let body: String

    init(_ text: String) throws {
        let head = try #require(text.firstRange(of: "\r\n\r\n"))
        let lines = text[..<head.lowerBound].split(separator: "\r\n")
        self.status = try #require(Int(lines[0].split(separator: " ")[1]))
        self.fields = Dictionary(
            lines.dropFirst().map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return (parts[0].lowercased(), parts[1].drop { $0 == " " }.description)
            },
            uniquingKeysWith: { $0 + ", " + $1 }
        )
        self.body = String(text[head.upperBound...])
    }

    /// The stable code of a problem.
    var code: String? {
        body.firstRange(of: "\"code\":\"").map { String(body[$0.upperBound...].prefix { $0 != "\"" }) }
    }

    /// A field of a flat JSON body, quotes and padding left out.
    subscript(json name: String) -> String? {
        body.firstRange(of: "\"\(name)\":").map { range in
            let rest = body[range.upperBound...].drop { $0 == " " || $0 == "\"" }
            return String(rest.prefix { $0 != "," && $0 != "\"" && $0 != "}" })
        }
    }
}
