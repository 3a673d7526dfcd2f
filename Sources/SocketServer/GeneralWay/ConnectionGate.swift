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

    private enum Mode {
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

    private let asker: Asker
    private let service: SocketService
    private let giveBack: (any Channel) -> Bool
    private var mode: Mode
    private var held: ByteBuffer
    private var unsent: ByteBuffer
    private var general: ExchangeHandler?
    private var context: ChannelHandlerContext?
    private var deadlines: ConnectionDeadlines
    private var isPumping = false
    private var readIsHeld = false
    private var inputEnded = false
    private var endWasPassed = false
    private var isStopping: Bool
    /// Requests in a row that the short way would have answered: whole when they came, and for nothing but a token.
    private var plainInARow = 0

    /// Bytes given to the decoder at a time, so that it never turns more than this into waiting requests.
    private static let slice = 2048
    /// Plain requests after which a connection goes back: enough that going to and fro costs little beside them.
    private static let plainToGoBack = 16

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

extension ConnectionGate {
    /// Moves what is held as far as it goes now. Answers may come back while it runs; they only change the mode.
    private func pump(_ context: ChannelHandlerContext) {
        guard !isPumping else { return }
        isPumping = true
        while step(context) {}
        isPumping = false
        settle(context)
    }

    /// One request or slice; false when there is nothing more to do now.
    private func step(_ context: ChannelHandlerContext) -> Bool {
        guard held.readableBytes > 0, context.channel.isWritable else { return false }
        switch mode {
        case .short: return stepShort(context)
        case .passing:
            guard general?.isAnswering != true else { return false }
            feed(held.readableBytes, context)
            return true
        case .lending, .leaving, .closing: return false
        }
    }

    private func stepShort(_ context: ChannelHandlerContext) -> Bool {
        switch held.withUnsafeReadableBytes(ShortRequest.recognise) {
        case .incomplete where !inputEnded:
            plainInARow = 0
            return false
        case .incomplete, .other:
            // At the end of input nothing completes a request: the decoder says what is wrong with it.
            mode = .passing
        case .request(let length, let user):
            plainInARow = user == nil ? 0 : plainInARow + 1
            lend(length, context)
        }
        return true
    }

    private func lend(_ length: Int, _ context: ChannelHandlerContext) {
        mode = .lending
        let before = general?.received ?? 0
        feed(length, context)
        // The decoder saw no whole request where one was recognised: it knows better, and keeps the connection.
        if mode == .lending, general?.received == before { mode = .passing }
        // It has to wait, or was answered otherwise than the short way can.
        if mode == .lending || general?.gavePlainToken != true { plainInARow = 0 }
    }

    private func feed(_ length: Int, _ context: ChannelHandlerContext) {
        let general = generalWay(context)
        guard mode == .lending || mode == .passing else { return }
        let limit = mode == .lending ? length : min(length, Self.slice)
        guard let bytes = held.readSlice(length: limit) else { return }
        let before = general.received
        context.fireChannelRead(wrapInboundOut(bytes))
        if general.received != before { deadlines.request.cancel() }
        if !general.isAnswering, mode == .passing, general.received == before { deadlines.request.arm(on: context) }
    }

    /// The general way, put behind this handler when it is first needed: a connection that never needs it stays small.
    private func generalWay(_ context: ChannelHandlerContext) -> ExchangeHandler {
        if let general { return general }
        let exchange = ExchangeHandler(asker: asker, service: service, isStopping: isStopping)
        general = exchange
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = service.limits.fieldBytes
        limits.maxHeaderListSize = service.limits.headerBytes
        limits.maxHeaderFieldCount = service.limits.fields
        // A backstop: what the decoder does not take, for whatever reason, must not pile up in front of it.
        let room = service.limits.headerBytes + service.limits.bodyBytes
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits), maximumBufferSize: room)
        do {
            try context.pipeline.syncOperations.addHandlers([decoder, exchange], position: .last)
        } catch {
            // Only a pipeline that is being torn down takes no handlers.
            mode = .closing
            context.close(promise: nil)
        }
        return exchange
    }

    /// After the pump: what is left is kept small, the end of input is passed on, and reading goes on if it may.
    private func settle(_ context: ChannelHandlerContext) {
        guard mode != .closing else { return }
        if mode == .short {
            // While the caller does not read, the write deadline counts, and whole requests may be held back.
            if held.readableBytes > 0, context.channel.isWritable {
                deadlines.request.arm(on: context)
            } else {
                deadlines.request.cancel()
            }
        }
        keepOnlyTheRest()
        if inputEnded, held.readableBytes == 0 { passEnd(context) }
        if isStopping { closeIfIdle(context) }
        goBackIfPlain(context)
        if readIsHeld, wantsInput(context) {
            readIsHeld = false
            context.read()
        }
    }

    /// Sends the connection back once its requests have been plain for a while and nothing is outstanding.
    private func goBackIfPlain(_ context: ChannelHandlerContext) {
        guard mode == .short, plainInARow >= Self.plainToGoBack, held.readableBytes == 0, !inputEnded, !isStopping
        else { return }
        mode = .leaving
        plainInARow = 0
        // An empty write completes after all that was written before it.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { [self] _ in
            guard mode == .leaving, let context = self.context else { return }
            if held.readableBytes == 0, !inputEnded, !isStopping, giveBack(context.channel) {
                mode = .closing
            } else {
                mode = .short
                pump(context)
            }
        }
    }

    /// Copies a short rest, so that the large buffer it came in is free for the next read.
    private func keepOnlyTheRest() {
        if held.readableBytes == 0 {
            held = ByteBuffer()
        } else if held.readableBytes <= Self.slice, held.storageCapacity > 2 * Self.slice {
            held = ByteBuffer(bytes: held.readableBytesView)
        }
    }

    private func passEnd(_ context: ChannelHandlerContext) {
        if general != nil, !endWasPassed {
            endWasPassed = true
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        closeIfIdle(context)
    }

    private var isBusy: Bool {
        mode == .lending || general?.isAnswering == true
    }

    private func closeIfIdle(_ context: ChannelHandlerContext) {
        guard mode != .closing, !isBusy, context.channel.isWritable else { return }
        mode = .closing
        deadlines.write.arm(on: context)
        // An empty write completes after all that was written before it; closing at once would drop that.
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
    }

    private func wantsInput(_ context: ChannelHandlerContext) -> Bool {
        guard context.channel.isWritable else { return false }
        switch mode {
        case .short: return held.readableBytes < ShortRequest.maximumLength
        case .passing: return held.readableBytes == 0 && general?.isAnswering != true
        case .lending, .leaving: return false
        // What is still sent is read and dropped, so that the peer's end of it is seen.
        case .closing: return true
        }
    }

    private func armIdle(_ context: ChannelHandlerContext) {
        let gate = NIOLoopBound(self, eventLoop: context.eventLoop)
        let context = NIOLoopBound(context, eventLoop: context.eventLoop)
        deadlines.armIdle(on: context.value) { gate.value.idleIsOver(context.value) }
    }

    private func idleIsOver(_ context: ChannelHandlerContext) {
        guard mode != .closing else { return }
        if deadlines.wasActive || isBusy {
            deadlines.wasActive = false
            armIdle(context)
        } else {
            context.close(promise: nil)
        }
    }
}
