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

    /// An answer that is on its way.
    private struct Pending {
        let delivery: Delivery
        let keepsAlive: Bool
        let number: UInt64
        var timer: Scheduled<Void>?
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

    /// Sends an answer, unless its connection ended in the meantime.
    private func deliver(_ number: UInt64, context: ChannelHandlerContext) {
        guard pending?.number == number, let pending = takePending() else { return }
        // Counted first: whoever has the reply may look at the counts at once.
        service.end(pending.delivery.ticket)
        switch pending.delivery.action {
        case .reply(let reply): send(reply, keepsAlive: pending.keepsAlive, context: context)
        case .reset: context.channel.abort()
        case .raw(let bytes, let closes): sendRaw(bytes, closes: closes, context: context)
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
        if reply.status != 204 { head.headers.add(name: "Content-Length", value: String(reply.body.count)) }
        if !keepsAlive { head.headers.add(name: "Connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !reply.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: reply.body)))), promise: nil)
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        if !keepsAlive {
            sent.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
    }

    /// Writes beneath the HTTP encoder, but above TLS.
    private func sendRaw(_ bytes: [UInt8], closes: Bool, context: ChannelHandlerContext) {
        let encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        guard let encoder else { return context.channel.abort() }
        let sent = context.eventLoop.makePromise(of: Void.self)
        if closes {
            sent.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
        encoder.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: sent)
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
