// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The fields of a JSON object as ``JSONText`` mostly writes them: texts without escapes, whole numbers and nulls.
///
/// A general decoder, or even a dictionary, searches the whole program for conformances when it is first used, which
/// takes longer than all else that a short-lived client does. This needs none, and reads only what it is sure of;
/// whatever else is legal is left to a general decoder.
package struct FlatJSON {
    private enum Value {
        case text(String)
        case number(Int)
        case null
    }

    private var fields: [(name: String, value: Value)] = []

    /// Reads a whole object; nil if it is broken, or holds anything but such fields, or two of one name.
    package init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        guard Self.take("{", &rest) else { return nil }
        repeat {
            guard let name = Self.text(&rest), self[name] == nil, Self.take(":", &rest), let value = Self.value(&rest)
            else { return nil }
            fields.append((name, value))
        } while Self.take(",", &rest)
        guard Self.take("}", &rest), rest.isEmpty else { return nil }
    }

    /// The text of a field.
    package func text(_ name: String) -> String? {
        if case .text(let text) = self[name] { text } else { nil }
    }

    /// The number of a field.
    package func number(_ name: String) -> Int? {
        if case .number(let number) = self[name] { number } else { nil }
    }

    private subscript(name: String) -> Value? {
        fields.first { $0.name == name }?.value
    }

    private static func value(_ rest: inout ArraySlice<UInt8>) -> Value? {
        // The place for a number is wider than most numbers.
        while take(" ", &rest) {}
        switch rest.first {
        case UInt8(ascii: "\""): return text(&rest).map(Value.text)
        case UInt8(ascii: "n"): return takeNull(&rest) ? .null : nil
        default: return number(&rest).map(Value.number)
        }
    }

    private static func text(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard take("\"", &rest) else { return nil }
        guard let end = rest.firstIndex(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }),
            rest[end] == UInt8(ascii: "\"")
        else { return nil }
        let bytes = rest[..<end]
        rest = rest[(end + 1)...]
        let text = String(decoding: bytes, as: UTF8.self)
        // What is no UTF-8 was replaced.
        return text.utf8.elementsEqual(bytes) ? text : nil
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        // JSON has no number such as 007.
        guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        rest = rest.dropFirst(digits.count)
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private static func takeNull(_ rest: inout ArraySlice<UInt8>) -> Bool {
        take("n", &rest) && take("u", &rest) && take("l", &rest) && take("l", &rest)
    }

    private static func take(_ character: Unicode.Scalar, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }
}
