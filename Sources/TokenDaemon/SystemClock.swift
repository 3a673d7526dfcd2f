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

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        // It fails only for a clock that the kernel does not know; Linux has had both since 2.6.39.
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
