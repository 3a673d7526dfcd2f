// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import TokenCore

/// Connections that were refused, kept for a moment after they were told so. Somebody who sends his request to a connection
/// that is closed already gets an error from the kernel (EPIPE), and many a client then never looks for the answer.
struct Farewells {
    /// Connections kept at most; the one that was kept for longest makes room.
    static let most = 8
    private static let length: Duration = .seconds(1)

    private var kept: [(descriptor: Int32, until: BootTime)] = []

    /// Keeps a connection on which everything was said; it is closed in the end.
    mutating func keep(_ descriptor: Int32, at now: Moment) {
        // His end of input comes now; what he sends is left unread.
        shutdown(descriptor, Int32(SHUT_WR))
        if kept.count == Self.most { close(kept.removeFirst().descriptor) }
        kept.append((descriptor, now.boot + Self.length))
    }

    /// Closes those whose time is up.
    mutating func end(at now: Moment) {
        while let oldest = kept.first, oldest.until <= now.boot {
            close(oldest.descriptor)
            kept.removeFirst()
        }
    }

    /// Closes all.
    mutating func endAll() {
        for (descriptor, _) in kept { close(descriptor) }
        kept = []
    }

    /// Whether none is kept.
    var isEmpty: Bool { kept.isEmpty }

    /// Milliseconds until the next one is to be closed, rounded up; nil if none is kept.
    func remaining(at now: Moment) -> Int32? {
        kept.first.map { Poller.milliseconds(until: $0.until, from: now) }
    }
}
