// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore

// How a connection ends that has nothing more to say.

extension ConnectionGate {
    /// Tells what answers that nothing more comes, once, and ends the connection if nothing is outstanding.
    func passEnd(_ context: ChannelHandlerContext) {
        if general != nil, !endWasPassed {
            endWasPassed = true
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        closeIfIdle(context)
    }

    private var isBusy: Bool {
        mode == .lending || general?.isAnswering == true
    }

    /// Ends the connection if no request waits for its answer and the caller takes what was written.
    func closeIfIdle(_ context: ChannelHandlerContext) {
        guard mode != .closing, !isBusy, context.channel.isWritable else { return }
        mode = .closing
        deadlines.write.arm(on: context)
        // An empty write completes after all that was written before it; closing at once would drop that.
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
    }

    /// Begins the time after which a silent connection is ended.
    func armIdle(_ context: ChannelHandlerContext) {
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
