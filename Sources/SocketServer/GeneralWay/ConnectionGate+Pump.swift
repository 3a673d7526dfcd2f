// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOHTTP1

// How bytes get from the transport to what answers them.

extension ConnectionGate {
    /// Moves what is held as far as it goes now. Answers may come back while it runs; they only change the mode.
    func pump(_ context: ChannelHandlerContext) {
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

    /// Whether more may be read from the caller now.
    func wantsInput(_ context: ChannelHandlerContext) -> Bool {
        guard context.channel.isWritable else { return false }
        switch mode {
        case .short: return held.readableBytes < ShortRequest.maximumLength
        case .passing: return held.readableBytes == 0 && general?.isAnswering != true
        case .lending, .leaving: return false
        // What is still sent is read and dropped, so that the peer's end of it is seen.
        case .closing: return true
        }
    }
}
