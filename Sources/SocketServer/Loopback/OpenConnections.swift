// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import SocketAPI
import Synchronization

/// Counts the connections of a listener, for its cap.
final class OpenConnections: Sendable {
    private let most: Int
    private let count = Atomic<Int>(0)

    /// None are open.
    init(atMost most: Int) {
        self.most = most
    }

    /// Counts one more; false, and nothing is counted, if there are too many.
    func enter() -> Bool {
        guard count.add(1, ordering: .relaxed).newValue <= most else {
            leave()
            return false
        }
        return true
    }

    /// One that was counted is gone.
    func leave() {
        count.subtract(1, ordering: .relaxed)
    }
}

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

extension Reply {
    /// What a connection gets for which there is no room.
    static var noRoom: Reply {
        let problem = Problem(.overloaded, detail: "Too many connections are open; close some, or ask again.")
        return .problem(problem, fields: [.retryAfter(.seconds(1))])
    }
}
