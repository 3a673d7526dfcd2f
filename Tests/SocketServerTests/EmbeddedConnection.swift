// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import MetricsText
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
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

extension TokenAudit {
    /// For who does not look at records.
    static var silent: TokenAudit { TokenAudit(AuditSettings(isOn: false)) { _ in } }
}

extension ServiceFacts {
    static let standIn = ServiceFacts(version: "1.2.3", startedAt: Moment.newYear.wall) {
        Database(trouble: nil, changes: "changes by notification")
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
        access: AccessRules = AccessRules(ownUser: 1000),
        limits: SocketLimits = SocketLimits(),
        usesShortWay: Bool = true,
        audit: TokenAudit = .silent,
        received: ByteBuffer = ByteBuffer(),
        unsent: ByteBuffer = ByteBuffer(),
        giveBack: @escaping (any Channel) -> Bool = { _ in false }
    ) throws {
        self.board = board
        self.clock = clock
        service = Self.service(board, access, clock, limits, metrics, audit: audit, usesShortWay: usesShortWay)
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

    /// What connections work with; enough for the short way, which has no channel.
    static func service(
        _ board: BoardDouble,
        _ access: AccessRules,
        _ clock: StandingClock = StandingClock(),
        _ limits: SocketLimits = SocketLimits(),
        _ metrics: MetricRegistry = MetricRegistry(SocketMetrics.descriptions),
        audit: TokenAudit = .silent,
        usesShortWay: Bool = true
    ) -> SocketService {
        SocketService(
            serving: board,
            enrolling: nil,
            authorizing: nil,
            pages: nil,
            clock: { clock.now },
            access: AccessInForce(access),
            limits: limits,
            facts: .standIn,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            metrics: SocketMetrics(metrics) { [metrics] in metrics.text },
            audit: audit,
            usesShortWay: usesShortWay
        )
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

    static func request(_ method: String, _ target: String, _ fields: [String]) -> String {
        (["\(method) \(target) HTTP/1.1", "Host: localhost"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
    }
}
