// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Text from outside, made fit to be logged and shown: on one line, bounded, and without anything that drives a
/// terminal, turns a line's direction or cannot be seen.
package struct SafeText: Hashable, Sendable, CustomStringConvertible {
    /// The longest code or name, in bytes.
    package static let codeLimit = 64
    /// The longest quotation within a sentence, in bytes.
    package static let quotationLimit = 256
    /// The longest remark, in bytes: a quotation, and what is said around it.
    package static let remarkLimit = 512

    /// The text as it may be shown.
    package let text: String

    /// Takes text of any origin; what is safe already stays as it is, so doing it twice does no harm.
    ///
    /// - Parameters:
    ///   - text: what to make safe.
    ///   - limit: how many bytes of UTF-8 are kept, the mark for what is missing included; at least that mark's three.
    package init(_ text: String, toBytes limit: Int) {
        self.text = Self.escaped(text, toBytes: limit, backslashes: false)
    }

    /// Takes what a stranger wrote: secrets are struck out first, and backslashes are escaped too, so that nobody can
    /// forge an escape.
    ///
    /// - Parameters:
    ///   - text: what to make safe.
    ///   - secrets: what was sent, and might be quoted.
    ///   - limit: as above.
    package init(foreign text: String, hiding secrets: [Secret] = [], toBytes limit: Int = quotationLimit) {
        self.text = Self.escaped(Secret.strike(secrets, from: text), toBytes: limit, backslashes: true)
    }

    /// The text as it may be shown.
    package var description: String { text }

    /// What stands at the end of a text that was cut.
    private static let mark = "…"

    /// Cuts between two scalars or escapes, never within one.
    private static func escaped(_ text: String, toBytes limit: Int, backslashes: Bool) -> String {
        var result = ""
        var kept = 0
        for scalar in text.unicodeScalars {
            if result.utf8.count <= limit - mark.utf8.count { kept = result.utf8.count }
            if isPlain(scalar), backslashes == false || scalar != "\\" {
                result.unicodeScalars.append(scalar)
            } else {
                result += escape(scalar)
            }
            guard result.utf8.count <= limit else {
                return String(decoding: result.utf8.prefix(kept), as: UTF8.self) + mark
            }
        }
        return result
    }

    /// Letters, marks, digits, punctuation and symbols that can be seen, and the plain space.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
        return switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        // Fillers, joiners and selectors (UAX #44): letters and marks by category, but nothing is seen of them.
        default: !scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(scalar.value, radix: 16))}"
        }
    }
}
