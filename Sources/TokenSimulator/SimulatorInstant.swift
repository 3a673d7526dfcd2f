// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// An instant on the wall clock, as the simulator sees it.
package struct SimulatorInstant: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    package let nanoseconds: Int64

    /// Takes nanoseconds since 1970-01-01T00:00:00Z.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    package var seconds: Int64 { (nanoseconds - Int64(nanoseconds < 0 ? 999_999_999 : 0)) / 1_000_000_000 }

    /// Whole milliseconds since 1970-01-01T00:00:00Z.
    var milliseconds: Int64 { nanoseconds / 1_000_000 }

    /// Whether `left` is the earlier one.
    package static func < (left: SimulatorInstant, right: SimulatorInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The instant that much later.
    package static func + (instant: SimulatorInstant, duration: Duration) -> SimulatorInstant {
        SimulatorInstant(nanoseconds: instant.nanoseconds + duration.nanoseconds)
    }
}

extension SimulatorInstant {
    /// The instant as HTTP writes it (RFC 9110 section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    var httpDate: String {
        let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var (time, broken) = (time_t(seconds), tm())
        gmtime_r(&time, &broken)
        let clock = [broken.tm_hour, broken.tm_min, broken.tm_sec].map { Self.twoDigits(Int($0)) }
        let day = "\(Self.twoDigits(Int(broken.tm_mday))) \(months[Int(broken.tm_mon)]) \(1900 + Int(broken.tm_year))"
        return "\(weekdays[Int(broken.tm_wday)]), \(day) \(clock.joined(separator: ":")) GMT"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// Where the simulator gets its time from.
package typealias SimulatorClock = @Sendable () -> SimulatorInstant

extension SimulatorInstant {
    /// Reads the system's wall clock; handed in as a ``SimulatorClock`` by whoever starts a simulator.
    package static func systemNow() -> SimulatorInstant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return SimulatorInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

extension Duration {
    /// The duration in nanoseconds, clamped to what a century or so needs.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return min(max(seconds, -4_000_000_000), 4_000_000_000) * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}

/// Random numbers from a seed (SplitMix64), so that a run can be repeated.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Takes the seed.
    init(seed: UInt64) {
        self.state = seed
    }

    /// The next number.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
