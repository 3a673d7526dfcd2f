// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Writes one flat JSON object (RFC 8259), fields in the order in which they are given.
///
/// The replies are small, flat and written on the answering path; their fields keep a fixed order and a null is written
/// out, which a general encoder promises neither of.
package struct JSONText {
    /// The bytes so far; whole after ``close()``.
    package private(set) var bytes: [UInt8] = [UInt8(ascii: "{")]

    /// An object without fields.
    package init() {}

    /// Adds a field with a text, or null.
    package mutating func add(_ name: String, _ text: String?) {
        addName(name)
        guard let text else { return bytes += "null".utf8 }
        addString(text)
    }

    /// Adds a field with a whole number.
    package mutating func add(_ name: String, _ number: Int) {
        addName(name)
        bytes += String(number).utf8
    }

    /// Adds a field whose number is filled in later.
    ///
    /// - Returns: where in ``bytes`` its place is: `width` spaces, which is legal white space before a number.
    package mutating func addPlace(_ name: String, width: Int) -> Range<Int> {
        addName(name)
        let start = bytes.count
        bytes += repeatElement(UInt8(ascii: " "), count: width)
        return start..<bytes.count
    }

    /// Adds a field with a text and tells where the text stands, quotes left out.
    package mutating func addLocated(_ name: String, _ text: String) -> Range<Int> {
        addName(name)
        let start = bytes.count + 1
        addString(text)
        return start..<bytes.count - 1
    }

    /// Ends the object.
    package mutating func close() {
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func addName(_ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        addString(name)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func addString(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        // A token is hundreds of bytes, of which hardly ever one is escaped: it is copied whole.
        let isCopied = text.withUTF8 { utf8 in
            guard !utf8.contains(where: Self.isEscaped) else { return false }
            bytes.append(contentsOf: utf8)
            return true
        }
        if !isCopied {
            for byte in text.utf8 {
                if Self.isEscaped(byte) { bytes += Self.escape(byte) } else { bytes.append(byte) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        guard byte < 0x20 || byte == 0x7F else { return [UInt8(ascii: "\\"), byte] }
        let digits = Array("0123456789abcdef".utf8)
        return Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
    }

    /// The text that ``addLocated(_:_:)`` wrote, escapes undone.
    package static func unescape(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() else {
                plain.append(byte)
                continue
            }
            guard escaped == UInt8(ascii: "u") else {
                plain.append(escaped)
                continue
            }
            // Only control characters are written this way, so the number fits a byte.
            plain.append(UInt8(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16) ?? UInt8(ascii: "?"))
            rest = rest.dropFirst(4)
        }
        return plain
    }
}
