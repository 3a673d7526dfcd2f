// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Times as the API writes them: RFC 3339 in UTC with `Z`.
package enum Timestamp {
    /// Writes a time given in microseconds since 1970-01-01T00:00:00Z. The fraction is written only where there is one;
    /// what lies outside the years 0000 to 9999, which the format cannot hold, is clamped to them.
    package static func text(microseconds: Int64) -> String {
        String(unsafeUninitializedCapacity: longest) { place in
            guard let start = place.baseAddress else { return 0 }
            write(microseconds: microseconds, to: start)
            return length(microseconds: microseconds)
        }
    }

    /// How many bytes the text of a time takes.
    package static func length(microseconds: Int64) -> Int {
        clamped(microseconds) % 1_000_000 == 0 ? shortest : longest
    }

    /// Writes the text of a time to where there is room for its length.
    package static func write(microseconds: Int64, to place: UnsafeMutableRawPointer) {
        let (seconds, fraction) = floored(clamped(microseconds), by: 1_000_000)
        let (days, second) = floored(seconds, by: 86_400)
        let (year, month, day) = civil(fromDays: days)
        write(year, digits: 4, at: 0, before: "-", to: place)
        write(month, digits: 2, at: 5, before: "-", to: place)
        write(day, digits: 2, at: 8, before: "T", to: place)
        write(second / 3600, digits: 2, at: 11, before: ":", to: place)
        write(second / 60 % 60, digits: 2, at: 14, before: ":", to: place)
        write(second % 60, digits: 2, at: 17, before: fraction == 0 ? "Z" : ".", to: place)
        if fraction != 0 { write(fraction, digits: 6, at: 20, before: "Z", to: place) }
    }

    /// `2026-01-01T00:00:00Z`.
    private static let shortest = 20
    /// `2026-01-01T00:00:00.000000Z`.
    private static let longest = 27

    private static func clamped(_ microseconds: Int64) -> Int64 { min(max(microseconds, earliest), latest) }

    /// Writes a number with all its digits, and what comes after it.
    private static func write(
        _ number: Int64,
        digits: Int,
        at offset: Int,
        before end: Unicode.Scalar,
        to place: UnsafeMutableRawPointer
    ) {
        var rest = number
        for column in stride(from: offset + digits - 1, through: offset, by: -1) {
            place.storeBytes(of: UInt8(ascii: "0") + UInt8(rest % 10), toByteOffset: column, as: UInt8.self)
            rest /= 10
        }
        place.storeBytes(of: UInt8(ascii: end), toByteOffset: offset + digits, as: UInt8.self)
    }

    private static let earliest: Int64 = -62_167_219_200_000_000
    private static let latest: Int64 = 253_402_300_799_999_999

    /// Year, month and day of a day counted from 1970-01-01, by counting in eras of 400 years that begin in March, so
    /// that the leap day is the last of its year.
    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floored(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func floored(_ dividend: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
