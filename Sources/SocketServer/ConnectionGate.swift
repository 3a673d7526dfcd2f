// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOHTTP1
import TokenCore

/// The first handler of every connection. It takes the short way for the requests that make up the load, hands all else
/// to the general way, which it puts behind itself when it is first needed, and holds the limits of the connection.
///
/// Bytes go to the general way in two manners. A request that ``ShortRequest`` understands but that cannot be answered
/// at once goes there alone, and the short way is taken again after its answer. Once something comes that it does not
/// understand, it cannot know where that ends, and the connection stays on the general way.
final class ConnectionGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Mode {
        /// Looking at requests here. Leads to `lending` or `passing`.
        case short
        /// One request is with the general way. Leads back to `short` at its answer.
        case lending
        /// All bytes go to the general way. Leads to `closing`.
        case passing
        /// The last answer is being written, or the connection is gone.
        case closing
    }

    private let caller: Caller
    private let service: SocketService
    private var mode: Mode
    private var held = ByteBuffer()
    private var general: ExchangeHandler?
    private var shortWay: ShortWay
    private let batch: FlushBatch
    private var isInBatch = false
    private var context: ChannelHandlerContext?
    private var deadlines: ConnectionDeadlines
    private var isPumping = false
    private var readIsHeld = false
    private var inputEnded = false
    private var endWasPassed = false
    private var isStopping = false

    /// Bytes given to the decoder at a time, so that it never turns more than this into waiting requests.
    private static let slice = 2048

    /// The gate of one connection, which joins the batch of its event loop.
    init(caller: Caller, service: SocketService, batch: FlushBatch) {
        self.caller = caller
        self.batch = batch
        self.service = service
        self.mode = service.usesShortWay ? .short : .passing
        self.shortWay = ShortWay(caller: caller, service: service)
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
        context.fireChannelActive()
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
            general?.isStopping = true
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
        if shortWay.hasAnswers, !isInBatch {
            isInBatch = true
            batch.add(self)
        }
        settle(context)
    }

    /// Sends what the short way has answered in this turn of the event loop.
    func flushAnswers() {
        isInBatch = false
        guard let context, mode != .closing else { return }
        shortWay.flush(context)
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
        case .lending, .closing: return false
        }
    }

    private func stepShort(_ context: ChannelHandlerContext) -> Bool {
        switch shortWay.take(&held, isStopping: isStopping, context) {
        case .answered:
            // Whatever is left began after this one: its time counts from now.
            deadlines.request.cancel()
            return true
        case .incomplete:
            // At the end of input nothing will complete it: the general way says what is wrong with it.
            guard inputEnded else { return false }
            mode = .passing
            return true
        case .other:
            mode = .passing
            return true
        case .request(let length):
            lend(length, context)
            return true
        }
    }

    private func lend(_ length: Int, _ context: ChannelHandlerContext) {
        mode = .lending
        let before = general?.received ?? 0
        feed(length, context)
        // The decoder saw no whole request where one was recognised: it knows better, and keeps the connection.
        if mode == .lending, general?.received == before { mode = .passing }
    }

    private func feed(_ length: Int, _ context: ChannelHandlerContext) {
        shortWay.flush(context)
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
        let exchange = ExchangeHandler(caller: caller, service: service)
        exchange.isStopping = isStopping
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
        if readIsHeld, wantsInput(context) {
            readIsHeld = false
            context.read()
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
        shortWay.flush(context)
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
        case .lending: return false
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
