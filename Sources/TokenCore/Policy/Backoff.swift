// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How long to wait after a failure: exponential, with full jitter, and never so long that the token at hand dies of it.
package struct Backoff: Hashable, Sendable {
    /// The most that may be waited after the first failure (`refresh.backoffInitial`).
    package let initial: Duration
    /// The most that may be waited after any failure (`refresh.backoffMax`).
    package let maximum: Duration

    /// The contract's defaults: one second, sixty seconds.
    package init(initial: Duration = .seconds(1), maximum: Duration = .seconds(60)) {
        self.initial = initial
        self.maximum = maximum
    }

    /// What to wait after `failures` failures in a row.
    ///
    /// `draw * min(maximum, initial * 2^(failures - 1))`, at most a quarter of the life left while there is any, at
    /// least half of `initial`. With the defaults and a draw of 1, a token with 100 s left: 1 s, 2 s, 4 s, 8 s, 16 s,
    /// then a quarter of what is left.
    ///
    /// - Parameters:
    ///   - failures: how many there were in a row, this one included.
    ///   - lifeLeft: what is left of the token at hand; zero or less if it is dead.
    ///   - draw: a random number from 0 to 1.
    /// - Returns: the time to wait; never less than half of `initial`.
    package func delay(afterFailures failures: Int, lifeLeft: Duration, draw: Double) -> Duration {
        // 2^40 seconds is beyond any maximum; the clamp comes before the conversion to integers.
        let doublings = min(max(failures - 1, 0), 40)
        let ceiling = min(maximum, initial.scaled(by: Double(UInt64(1) << UInt64(doublings))))
        let jittered = ceiling.scaled(by: draw)
        let bounded = lifeLeft > .zero ? min(jittered, lifeLeft / 4) : jittered
        return max(bounded, initial / 2)
    }
}
