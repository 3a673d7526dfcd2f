// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A token bucket: so many calls a second, evenly spread, whoever wants them (`refresh.maxPerSecond`).
///
/// It counts on the boot clock, which nobody can set. A burst is at most ten milliseconds' worth of calls, so that a
/// coarse timer does not cost throughput and any one second sees the configured number and hardly more.
package struct TokenBucket: Hashable, Sendable {
    private let interval: Int64
    private let tolerance: Int64
    private var emptyUntil: Int64

    /// A bucket that gives `perSecond` calls a second; at least one a thousand seconds.
    package init(perSecond: Double, at now: BootTime) {
        let rate = max(perSecond, 0.001)
        self.interval = Int64(1_000_000_000 / rate)
        self.tolerance = max(10_000_000 - interval, 0)
        self.emptyUntil = now.nanoseconds
    }

    /// Takes one call out, if there is one.
    ///
    /// - Parameter now: the time on the boot clock.
    /// - Returns: whether the call may be made now.
    package mutating func take(at now: BootTime) -> Bool {
        guard emptyUntil - tolerance <= now.nanoseconds else { return false }
        emptyUntil = max(emptyUntil, now.nanoseconds) + interval
        return true
    }

    /// Puts a call back that was taken and not made.
    package mutating func putBack() {
        emptyUntil -= interval
    }

    /// When the next call can be taken; in the past if one can be taken now.
    package var nextAt: BootTime { BootTime(nanoseconds: emptyUntil - tolerance) }
}
