// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import TokenCore

/// Waiting for a socket with poll(2). It blocks its thread, so only a lane may call it.
enum SocketWait {
    /// Waits until the socket is ready for one of `events` (`POLLIN`, `POLLOUT`).
    ///
    /// - Returns: whether it is ready, or broken, which reading it will tell; false once the deadline is over.
    static func isReady(_ descriptor: CInt, for events: CInt, until deadline: Deadline) -> Bool {
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let found = poll(&entry, 1, milliseconds(deadline.remaining))
            if found > 0 { return true }
            if found == 0 { return false }
            // Anything but an interrupted wait is a broken socket; the next read says so in better words.
            guard errno == EINTR else { return true }
        }
    }

    /// Whether something can be read right now.
    static func hasInput(_ descriptor: CInt) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    /// Rounded up, so that a wait is not over before its deadline is.
    private static func milliseconds(_ duration: Duration) -> CInt {
        let rounded = (max(duration.nanoseconds, 0) / 1_000_000) + (duration > .zero ? 1 : 0)
        return CInt(clamping: rounded)
    }
}
