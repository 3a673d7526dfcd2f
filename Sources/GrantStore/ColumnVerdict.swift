// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What stands in a column that should hold a token. ``GrantQueries`` has the same table in SQL; the raw values are
/// its.
enum ColumnVerdict: Int64, Sendable {
    /// Nothing, or white space only.
    case blank = 0
    /// A text of the characters that tokens are made of (RFC 6749, appendix A).
    case token = 1
    /// More bytes than may stand there.
    case tooLong = 2
    /// A character that no token has.
    case notPrintable = 3

    private static let whiteSpace: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D]

    /// The verdict on a value's bytes, of which there may be so many.
    static func of(
        _ bytes: UnsafeBufferPointer<UInt8>,
        longest: Int = GrantQueries.longestToken
    ) -> ColumnVerdict {
        guard bytes.count <= longest else { return .tooLong }
        if isVisible(UnsafeRawBufferPointer(bytes)) { return bytes.isEmpty ? .blank : .token }
        if bytes.allSatisfy(whiteSpace.contains) { return .blank }
        return bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? .token : .notPrintable
    }

    /// The verdict on a text.
    static func of(_ text: String) -> ColumnVerdict {
        var text = text
        return text.withUTF8 { of($0) }
    }

    /// Whether every byte is a visible character of ASCII; looks at eight at a time, as a load has a million tokens.
    private static func isVisible(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var index = 0
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // The high bit of a byte is set where it is below 0x21, or above 0x7E (Anderson, Bit Twiddling Hacks).
            let below = (word &- ones &* 0x21) & ~word
            let above = (word &+ ones) | word
            if (below | above) & (ones &* 0x80) != 0 { return false }
            index += 8
        }
        return bytes[index...].allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// Why it is no token, of the column that is called `column`, where so many bytes may stand; nil if nothing is wrong with
    /// it.
    func complaint(about column: String, longest: Int = GrantQueries.longestToken) -> String? {
        switch self {
        case .blank, .token: nil
        case .tooLong: "The \(column)'s column holds more than \(longest) bytes, which is no token."
        case .notPrintable: "The \(column)'s column holds a character that no token has, such as a line break."
        }
    }
}
