// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import HostSystemd

/// What is wrong with a value, and what to write instead.
struct SettingComplaint: Error, Hashable {
    /// What is wrong, said of the value: "is not a duration".
    let problem: String
    /// What to write instead.
    let remedy: String

    /// Takes both halves.
    init(_ problem: String, _ remedy: String) {
        self.problem = problem
        self.remedy = remedy
    }
}

/// How the text of a setting is understood.
struct SettingForm<Value> {
    /// Makes a value of the text, or says what is wrong with it.
    let read: (String) throws(SettingComplaint) -> Value
}

extension SettingForm where Value == Bool {
    /// `true` or `false`.
    static var flag: Self {
        SettingForm { text throws(SettingComplaint) in
            switch text {
            case "true": true
            case "false": false
            default: throw SettingComplaint("is neither true nor false", "write true or false")
            }
        }
    }
}

extension SettingForm where Value == Int {
    /// A whole number between two bounds.
    static func whole(_ range: ClosedRange<Int>) -> Self {
        SettingForm { text throws(SettingComplaint) in
            guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int(text)
            else { throw SettingComplaint("is not a whole number", "write digits only") }
            guard range.contains(number) else {
                throw SettingComplaint(
                    "is out of range",
                    "write a number from \(range.lowerBound) to \(range.upperBound)"
                )
            }
            return number
        }
    }
}

extension SettingForm where Value == Double {
    /// A number above zero and at most `limit`.
    static func positive(upTo limit: Double) -> Self {
        SettingForm { text throws(SettingComplaint) in
            guard let number = Double(text), number > 0, number <= limit else {
                throw SettingComplaint("is not a number above 0", "write one of at most \(Int(limit))")
            }
            return number
        }
    }

    /// A share of a whole: from 0, or above it, to below 1.
    static func share(orZero: Bool) -> Self {
        SettingForm { text throws(SettingComplaint) in
            guard let number = Double(text), number < 1, orZero ? number >= 0 : number > 0 else {
                throw SettingComplaint("is not a share between 0 and 1", "write one such as 0.6")
            }
            return number
        }
    }
}

extension SettingForm where Value == Duration {
    /// A number and a unit, between two bounds: `500ms`, `30s`, `5m`, `1h`.
    static func duration(_ range: ClosedRange<Duration>) -> Self {
        SettingForm { text throws(SettingComplaint) in
            guard let duration = Duration(settingText: text) else {
                throw SettingComplaint("is not a duration", "write a number and a unit, as in 500ms, 30s, 5m or 1h")
            }
            guard range.contains(duration) else {
                let (low, high) = (range.lowerBound.settingText, range.upperBound.settingText)
                throw SettingComplaint("is out of range", "write a duration from \(low) to \(high)")
            }
            return duration
        }
    }
}

extension Duration {
    /// Reads `500ms`, `30s`, `5m` or `1h`.
    fileprivate init?(settingText text: String) {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard !digits.isEmpty, digits.utf8.count <= 9, let number = Int64(digits) else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": self = .milliseconds(number)
        case "s": self = .seconds(number)
        case "m": self = .seconds(number * 60)
        case "h": self = .seconds(number * 3600)
        default: return nil
        }
    }

    /// The duration in the unit that needs the fewest digits.
    var settingText: String {
        let (seconds, attoseconds) = components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        for (unit, length) in [("h", Int64(3_600_000)), ("m", 60_000), ("s", 1000)]
        where milliseconds > 0 && milliseconds % length == 0 {
            return "\(milliseconds / length)\(unit)"
        }
        return "\(milliseconds)ms"
    }
}
