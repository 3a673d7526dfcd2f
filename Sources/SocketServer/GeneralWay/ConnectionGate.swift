// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOHTTP1
import TokenCore

/// The first handler of every connection on the general way. It puts the decoder and what answers behind itself when they
/// are first needed, holds the limits of the connection, and sees when the connection can go back to the short way.
///
/// Bytes go to the decoder in two manners. A request that ``ShortRequest`` understands goes there alone, so that it is
/// known where the next one begins, and the connection may go back after its answer. Once something comes that is not
/// understood, it cannot be known where that ends, and the connection stays.
final class ConnectionGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Mode {
        /// Looking at requests here. Leads to `lending`, `passing` or `leaving`.
        case short
        /// One request is with the decoder. Leads back to `short` at its answer.
        case lending
        /// All bytes go to the decoder. Leads to `closing`.
        case passing
        /// Nothing is outstanding, and once all is written the connection goes back. Leads to `closing`, or to `short`.
        case leaving
        /// The last answer is being written, or the connection is gone.
        case closing
    }

    let asker: Asker
    let service: SocketService
    let giveBack: (any Channel) -> Bool
    var mode: Mode
    var held: ByteBuffer
    var unsent: ByteBuffer
    var general: ExchangeHandler?
    var context: ChannelHandlerContext?
    var deadlines: ConnectionDeadlines
    var isPumping = false
    var readIsHeld = false
    var inputEnded = false
    var endWasPassed = false
    var isStopping: Bool
    /// Requests in a row that the short way would have answered: whole when they came, and for nothing but a token.
    var plainInARow = 0

    /// Bytes given to the decoder at a time, so that it never turns more than this into waiting requests.
    static let slice = 2048
    /// Plain requests after which a connection goes back: enough that going to and fro costs little beside them.
    static let plainToGoBack = 16

    /// The gate of a new connection, or of one that came from the short way.
    ///
    /// - Parameters:
    ///   - asker: who is at its other end.
    ///   - received: what he sent and nobody has looked at yet.
    ///   - unsent: what he was answered and the kernel had no room for.
    ///   - service: what every connection works with.
    ///   - isStopping: whether the daemon is stopping already.
    ///   - giveBack: sends the connection back to the short way; false if it has to stay.
    init(
        _ asker: Asker,
        received: ByteBuffer = ByteBuffer(),
        unsent: ByteBuffer = ByteBuffer(),
        service: SocketService,
        isStopping: Bool = false,
        giveBack: @escaping (any Channel) -> Bool
    ) {
        self.asker = asker
        self.held = received
        self.unsent = unsent
        self.service = service
        self.isStopping = isStopping
        self.giveBack = giveBack
        self.mode = service.usesShortWay ? .short : .passing
        self.deadlines = ConnectionDeadlines(service.limits)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        armIdle(context)
        if unsent.readableBytes > 0 {
            context.writeAndFlush(wrapOutboundOut(unsent), promise: nil)
            unsent = ByteBuffer()
        }
        context.fireChannelActive()
        pump(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        mode = .closing
        deadlines.cancelAll()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        deadlines.wasActive = true
        guard mode != .closing else { return }
        if held.readableBytes == 0 {
            held = bytes
        } else {
            held.writeBuffer(&bytes)
        }
        pump(context)
    }

    func read(context: ChannelHandlerContext) {
        if wantsInput(context) {
            context.read()
        } else {
            readIsHeld = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            // A closing connection has its deadline for all that is left, not for the half of it.
            if mode != .closing { deadlines.write.cancel() }
            pump(context)
        } else {
            deadlines.write.arm(on: context)
        }
        context.fireChannelWritabilityChanged()
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event as? ExchangeEvent {
        case .answered:
            if mode == .lending { mode = .short }
            pump(context)
        case .closing:
            mode = .closing
            held = ByteBuffer()
            deadlines.request.cancel()
            deadlines.write.arm(on: context)
        case nil: context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as ChannelEvent where event == .inputClosed:
            inputEnded = true
            pump(context)
        case is ServerStopping:
            isStopping = true
            general?.stop()
            closeIfIdle(context)
        case is WaitsEnding:
            general?.endWait()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Behind a fault of the transport there is nobody to answer.
        mode = .closing
        context.close(promise: nil)
    }
}
