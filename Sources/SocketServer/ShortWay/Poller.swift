// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc
import TokenCore

/// Tells which descriptors have something to read (epoll(7), level-triggered). One thread waits, any may watch.
struct Poller {
    private let descriptor: Int32

    /// A poller that watches nothing; the path is for the words of an error.
    init(for path: String) throws(SocketServerError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw systemFailure("epoll_create1", path) }
    }

    /// Begins to watch; false where the kernel has no room for one more.
    func watch(_ watched: Int32) -> Bool {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.fd = watched
        return epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0
    }

    /// Watches no more.
    func forget(_ watched: Int32) {
        var event = epoll_event()
        epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, &event)
    }

    /// Waits until something can be read, or its other end is gone; gives which descriptors those are. It waits no longer
    /// than so many milliseconds, if any are given.
    func wait(
        using events: UnsafeMutableBufferPointer<epoll_event>,
        atMost milliseconds: Int32?
    ) -> some Sequence<Int32> {
        let count = epoll_wait(descriptor, events.baseAddress, Int32(events.count), milliseconds ?? -1)
        // A wait that a signal cut short tells of nothing.
        return events.prefix(max(Int(count), 0)).lazy.map(\.data.fd)
    }

    /// How long ``wait(using:atMost:)`` may take so as to be over at a time, in milliseconds, rounded up.
    static func milliseconds(until time: BootTime, from now: Moment) -> Int32 {
        Int32(clamping: (max((time - now.boot).nanoseconds, 0) + 999_999) / 1_000_000)
    }

    /// Gives the poller back.
    func end() {
        close(descriptor)
    }
}
