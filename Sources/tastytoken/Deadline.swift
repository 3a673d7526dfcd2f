// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// A time on the clock that nobody sets.
struct Deadline: Comparable {
    private let end: Int64

    /// So many seconds from now.
    init(after seconds: Int) {
        self.init(afterMilliseconds: seconds * 1000)
    }

    /// So many milliseconds from now.
    init(afterMilliseconds milliseconds: Int) {
        self.end = Self.now + Int64(milliseconds)
    }

    /// Milliseconds until then, for poll(2); zero once it is over.
    var millisecondsLeft: Int32 {
        Int32(clamping: max(end - Self.now, 0))
    }

    /// Whether it is over.
    var isOver: Bool { end <= Self.now }

    static func < (one: Deadline, other: Deadline) -> Bool { one.end < other.end }

    /// Milliseconds on the clock that nobody sets.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// The time of day.
enum WallClock {
    /// Microseconds since 1970-01-01T00:00:00Z.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
