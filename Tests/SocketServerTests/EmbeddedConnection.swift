// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import MetricsText
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

extension ServiceFacts {
    static let standIn = ServiceFacts(version: "1.2.3", startedAt: Moment.newYear.wall) {
        Database(trouble: nil, changes: "changes by notification")
    }
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
        text: String = "eyJhbGciOiJFZERTQSJ9.e30.c2ln"
    ) -> PublishedToken {
        TokenReplyRenderer().render(
            Secret(text),
            type: "Bearer",
            life: TokenLife(expiresAt: .newYear + lifetime, lifetime: total),
            for: .sandbox
        )
    }
}

extension BoardDouble {
    /// A board with a user in each state that the answer depends on.
    static func withUsers() -> BoardDouble {
        let board = BoardDouble()
        board.publish(.living(.seconds(600)), for: UserID("42"))
        board.publish(.living(.seconds(700), text: "seven"), .refused, for: UserID("7"))
        board.publish(nil, .refused, for: UserID("dead"))
        board.publish(.living(.seconds(5)), .refused, for: UserID("short"))
        return board
    }
}

/// One connection on the general way, on a loop whose time and bytes the test drives.
struct EmbeddedConnection {
    let board: BoardDouble
    let clock: StandingClock
    let service: SocketService
    let metrics = MetricRegistry(SocketMetrics.descriptions)
    let channel = EmbeddedChannel()
    var loop: EmbeddedEventLoop { channel.embeddedEventLoop }

    init(
        board: BoardDouble = BoardDouble(),
        clock: StandingClock = StandingClock(),
        caller: Caller = .root,
        calling names: Set<String>? = nil,
        limits: SocketLimits = SocketLimits(),
        usesShortWay: Bool = true,
        received: ByteBuffer = ByteBuffer(),
        unsent: ByteBuffer = ByteBuffer(),
        giveBack: @escaping (any Channel) -> Bool = { _ in false }
    ) throws {
        self.board = board
        self.clock = clock
        service = SocketService(
            serving: board,
            clock: { clock.now },
            access: AccessInForce(AccessRules(ownUser: 1000)),
            limits: limits,
            facts: .standIn,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            metrics: SocketMetrics(metrics) { [metrics] in metrics.text },
            usesShortWay: usesShortWay
        )
        let gate = ConnectionGate(
            names.map { .anybody(calling: $0) } ?? .caller(caller),
            received: received,
            unsent: unsent,
            service: service,
            giveBack: giveBack
        )
        try channel.pipeline.syncOperations.addHandler(gate)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    }

    /// Sends bytes.
    func send(_ bytes: some Collection<UInt8>) throws {
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        loop.run()
    }

    /// Sends text.
    func send(_ text: String) throws {
        try send(text.utf8)
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
