// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import HostSystemd
import Logging
package import TokenCore

/// How a record looks on one line.
package enum LineLayout: Hashable, Sendable {
    /// For people: `2026-01-01T00:00:00.000Z notice engine: refresh failed user.id=42`.
    case text
    /// A JSON object (RFC 8259), with the metadata in an object of its own.
    case json

    /// The line, without a line break at its end or anywhere in it.
    package func line(of record: LogRecord, label: String, at time: WallTime) -> String {
        switch self {
        case .text:
            "\(Timestamp.text(of: time)) \(record.level) \(label): \(record.line)"
        case .json:
            Self.object([
                ("time", Self.string(Timestamp.text(of: time))),
                ("level", Self.string(record.level.rawValue)),
                ("logger", Self.string(label)),
                ("message", Self.string(record.message)),
                ("metadata", Self.object(record.fields.map { ($0.key, Self.string($0.value)) })),
            ])
        }
    }

    private static func object(_ members: [(key: String, value: String)]) -> String {
        "{" + members.map { "\(string($0.key)):\($0.value)" }.joined(separator: ",") + "}"
    }

    /// A JSON string. Of the characters that must not stand in one, records hold only these two, but a label is not a
    /// record's.
    private static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\0"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// Times as they stand in a log.
enum Timestamp {
    /// RFC 3339 in UTC with milliseconds, rounded down.
    static func text(of time: WallTime) -> String {
        let (seconds, rest) = (time.seconds, time.nanoseconds - time.seconds * 1_000_000_000)
        let (days, second) = (floor(seconds, by: 86_400), seconds - floor(seconds, by: 86_400) * 86_400)
        let (year, month, day) = date(ofDay: days)
        let clock = "\(pad(second / 3600)):\(pad(second / 60 % 60)):\(pad(second % 60)).\(pad(rest / 1_000_000, 3))"
        return "\(pad(year, 4))-\(pad(month))-\(pad(day))T\(clock)Z"
    }

    /// The date in the Gregorian calendar of the day that many days after 1970-01-01. Counts in eras of 400 years that
    /// begin on a 1 March, so that the leap day is an era's and a year's last.
    private static func date(ofDay days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floor(shifted, by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func floor(_ dividend: Int64, by divisor: Int64) -> Int64 {
        dividend / divisor - (dividend % divisor < 0 ? 1 : 0)
    }

    private static func pad(_ number: Int64, _ width: Int = 2) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
