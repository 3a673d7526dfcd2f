// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore

/// Says to a connection beyond the cap why it ends, without reading what was asked.
final class NoRoom: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        var buffer = ByteBuffer()
        Reply.noRoom.write(to: &buffer, as: Reply.Form(closing: true))
        let channel = context.channel
        // A new connection's buffer has room for it, so that nobody has to be waited for.
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in channel.close(promise: nil) }
    }
}
