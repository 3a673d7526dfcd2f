// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import TokenCore

/// Answers plain requests for tokens from memory: bytes in, bytes out, one write for all that came in one read.
///
/// Whatever needs more than copying a rendered reply (waiting, refusing, any other status) is left to the general way,
/// so that each such case is written in one place.
struct ShortWay {
    /// What became of the bytes at the head of the connection.
    enum Outcome {
        /// A request was taken and answered.
        case answered
        /// There is no whole request yet.
        case incomplete
        /// The bytes are beyond the grammar.
        case other
        /// They hold a request of that length which is not answered here.
        case request(length: Int)
    }

    /// A buffer no larger than this is kept for the next answer; one that a burst made larger is not.
    private static let keptBytes = 16 * 1024

    private let caller: Caller
    private let service: SocketService
    private var output = ByteBuffer()
    private var isStale = false
    private var now: Moment?

    /// The short way of one connection.
    init(caller: Caller, service: SocketService) {
        self.caller = caller
        self.service = service
    }

    /// Looks at the first request among the bytes and, if it can be answered at once, takes it from them.
    mutating func take(_ bytes: inout ByteBuffer, isStopping: Bool, _ context: ChannelHandlerContext) -> Outcome {
        switch bytes.withUnsafeReadableBytes(Self.recognise) {
        case .incomplete: return .incomplete
        case .other: return .other
        case .request(let length, nil): return .request(length: length)
        case .request(let length, let user?):
            guard !isStopping, let token = token(for: user) else { return .request(length: length) }
            bytes.moveReaderIndex(forwardBy: length)
            write(token, context)
            return .answered
        }
    }

    /// Whether there is something to send.
    var hasAnswers: Bool { output.readableBytes > 0 }

    /// Sends what was answered.
    mutating func flush(_ context: ChannelHandlerContext) {
        now = nil
        guard output.readableBytes > 0 else { return }
        context.writeAndFlush(NIOAny(output), promise: nil)
        isStale = true
        output.moveReaderIndex(to: output.writerIndex)
        if output.storageCapacity > Self.keptBytes { output = ByteBuffer() }
    }

    private enum Request {
        case incomplete
        case other
        case request(length: Int, user: UserID?)
    }

    private static func recognise(_ bytes: UnsafeRawBufferPointer) -> Request {
        switch ShortRequest.recognise(bytes) {
        case .incomplete: .incomplete
        case .other: .other
        case .request(let length, let id):
            .request(length: length, user: id.map { UserID(String(decoding: bytes[$0], as: UTF8.self)) })
        }
    }

    private mutating func token(for user: UserID) -> PublishedToken? {
        guard service.access(caller, .token, user), let entry = service.serving.entry(for: user) else { return nil }
        let now = now ?? service.clock()
        self.now = now
        let decision = HandOut.decide(entry, TokenDemand(), mayWait: true, mayWaitForNext: false, now: now)
        guard case .serve(let token, nil) = decision else { return nil }
        return token
    }

    private mutating func write(_ token: PublishedToken, _ context: ChannelHandlerContext) {
        if isStale {
            output.clear()
            isStale = false
        }
        let now = now ?? service.clock()
        output.reserveCapacity(minimumWritableBytes: token.reply.count)
        output.writeToken(token, secondsLeft: token.life.remaining(at: now).wholeSecondsDown)
        if output.readableBytes >= service.limits.unwrittenBytes { flush(context) }
    }
}
