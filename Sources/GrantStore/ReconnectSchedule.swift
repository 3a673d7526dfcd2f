// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A source of random numbers, equally likely anywhere from 0 to 1.
package typealias RandomShare = @Sendable () -> Double

/// How long a connection that failed is left alone: full jitter below a ceiling that doubles from one second to thirty.
///
///     delay = max(100 ms, random * min(30 s, 1 s * 2^failures))
///
/// With random = 0.5 the delays are 0.5 s, 1 s, 2 s, 4 s, 8 s, 15 s, 15 s, …
struct ReconnectSchedule: Sendable {
    private static let shortest = Duration.milliseconds(100)
    private static let longest = Duration.seconds(30)

    private var ceiling = Duration.seconds(1)

    /// The delay after one more failure.
    mutating func next(random: RandomShare) -> Duration {
        let delay = ceiling.scaled(by: random())
        ceiling = min(ceiling * 2, Self.longest)
        return max(delay, Self.shortest)
    }

    /// Forgets the failures: a statement went through.
    mutating func reset() {
        self = ReconnectSchedule()
    }
}
