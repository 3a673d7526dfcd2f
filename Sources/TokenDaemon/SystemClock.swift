// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
package import TokenCore

/// The machine's clocks; the only place that reads them.
package enum SystemClock {
    /// Both clocks, read one right after the other.
    package static let reading: ClockReading = {
        Moment(
            wall: WallTime(nanoseconds: nanoseconds(CLOCK_REALTIME)),
            boot: BootTime(nanoseconds: nanoseconds(CLOCK_BOOTTIME))
        )
    }

    /// `CLOCK_MONOTONIC` in microseconds, by which the service manager tells one reload from another.
    static var monotonicMicroseconds: UInt64 { UInt64(max(nanoseconds(CLOCK_MONOTONIC), 0) / 1000) }

    /// The clock's reading. `timespec` is filled as the two 64-bit words that it is on every 64-bit Linux: which module
    /// its members belong to changes with what else is imported.
    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time: (seconds: Int64, nanoseconds: Int64) = (0, 0)
        withUnsafeMutableBytes(of: &time) { words in
            guard let place = words.baseAddress?.assumingMemoryBound(to: timespec.self) else { return }
            // It fails only for a clock that the kernel does not know; Linux has had both since 2.6.39.
            clock_gettime(clock, place)
        }
        return time.seconds * 1_000_000_000 + time.nanoseconds
    }
}
