// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL

/// One connection: puts each request together, asks the service, and carries out what it says. Requests come one at a
/// time; the pipeline holds the next one back.
final class ExchangeHandler: ChannelInboundHandler {
    /// What the HTTP decoder gives.
    typealias InboundIn = HTTPServerRequestPart
    /// What the HTTP encoder takes.
    typealias OutboundOut = HTTPServerResponsePart

    /// The longest body that is read, in bytes.
    static let bodyLimit = 65_536
    /// How many bytes of a body go out at once, and in one chunk.
    private static let pieceSize = 65_536

    /// An answer that is on its way.
    private struct Pending {
        let delivery: Delivery
        let keepsAlive: Bool
        let number: UInt64
        var timer: Scheduled<Void>?
        /// What a slow reply has still to send.
        var rest = ByteBuffer()
    }

    private let service: SimulatorService
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    private var isTooLarge = false
    private var pending: Pending?
    private var lastNumber: UInt64 = 0

    /// Takes who decides.
    init(service: SimulatorService) {
        self.service = service
    }

    /// Takes in the next part of a request.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
            isTooLarge = false
        case .body(let part):
            isTooLarge = isTooLarge || body.readableBytes + part.readableBytes > Self.bodyLimit
            if !isTooLarge { body.writeImmutableBuffer(part) }
        case .end:
            answer(context: context)
        }
    }

    /// The caller is gone: nobody waits for the answer any more.
    func channelInactive(context: ChannelHandlerContext) {
        if let pending = takePending() { service.end(pending.delivery.ticket) }
        context.fireChannelInactive()
    }

    /// Ends a connection on which nothing was asked or sent for the whole idle time. A held answer may wait for as long as
    /// it is held.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent, pending == nil {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Ends a connection that broke: TLS, HTTP, or the socket.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(context: ChannelHandlerContext) {
        guard let head else { return }
        self.head = nil
        let request = SimulatedRequest(head: head, body: Array(body.readableBytesView))
        let delivery = service.answer(request, isTooLarge: isTooLarge)
        lastNumber += 1
        pending = Pending(
            delivery: delivery,
            keepsAlive: head.isKeepAlive && !isTooLarge,
            number: lastNumber
        )
        schedule(delivery, number: lastNumber, context: context)
    }

    private func schedule(_ delivery: Delivery, number: UInt64, context: ChannelHandlerContext) {
        let loop = context.eventLoop
        if let release = delivery.heldAfter {
            let bound = NIOLoopBound((self, context), eventLoop: loop)
            service.hold(after: release) {
                loop.execute { bound.value.0.deliver(number, context: bound.value.1) }
            }
        } else if let delay = delivery.delay {
            pending?.timer = loop.assumeIsolated().scheduleTask(in: .nanoseconds(delay.nanoseconds)) {
                self.deliver(number, context: context)
            }
        } else {
            deliver(number, context: context)
        }
    }

    /// Sends an answer, unless its connection ended in the meantime. One that is slow, or never comes, stays pending.
    private func deliver(_ number: UInt64, context: ChannelHandlerContext) {
        guard let waiting = pending, waiting.number == number else { return }
        switch (waiting.delivery.action, waiting.delivery.manner) {
        case (.silence, _): return
        case (.reply(let reply), .drip(let bytes, let pause)):
            pending?.rest = ByteBuffer(bytes: reply.wire)
            return drip(bytes, every: pause, number, context: context)
        default: break
        }
        // Counted first: whoever has the reply may look at the counts at once.
        guard let pending = takePending() else { return }
        service.end(pending.delivery.ticket)
        switch pending.delivery.action {
        case .reply(let reply) where pending.delivery.manner == .whole:
            send(reply, keepsAlive: pending.keepsAlive, context: context)
        case .reply(let reply):
            sendRaw(ByteBuffer(bytes: reply.wire(cut: pending.delivery.manner)), closes: true, context: context)
        case .reset: context.channel.abort()
        case .raw(let bytes, let closes): sendRaw(ByteBuffer(bytes: bytes), closes: closes, context: context)
        case .silence: break
        }
    }

    /// Sends the next bytes of a slow reply after a pause, and ends the connection after the last.
    private func drip(_ bytes: Int, every pause: Duration, _ number: UInt64, context: ChannelHandlerContext) {
        pending?.timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(pause.nanoseconds)) {
            guard self.pending?.number == number, let rest = self.pending?.rest.readableBytes,
                let piece = self.pending?.rest.readSlice(length: min(bytes, rest))
            else { return }
            let isLast = rest <= bytes
            if isLast, let delivery = self.takePending()?.delivery { self.service.end(delivery.ticket) }
            self.sendRaw(piece, closes: isLast, context: context)
            if !isLast { self.drip(bytes, every: pause, number, context: context) }
        }
    }

    private func takePending() -> Pending? {
        defer { pending = nil }
        pending?.timer?.cancel()
        return pending
    }
}

extension ExchangeHandler {
    private func send(_ reply: SimulatedReply, keepsAlive: Bool, context: ChannelHandlerContext) {
        var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: reply.status))
        for field in reply.fields { head.headers.add(name: field.name, value: field.value) }
        // Without a length the encoder sends chunks.
        if reply.hasBody, !reply.isChunked {
            head.headers.add(name: "Content-Length", value: String(reply.body.count))
        }
        if !keepsAlive { head.headers.add(name: "Connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        let buffer = ByteBuffer(bytes: reply.body)
        for start in stride(from: 0, to: buffer.readableBytes, by: Self.pieceSize) {
            let length = min(Self.pieceSize, buffer.readableBytes - start)
            guard let piece = buffer.getSlice(at: start, length: length) else { break }
            context.write(wrapOutboundOut(.body(.byteBuffer(piece))), promise: nil)
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        if !keepsAlive {
            sent.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
    }

    /// Writes beneath the HTTP encoder, but above TLS.
    private func sendRaw(_ bytes: ByteBuffer, closes: Bool, context: ChannelHandlerContext) {
        let encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        guard let encoder else { return context.channel.abort() }
        let sent = context.eventLoop.makePromise(of: Void.self)
        if closes {
            sent.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
        encoder.writeAndFlush(NIOAny(bytes), promise: sent)
    }
}

extension Channel {
    /// Ends the connection with RST: what was sent and not yet acknowledged is lost, as when a server dies. To be called
    /// on the channel's loop.
    func abort() {
        // TLS would say goodbye first, so the close goes in beneath it.
        let tls = try? pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self)
        guard let socket = self as? any SocketOptionProvider else { return close(promise: nil) }
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in
            if let tls { tls.close(promise: nil) } else { self.close(promise: nil) }
        }
    }
}
