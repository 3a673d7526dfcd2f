// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Reads `Retry-After` (RFC 9110 section 10.2.3).
enum RetryAfter {
    /// What any wait is clamped to: an endpoint that asks for a day is asked again within the hour.
    static let bounds: ClosedRange<Duration> = .seconds(1) ... .seconds(3600)

    /// How long to wait, clamped; nil if the value is neither seconds nor a date in the form of RFC 9110 section 5.6.7.
    static func wait(_ value: String, from now: WallTime) -> Duration? {
        let value = value.trimming(" \t")
        if !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return clamp(Int64(value).map { .seconds($0) } ?? bounds.upperBound)
        }
        return date(value).map { clamp($0 - now) }
    }

    private static func clamp(_ wait: Duration) -> Duration {
        min(max(wait, bounds.lowerBound), bounds.upperBound)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`; the two obsolete forms are not read.
    private static func date(_ text: String) -> WallTime? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", parts[0].hasSuffix(","),
            let day = Int(parts[1]), let month = months.firstIndex(of: String(parts[2])), let year = Int(parts[3])
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2]),
            (1...31).contains(day), (1970...2200).contains(year)
        else { return nil }
        let seconds = daysSince1970(year: year, month: month + 1, day: day) * 86_400
        return WallTime(nanoseconds: Int64(seconds + clock[0] * 3600 + clock[1] * 60 + clock[2]) * 1_000_000_000)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Days of the Gregorian calendar, counted in years that begin in March so that the leap day comes last.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let monthsSinceMarch = (month + 9) % 12
        let daysBeforeMonth = (153 * monthsSinceMarch + 2) / 5
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        return 365 * marchYear + leapDays + daysBeforeMonth + day - 1 - 719_468
    }
}

extension String {
    /// The text without these characters at its ends.
    fileprivate func trimming(_ characters: String) -> String {
        let kept = drop { characters.contains($0) }
        guard let last = kept.lastIndex(where: { !characters.contains($0) }) else { return "" }
        return String(kept[...last])
    }
}
