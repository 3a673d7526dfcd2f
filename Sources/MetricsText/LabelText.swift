// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The labels of a series, as the text has them: sorted by name, values escaped. Equal labels are equal text, in whatever
/// order they were given.
struct LabelText: Hashable, Comparable, Sendable {
    /// `name="value",name="value"`; empty if there are none.
    let text: String

    /// Nil if a name is none (`[a-zA-Z_][a-zA-Z0-9_]*`), begins with two underscores, stands twice, or is `le`, which histograms
    /// need for themselves.
    init?(_ labels: [(String, String)]) {
        let names = labels.map(\.0)
        guard names.allSatisfy(Self.isName), Set(names).count == names.count else { return nil }
        text = labels.sorted { $0.0 < $1.0 }.map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",")
    }

    static func < (left: LabelText, right: LabelText) -> Bool { left.text < right.text }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first), !name.hasPrefix("__"), name != "le" else { return false }
        return name.utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
    }

    private static func escape(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += #"\\"#
            case "\"": escaped += #"\""#
            case "\n": escaped += #"\n"#
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
