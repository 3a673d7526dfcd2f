// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Takes a JSON text (RFC 8259) apart, strictly: all below values, which each reader puts together as it needs them.
///
/// The text is borrowed for as long as the scanner lives; its length, and the depth, are bounded by whoever reads it.
package struct JSONScanner {
    /// The text is no JSON where the scanner stands.
    package struct Fault: Error {
        /// For a reader that finds the fault above the scanner: a depth, a name that stands twice.
        package init() {}
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    /// Where the scanner stands, in bytes from the beginning.
    package private(set) var position = 0

    /// Stands at the beginning of a text.
    package init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Whether nothing is left.
    package var isAtEnd: Bool { position == bytes.count }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Takes a character, which must be of ASCII; false if another one comes.
    package mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Takes a word; false if it does not come.
    package mutating func take(word: StaticString) -> Bool {
        let matches = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
        if matches { position += word.utf8CodeUnitCount }
        return matches
    }

    /// Takes a character, which must come.
    package mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        guard take(character) else { throw Fault() }
    }

    /// Takes white space, as much as comes.
    package mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    /// Takes the mark that some put before a text, if it comes.
    package mutating func skipByteOrderMark() {
        if bytes[position...].starts(with: [0xEF, 0xBB, 0xBF]) { position += 3 }
    }

    /// A number, in its own digits.
    package mutating func number() throws(Fault) -> String {
        let start = position
        _ = take("-")
        if !take("0") { try skipDigits() }
        if take(".") { try skipDigits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try skipDigits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func skipDigits() throws(Fault) {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw Fault() }
    }
}

extension JSONScanner {
    /// The rest of a string whose first quote was taken. What has no escape, as nearly all have none, is copied as a whole.
    package mutating func string() throws(Fault) -> String {
        let start = position
        while let byte = peek, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
        let plain = UnsafeBufferPointer(rebasing: bytes[start..<position])
        if take("\"") { return try text(plain) }
        var text = Array(plain)
        while let byte = peek, byte >= 0x20 {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return try text.withUnsafeBufferPointer { (bytes) throws(Fault) in try self.text(bytes) }
            case UInt8(ascii: "\\"): try takeEscape(into: &text)
            default: text.append(byte)
            }
        }
        throw Fault()
    }

    private func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(Fault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Fault() }
        return text
    }

    private mutating func takeEscape(into text: inout [UInt8]) throws(Fault) {
        guard let byte = peek else { throw Fault() }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try scalar()).utf8)
        default: throw Fault()
        }
    }

    /// The scalar of a `\u` escape, or of the two of a surrogate pair.
    private mutating func scalar() throws(Fault) -> Unicode.Scalar {
        let first = try hexadecimal()
        var value = first
        if (0xD800...0xDBFF).contains(first) {
            try expect("\\")
            try expect("u")
            let second = try hexadecimal()
            guard (0xDC00...0xDFFF).contains(second) else { throw Fault() }
            value = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw Fault() }
        return scalar
    }

    private mutating func hexadecimal() throws(Fault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw Fault() }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
