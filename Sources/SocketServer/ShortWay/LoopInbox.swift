// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc
import Synchronization

/// What other threads ask of the short way's loop. A message wakes the loop by way of an eventfd(2).
final class LoopInbox: Sendable {
    /// One thing to do on the loop.
    enum Message: Sendable {
        /// A connection comes back from the general way with nothing outstanding. The loop closes the descriptor.
        case takeBack(Connection, descriptor: Int32)
        /// Callers come in by this listening descriptor from now on; the loop closes it.
        case listen(Int32)
        /// Called on the loop once it has come round to it.
        case call(@Sendable () -> Void)
        /// Answer what has arrived, close every connection, and end.
        case stop
    }

    private struct State {
        var messages: [Message] = []
        var isClosed = false
    }

    /// What to watch: readable while messages wait.
    let descriptor: Int32
    private let state = Mutex(State())

    /// An empty inbox; the path is for the words of an error.
    init(for path: String) throws(SocketServerError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard descriptor >= 0 else { throw systemFailure("eventfd", path) }
    }

    /// Leaves a message; false where the loop has ended, and nothing will come of it.
    func post(_ message: Message) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.messages.append(message)
            // Within the lock, so that the descriptor is still this one.
            if state.messages.count == 1 { eventfd_write(descriptor, 1) }
            return true
        }
    }

    /// Takes everything out, in the order in which it was left.
    func takeAll() -> [Message] {
        state.withLock { state in
            var count: eventfd_t = 0
            eventfd_read(descriptor, &count)
            defer { state.messages = [] }
            return state.messages
        }
    }

    /// Takes no more messages; gives those that came after the last look.
    func end() -> [Message] {
        state.withLock { state in
            guard !state.isClosed else { return [] }
            state.isClosed = true
            close(descriptor)
            defer { state.messages = [] }
            return state.messages
        }
    }
}
