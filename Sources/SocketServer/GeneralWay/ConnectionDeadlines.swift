// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore

/// The times after which a connection is closed. None of them is touched while requests come in whole and replies go
/// out at once, so that they cost nothing then.
struct ConnectionDeadlines {
    /// From a request's first byte to its last.
    var request: ClosingDeadline
    /// From when a caller stops reading.
    var write: ClosingDeadline
    /// Whether anything was read since the idle time began; a mark is cheaper than setting a timer anew.
    var wasActive = false

    private let idle: TimeAmount
    private var idleTimer: Scheduled<Void>?

    /// Deadlines that are not armed.
    init(_ limits: SocketLimits) {
        self.request = ClosingDeadline(limits.request)
        self.write = ClosingDeadline(limits.write)
        self.idle = limits.idle
    }

    /// Begins a stretch of idle time.
    mutating func armIdle(on context: ChannelHandlerContext, _ isOver: @escaping @Sendable () -> Void) {
        idleTimer = context.eventLoop.scheduleTask(in: idle, isOver)
    }

    /// Forgets them all.
    mutating func cancelAll() {
        request.cancel()
        write.cancel()
        idleTimer?.cancel()
        idleTimer = nil
    }
}

/// A time after which a connection is closed, whatever it is doing.
struct ClosingDeadline {
    private let delay: TimeAmount
    private var timer: Scheduled<Void>?

    /// A deadline that is not armed.
    init(_ delay: TimeAmount) {
        self.delay = delay
    }

    /// Begins to count, unless it does already.
    mutating func arm(on context: ChannelHandlerContext) {
        guard timer == nil else { return }
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: delay) { channel.close(promise: nil) }
    }

    /// Stops counting.
    mutating func cancel() {
        guard let running = timer else { return }
        running.cancel()
        timer = nil
    }
}
