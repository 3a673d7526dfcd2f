// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A span of time in words, as exact as people need it: its largest unit, rounded down.
struct SpanOfTime: CustomStringConvertible {
    private static let units: [(seconds: Int64, name: String)] = [
        (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"),
    ]

    private let seconds: Int64

    /// The span from one instant to another, in whichever order.
    init(_ duration: Duration) {
        seconds = max(duration, .zero - duration).wholeSecondsDown
    }

    /// `3 days`, `1 hour`, `0 seconds`.
    var description: String {
        let unit = Self.units.first { seconds >= $0.seconds } ?? (1, "second")
        let count = seconds / unit.seconds
        return count == 1 ? "1 \(unit.name)" : "\(count) \(unit.name)s"
    }
}
