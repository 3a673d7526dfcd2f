// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// An instant on the wall clock (`CLOCK_REALTIME`), to the nanosecond. It can be set forward and back under us.
package struct WallTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z. The range ends in the year 2262.
    package let nanoseconds: Int64

    /// Takes nanoseconds since 1970-01-01T00:00:00Z.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Takes microseconds since 1970-01-01T00:00:00Z, PostgreSQL's resolution; clamped to the range of the type.
    package init(microseconds: Int64) {
        let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        self.nanoseconds = overflow ? (microseconds < 0 ? .min : .max) : product
    }

    /// Microseconds since 1970-01-01T00:00:00Z, rounded down: an expiry must not move later by being stored.
    package var microseconds: Int64 { floorDivision(nanoseconds, by: 1000) }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    package var seconds: Int64 { floorDivision(nanoseconds, by: 1_000_000_000) }

    package static func < (left: WallTime, right: WallTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant that much later; clamped to the range of the type.
    package static func + (time: WallTime, duration: Duration) -> WallTime {
        WallTime(nanoseconds: saturatingSum(time.nanoseconds, duration.nanoseconds))
    }

    /// How much later `left` is than `right`; negative if it is earlier.
    package static func - (left: WallTime, right: WallTime) -> Duration {
        .nanoseconds(saturatingDifference(left.nanoseconds, right.nanoseconds))
    }
}

/// An instant on the clock that counts from boot, suspended time included (`CLOCK_BOOTTIME`). Nobody can set it.
package struct BootTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since the machine booted.
    package let nanoseconds: Int64

    /// Takes nanoseconds since the machine booted.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (left: BootTime, right: BootTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant that much later; clamped to the range of the type.
    package static func + (time: BootTime, duration: Duration) -> BootTime {
        BootTime(nanoseconds: saturatingSum(time.nanoseconds, duration.nanoseconds))
    }

    /// How much later `left` is than `right`; negative if it is earlier.
    package static func - (left: BootTime, right: BootTime) -> Duration {
        .nanoseconds(saturatingDifference(left.nanoseconds, right.nanoseconds))
    }
}

/// One instant, read from both clocks (architecture.md, decision 3).
///
/// The wall clock is what databases, providers and callers speak; the boot clock is what a step of the wall clock cannot
/// deceive. A deadline is a `Moment` too, and is reached as soon as *either* clock says so: the pessimistic clock wins.
package struct Moment: Hashable, Sendable {
    /// The instant on the wall clock.
    package let wall: WallTime
    /// The instant on the boot clock.
    package let boot: BootTime

    /// Puts two readings together that were taken one right after the other.
    package init(wall: WallTime, boot: BootTime) {
        self.wall = wall
        self.boot = boot
    }

    /// The deadline that lies at `wall` on the wall clock, as far away on the boot clock as it is from `now`.
    package init(wall: WallTime, seenFrom now: Moment) {
        self.init(wall: wall, boot: now.boot + (wall - now.wall))
    }

    /// The instant that much later on both clocks.
    package static func + (moment: Moment, duration: Duration) -> Moment {
        Moment(wall: moment.wall + duration, boot: moment.boot + duration)
    }

    /// What is left until this deadline, by the clock that gives less; zero or negative once it is reached.
    package func remaining(at now: Moment) -> Duration {
        min(wall - now.wall, boot - now.boot)
    }

    /// Whether this deadline is reached, on either clock.
    package func isReached(at now: Moment) -> Bool {
        remaining(at: now) <= .zero
    }
}

extension Duration {
    /// The duration in nanoseconds, clamped to what 64 bits hold (292 years), rounded towards zero.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return saturatingSum(whole, attoseconds / 1_000_000_000)
    }

    /// The share of the duration that `share` says; the product is clamped to 64 bits of nanoseconds.
    package func scaled(by share: Double) -> Duration {
        let product = Double(nanoseconds) * share
        // Int64.max is not exact as a Double; half of the range (146 years) is, and is long enough for any deadline.
        return .nanoseconds(Int64(min(max(product, -0x1p62), 0x1p62)))
    }

    /// Whole seconds, rounded down: what `expires_in` and `Retry-After` are counted in.
    package var wholeSecondsDown: Int64 { floorDivision(nanoseconds, by: 1_000_000_000) }

    /// Whole seconds, rounded up: nobody is told to come back too early.
    package var wholeSecondsUp: Int64 { -floorDivision(-max(nanoseconds, .min + 1), by: 1_000_000_000) }
}

private func floorDivision(_ dividend: Int64, by divisor: Int64) -> Int64 {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}

private func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? (right < 0 ? .min : .max) : sum
}

private func saturatingDifference(_ left: Int64, _ right: Int64) -> Int64 {
    let (difference, overflow) = left.subtractingReportingOverflow(right)
    return overflow ? (right < 0 ? .max : .min) : difference
}
