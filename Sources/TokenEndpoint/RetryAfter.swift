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
        return HTTPDate.read(value).map { clamp($0 - now) }
    }

    private static func clamp(_ wait: Duration) -> Duration {
        min(max(wait, bounds.lowerBound), bounds.upperBound)
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
