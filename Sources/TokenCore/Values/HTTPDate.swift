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

    /// Writes a date, to the second.
    ///
    /// - Parameter time: the instant.
    /// - Returns: what a field says.
    package static func text(_ time: WallTime) -> String {
        let days = floorDivision(time.seconds, by: secondsOfADay)
        let second = time.seconds - days * secondsOfADay
        let (year, month, day) = civil(fromDays: days)
        // 1970 began on a Thursday.
        let weekday = weekdays[Int((days % 7 + 11) % 7)]
        let clock = [second / 3600, second / 60 % 60, second % 60].map(twoDigits).joined(separator: ":")
        return "\(weekday), \(twoDigits(day)) \(months[Int(month) - 1]) \(year) \(clock) GMT"
    }

    private static let secondsOfADay: Int64 = 86_400
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Days of the Gregorian calendar, counted in years that begin in March so that the leap day comes last.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let marchYear = month > 2 ? year : year - 1
        let monthsSinceMarch = (month + 9) % 12
        let daysBeforeMonth = (153 * monthsSinceMarch + 2) / 5
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        return 365 * marchYear + leapDays + daysBeforeMonth + day - 1 - 719_468
    }

    /// The way back, in eras of 400 such years.
    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let era = floorDivision(days + 719_468, by: 146_097)
        let dayOfEra = days + 719_468 - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthsSinceMarch = (5 * dayOfYear + 2) / 153
        let month = monthsSinceMarch < 10 ? monthsSinceMarch + 3 : monthsSinceMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthsSinceMarch + 2) / 5 + 1)
    }
}
