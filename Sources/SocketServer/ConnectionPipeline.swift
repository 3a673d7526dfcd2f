// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import NIOCore
import SocketAPI

/// Sets a new connection up: who is there, whether there is room, and what handles its bytes.
struct ConnectionPipeline: Sendable {
    /// What every connection works with.
    let service: SocketService
    /// The connections that are open.
    let registry: ConnectionRegistry
    /// The batch of each event loop.
    let batches = FlushBatches()

    /// Puts the handlers into a connection that was just accepted, on its event loop.
    func set(up channel: any Channel) -> EventLoopFuture<Void> {
        channel.peer().flatMapThrowing { caller in
            let handlers = channel.pipeline.syncOperations
            switch registry.admit(channel, of: caller.user) {
            case .admitted: try handlers.addHandler(gate(for: caller, on: channel.eventLoop))
            case .refused(let isFirst):
                if isFirst { logRefusal(of: caller) }
                try handlers.addHandler(RefusingHandler())
            }
        }
    }

    private func gate(for caller: Caller, on eventLoop: any EventLoop) -> ConnectionGate {
        ConnectionGate(caller: caller, service: service, batch: batches.batch(of: eventLoop))
    }

    private func logRefusal(of caller: Caller) {
        service.logger.warning(
            "Connections are refused: too many are open",
            metadata: ["caller.uid": "\(caller.user)", "socket.connections": "\(registry.count)"]
        )
    }
}

/// Tells a caller for whom there is no room so, and hangs up, without reading what was asked.
final class RefusingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        let problem = Problem(.overloaded, detail: "Too many connections are open; close some, or ask again.")
        var buffer = ByteBuffer()
        Reply.problem(problem, fields: [.retryAfter(.seconds(1))]).write(to: &buffer, as: Reply.Form(closing: true))
        let channel = context.channel
        // A new connection's buffer takes this much at once, so nothing waits for the caller.
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}
