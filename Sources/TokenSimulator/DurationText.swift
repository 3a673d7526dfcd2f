// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Reads durations as the product writes them: `500ms`, `30s`, `5m`, `1h`, and ranges of them, `50ms-200ms`.
package enum DurationText {
    private static let units: [(suffix: String, milliseconds: Double)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
    ]

    /// The duration; nil if the text is none, or is negative or longer than a hundred years.
    package static func duration(_ text: String) -> Duration? {
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let digits = text.dropLast(unit.suffix.count)
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
            let number = Double(digits), number * unit.milliseconds <= 3.2e12
        else { return nil }
        return .milliseconds(number * unit.milliseconds)
    }

    /// A range, or one duration as a range; nil if it is neither, or its end lies before its beginning.
    package static func range(_ text: String) -> ClosedRange<Duration>? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { duration(String($0)) }
        guard let first = parts[0], let last = parts[parts.count - 1], parts.count <= 2, first <= last else {
            return nil
        }
        return first...last
    }
}
