// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Dates as HTTP writes them (RFC 9110 section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
package enum HTTPDate {
    /// Reads a date; the two obsolete forms are not read.
    ///
    /// - Parameter text: the value of a field.
    /// - Returns: the instant; nil if the text is no date, or one of no year from 1970 to 2200.
    package static func read(_ text: String) -> WallTime? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", parts[0].hasSuffix(","),
            let day = Int64(parts[1]), let month = months.firstIndex(of: String(parts[2])), let year = Int64(parts[3])
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2]),
            (1...31).contains(day), (1970...2200).contains(year)
        else { return nil }
        let seconds = daysSince1970(year: year, month: Int64(month) + 1, day: day) * secondsOfADay
        return WallTime(nanoseconds: (seconds + clock[0] * 3600 + clock[1] * 60 + clock[2]) * 1_000_000_000)
    }

    private static let secondsOfADay: Int64 = 86_400
    /// The names of the months, from January on.
    package static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Days of the Gregorian calendar, counted in years that begin in March so that the leap day comes last.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let marchYear = month > 2 ? year : year - 1
        let monthsSinceMarch = (month + 9) % 12
        let daysBeforeMonth = (153 * monthsSinceMarch + 2) / 5
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        return 365 * marchYear + leapDays + daysBeforeMonth + day - 1 - 719_468
    }
}
