// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// A reply of the token endpoint, whole and within its bound.
struct TokenReply: Sendable {
    /// The HTTP status.
    let status: Int
    /// The field `Retry-After`, as it was sent.
    var retryAfter: String?
    /// The field `Date`, as it was sent.
    var date: String?
    /// The body; empty where an error page was longer than the bound.
    let body: [UInt8]
}

extension TokenReply {
    /// Takes what matters from the head.
    fileprivate init(_ head: HTTPResponseHead, body: [UInt8]) {
        self.init(
            status: Int(head.status.code),
            retryAfter: head.headers.first(name: "Retry-After"),
            date: head.headers.first(name: "Date"),
            body: body
        )
    }
}

/// The reply was longer than the bound, and its connection was closed.
struct ReplyTooLong: Error {}

/// Collects one reply, and knows whether its request was sent.
///
/// AsyncHTTPClient gives a call with a delegate a handle by which it can be ended until the last byte of the reply has
/// come (``CallDeadline``); its async interface does not.
final class TokenExchange: HTTPClientResponseDelegate {
    /// What a call gives.
    typealias Response = TokenReply

    private struct State {
        var wasSent = false
        var head: HTTPResponseHead?
        var body = ByteBuffer()
    }

    private let replyLimit: Int
    private let hasBody: Bool
    private let state = Mutex(State())

    /// Takes the longest reply that is read, in bytes, and whether the request has a body, which says when it was sent
    /// (``markSent()``); else that is known by its head.
    init(replyLimit: Int, hasBody: Bool = true) {
        self.replyLimit = replyLimit
        self.hasBody = hasBody
    }

    /// Whether what holds the token, the body or else the head, was handed to a connection.
    var wasSent: Bool { state.withLock { $0.wasSent } }

    /// The reply without its body, as soon as its head came.
    var bareReply: TokenReply? {
        state.withLock { state in state.head.map { TokenReply($0, body: []) } }
    }

    /// What came of the body of a 2xx, before its end or its bound.
    var successSoFar: [UInt8]? {
        state.withLock { state in
            guard let head = state.head, (200..<300).contains(head.status.code) else { return nil }
            return Array(state.body.readableBytesView)
        }
    }

    /// Notes that the body is being handed to a connection.
    func markSent() {
        state.withLock { $0.wasSent = true }
    }

    /// Notes that a request without a body was handed to a connection.
    func didSendRequestHead(task: HTTPClient.Task<TokenReply>, _ head: HTTPRequestHead) {
        if !hasBody { markSent() }
    }

    /// Takes the head, and ends the call if it announces an error page beyond the bound. Of a success the beginning is read
    /// in any case: it may hold a new refresh token.
    func didReceiveHead(task: HTTPClient.Task<TokenReply>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        state.withLock { $0.head = head }
        let announced = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
        return announced > replyLimit && !(200..<300).contains(head.status.code)
            ? task.eventLoop.makeFailedFuture(ReplyTooLong()) : task.eventLoop.makeSucceededVoidFuture()
    }

    /// Takes a part of the body, as much of it as is within the bound, and ends the call if that is passed.
    func didReceiveBodyPart(task: HTTPClient.Task<TokenReply>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        let fits = state.withLock { state in
            let room = replyLimit - state.body.readableBytes
            state.body.writeBytes(part.readableBytesView.prefix(room))
            return part.readableBytes <= room
        }
        return fits ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(ReplyTooLong())
    }

    /// Gives the whole reply.
    func didFinishRequest(task: HTTPClient.Task<TokenReply>) throws -> TokenReply {
        try state.withLock { state in
            guard let head = state.head else { throw HTTPClientError.remoteConnectionClosed }
            return TokenReply(head, body: Array(state.body.readableBytesView))
        }
    }
}
