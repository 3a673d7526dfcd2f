// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Writes a JSON object (RFC 8259), fields in the order in which they are given.
///
/// The replies are small and written on the answering path; their fields keep a fixed order and a null is written
/// out, which a general encoder promises neither of.
package struct JSONText {
    /// The bytes so far; whole after ``close()``.
    package private(set) var bytes: [UInt8]

    /// An object without fields.
    package init() {
        self.bytes = [UInt8(ascii: "{")]
    }

    /// What follows fields that are written elsewhere, or stands between such.
    package init(continuing: Void) {
        self.bytes = []
    }

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

    /// Adds a field with a truth value.
    package mutating func add(_ name: String, _ truth: Bool) {
        addName(name)
        bytes += (truth ? "true" : "false").utf8
    }

    /// Adds a field with a number that is written already, as RFC 8259 has it.
    package mutating func add(_ name: String, number text: String) {
        addName(name)
        bytes += text.utf8
    }

    /// Adds a field with an object that is closed, or null.
    package mutating func add(_ name: String, _ object: JSONText?) {
        addName(name)
        bytes += object?.bytes ?? Array("null".utf8)
    }

    /// Adds a field with a list of texts.
    package mutating func add(_ name: String, texts: some Sequence<String>) {
        addName(name)
        bytes.append(UInt8(ascii: "["))
        for (index, text) in texts.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            addString(text)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Adds a field with a list of objects that are written already.
    package mutating func add(_ name: String, objects: some Sequence<[UInt8]>) {
        addName(name)
        bytes.append(UInt8(ascii: "["))
        for (index, object) in objects.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += object
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Ends the object.
    package mutating func close() {
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func addName(_ name: String) {
        if bytes.last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        addString(name)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func addString(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in Self.withContent(of: utf8) { bytes.append(contentsOf: $0) } }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Gives a text as it stands between quotes. A token is hundreds of bytes, of which hardly ever one is escaped: then it
    /// is given as it came.
    package static func withContent<Outcome>(
        of utf8: UnsafeBufferPointer<UInt8>,
        _ body: (UnsafeBufferPointer<UInt8>) -> Outcome
    ) -> Outcome {
        guard hasEscaped(utf8) else { return body(utf8) }
        return escaped(utf8).withUnsafeBufferPointer(body)
    }

    /// A text as it stands between quotes.
    package static func content(of text: String) -> String {
        guard text.utf8.contains(where: isEscaped) else { return text }
        return String(decoding: escaped(text.utf8), as: UTF8.self)
    }

    private static func escaped(_ utf8: some Collection<UInt8>) -> [UInt8] {
        utf8.flatMap { isEscaped($0) ? escape($0) : [$0] }
    }

    /// Whether any byte must be escaped; looks at eight at a time, since a token is hundreds of bytes of which none is.
    private static func hasEscaped(_ utf8: UnsafeBufferPointer<UInt8>) -> Bool {
        let bytes = UnsafeRawBufferPointer(utf8)
        var index = 0
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let escaped =
                below(0x20, in: word) | below(1, in: word ^ (ones &* 0x7F))
                | below(1, in: word ^ (ones &* UInt64(UInt8(ascii: "\""))))
                | below(1, in: word ^ (ones &* UInt64(UInt8(ascii: "\\"))))
            if escaped != 0 { return true }
            index += 8
        }
        return bytes[index...].contains(where: isEscaped)
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// Not zero if any byte of the word is below the limit, which may be 128 at most (Anderson, Bit Twiddling Hacks).
    @inline(__always)
    private static func below(_ limit: UInt64, in word: UInt64) -> UInt64 {
        (word &- ones &* limit) & ~word & (ones &* 0x80)
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        guard byte < 0x20 || byte == 0x7F else { return [UInt8(ascii: "\\"), byte] }
        let digits = Array("0123456789abcdef".utf8)
        return Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
    }

    /// The text that ``withContent(of:_:)`` gave, escapes undone.
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
