// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension Timestamp {
    /// Reads a time as ``text(microseconds:)`` writes it, with a fraction of any length: microseconds since
    /// 1970-01-01T00:00:00Z, rounded down. Nil if it is anything else.
    package static func microseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"), hasMarks(bytes),
            let year = number(bytes[0..<4]),
            let month = number(bytes[5..<7]), (1...12).contains(month),
            let day = number(bytes[8..<10]), (1...31).contains(day),
            let hour = number(bytes[11..<13]), hour < 24,
            let minute = number(bytes[14..<16]), minute < 60,
            // The last minute of a day may have one second more.
            let second = number(bytes[17..<19]), second <= 60,
            let fraction = fraction(bytes[19..<bytes.count - 1])
        else { return nil }
        let time = (days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second
        return time * 1_000_000 + fraction
    }

    private static func hasMarks(_ bytes: [UInt8]) -> Bool {
        zip([4, 7, 10, 13, 16], "--T::".utf8).allSatisfy { bytes[$0] == $1 }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        digits.reduce(0) { sum, byte in
            guard let sum, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            return sum * 10 + Int64(byte - UInt8(ascii: "0"))
        }
    }

    private static func fraction(_ bytes: ArraySlice<UInt8>) -> Int64? {
        guard let mark = bytes.first else { return 0 }
        let digits = bytes.dropFirst()
        guard mark == UInt8(ascii: "."), !digits.isEmpty, number(digits.prefix(6)) != nil,
            digits.dropFirst(6).allSatisfy({ number([$0]) != nil })
        else { return nil }
        return number((digits + Array("000000".utf8)).prefix(6))
    }

    /// Days since 1970-01-01, by the same eras as the writing of dates: 400 years that begin in March.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let yearFromMarch = month <= 2 ? year - 1 : year
        let era = (yearFromMarch >= 0 ? yearFromMarch : yearFromMarch - 399) / 400
        let yearOfEra = yearFromMarch - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
