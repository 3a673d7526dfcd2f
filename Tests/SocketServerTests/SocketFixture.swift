// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Logging
import MetricsText
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// A server at a socket of its own, in a folder of its own; both are gone when the body is done.
struct SocketFixture {
    let board: BoardDouble
    let enrolling: EnrollingDouble
    let authorizing: AuthorizingDouble
    let diagnosing: DiagnosingDouble
    let server: SocketServer
    let folder: String
    var path: String { folder + "/api.sock" }

    /// Runs the body against a server that is started unless said otherwise.
    static func with(
        limits: SocketLimits = SocketLimits(),
        isStarted: Bool = true,
        mode: UInt32 = 0o600,
        access: AccessRules? = nil,
        pages: LinkingDouble? = nil,
        metrics text: (@Sendable () async -> String)? = nil,
        logger: Logger = quiet,
        _ body: (SocketFixture) async throws -> Void
    ) async throws {
        let folder = try temporaryFolder()
        let (board, enrolling) = (BoardDouble(), EnrollingDouble())
        let (authorizing, diagnosing) = (AuthorizingDouble(), DiagnosingDouble())
        let fixture = SocketFixture(
            board: board,
            enrolling: enrolling,
            authorizing: authorizing,
            diagnosing: diagnosing,
            server: server(
                board,
                limits,
                enrolling: enrolling,
                authorizing: authorizing,
                diagnosing: diagnosing,
                access: access,
                pages: pages,
                metrics: text,
                logger: logger
            ),
            folder: folder
        )
        let result: Result<Void, any Error>
        do {
            if isStarted { try await fixture.server.start(at: .path(fixture.path, mode: mode, group: nil)) }
            result = .success(try await body(fixture))
        } catch {
            result = .failure(error)
        }
        await fixture.server.stop(within: .zero)
        try FileManager.default.removeItem(atPath: folder)
        #expect(board.violations == [])
        try result.get()
    }

    /// A server that counts, and tells what it counted unless it is given another text of metrics.
    static func server(
        _ board: BoardDouble,
        _ limits: SocketLimits = SocketLimits(),
        enrolling: EnrollingDouble? = nil,
        authorizing: AuthorizingDouble? = nil,
        diagnosing: DiagnosingDouble? = nil,
        access: AccessRules? = nil,
        pages: LinkingDouble? = nil,
        metrics text: (@Sendable () async -> String)? = nil,
        logger: Logger = quiet
    ) -> SocketServer {
        let metrics = MetricRegistry(SocketMetrics.descriptions)
        return SocketServer(
            serving: board,
            enrolling: enrolling,
            authorizing: authorizing,
            pages: pages,
            diagnosing: diagnosing,
            clock: { .newYear },
            access: access ?? AccessRules(ownUser: geteuid()),
            facts: .standIn,
            limits: limits,
            logger: logger,
            metrics: SocketMetrics(metrics, text: text ?? { metrics.text })
        )
    }

    /// Says nothing.
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func temporaryFolder() throws -> String {
        let folder = try makeTemporaryFolder(for: "socket")
        // Whether another user gets in is up to the socket's own mode.
        chmod(folder, 0o755)
        return folder
    }

    /// Publishes a token that lives for ten minutes.
    func publish(_ user: String = "42", text: String = "token") {
        board.publish(.living(.seconds(600), text: text), for: UserID(user))
    }

    func connect() async throws -> RawClient {
        try await RawClient(path)
    }
}

/// A client that says exactly what it is told to. Every wait ends after ten seconds.
final class RawClient: Sendable {
    private let channel: any Channel
    private let inbox = Inbox()

    init(_ path: String) async throws {
        let inbox = inbox
        self.channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(InboxHandler(inbox))
                }
            }
            .connect(unixDomainSocketPath: path).get()
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text))
    }

    func endOutput() async throws {
        try await channel.close(mode: .output)
    }

    func close() async throws {
        try await channel.close()
    }

    /// `GET` with the header fields that every client sends, and its reply.
    func get(_ target: String, _ fields: String...) async throws -> RawReply {
        try await send(EmbeddedConnection.request("GET", target, fields))
        return try await reply()
    }

    /// A request with a body, and its reply.
    func send(_ method: String, _ target: String, body: String) async throws -> RawReply {
        let fields = ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"]
        try await send(EmbeddedConnection.request(method, target, fields) + body)
        return try await reply()
    }

    /// The next reply whose body is whole.
    func reply() async throws -> RawReply {
        let text = try await inbox.take(within: channel.eventLoop) { text, _ in
            guard let head = text.firstRange(of: "\r\n\r\n") else { return nil }
            let length =
                text[..<head.lowerBound].firstRange(of: "Content-Length: ")
                .flatMap { Int(text[$0.upperBound...].prefix(while: \.isNumber)) } ?? 0
            let end = text.utf8.index(head.upperBound, offsetBy: length, limitedBy: text.endIndex)
            return end.map { String(text[..<$0]) }
        }
        return try RawReply(text)
    }

    /// Everything up to the server's end.
    func rest() async throws -> String {
        try await inbox.take(within: channel.eventLoop) { text, ended in ended ? text : nil }
    }
}

/// What has arrived, and who waits for more.
private final class Inbox: Sendable {
    struct TooLate: Error {}

    private struct State {
        var text = ""
        var hasEnded = false
        var waiter: (wants: @Sendable (String, Bool) -> String?, promise: EventLoopPromise<String>)?
    }

    private let state = Mutex(State())

    func take(
        within eventLoop: any EventLoop,
        _ wants: @escaping @Sendable (String, Bool) -> String?
    ) async throws -> String {
        let promise = eventLoop.makePromise(of: String.self)
        state.withLock { $0.waiter = (wants, promise) }
        settle()
        let deadline = eventLoop.scheduleTask(in: .seconds(10)) { promise.fail(TooLate()) }
        defer { deadline.cancel() }
        return try await promise.futureResult.get()
    }

    func add(_ text: String) {
        state.withLock { $0.text += text }
        settle()
    }

    func end() {
        state.withLock { $0.hasEnded = true }
        settle()
    }

    private func settle() {
        let done = state.withLock { state -> (EventLoopPromise<String>, String)? in
            guard let waiter = state.waiter, let text = waiter.wants(state.text, state.hasEnded) else { return nil }
            state.waiter = nil
            state.text = String(state.text.dropFirst(text.count))
            return (waiter.promise, text)
        }
        done?.0.succeed(done?.1 ?? "")
    }
}

private final class InboxHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let inbox: Inbox

    init(_ inbox: Inbox) {
        self.inbox = inbox
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        inbox.add(String(buffer: unwrapInboundIn(data)))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { inbox.end() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        inbox.end()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
