// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// An instant for people, and for their programs.
struct TimeView: Hashable {
    /// As RFC 3339 has it.
    let machine: String
    /// `2026-01-01 00:15:00 UTC (in 15 minutes)`.
    let words: String

    /// Puts an instant into words.
    ///
    /// - Parameters:
    ///   - time: the instant.
    ///   - now: the present.
    init(_ time: WallTime, seenAt now: WallTime) {
        machine = Timestamp.text(microseconds: time.seconds * 1_000_000)
        let plain = machine.replacing("T", with: " ").replacing("Z", with: " UTC")
        words = "\(plain) (\(Self.distance(time - now)))"
    }

    private static let units: [(seconds: Int64, name: String)] = [(86_400, "day"), (3_600, "hour"), (60, "minute")]

    /// In the largest unit of which there is one, rounded down; below a minute the page is older than the difference soon.
    private static func distance(_ duration: Duration) -> String {
        let seconds = max(duration, .zero - duration).wholeSecondsDown
        guard let unit = units.first(where: { seconds >= $0.seconds }) else {
            return duration < .zero ? "just now" : "in less than a minute"
        }
        let count = seconds / unit.seconds
        let span = count == 1 ? "1 \(unit.name)" : "\(count) \(unit.name)s"
        return duration < .zero ? "\(span) ago" : "in \(span)"
    }
}
