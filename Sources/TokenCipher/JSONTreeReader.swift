// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Reads one JSON text (RFC 8259), strictly. Two members of one name are refused: readers differ in which of them counts
/// (RFC 7515, section 4, lets one refuse them too).
///
/// The text's length is bounded by whoever has it; depth and the number of members are bounded here.
struct JSONTreeReader {
    private struct Fault: Error {}
    /// A set of keys is three deep, and so is a message.
    private static let maximumDepth = 8
    /// Each name is compared with those before it.
    private static let maximumMembers = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The value that the whole text is; nil if it is none.
    static func read(_ text: UnsafeBufferPointer<UInt8>) -> JSONTree? {
        var reader = JSONTreeReader(text)
        guard let value = try? reader.readValue(depth: 0) else { return nil }
        reader.skipSpace()
        return reader.position == text.count ? value : nil
    }

    /// The value that the whole text is; nil if it is none.
    static func read(_ text: [UInt8]) -> JSONTree? {
        text.withUnsafeBufferPointer { read($0) }
    }
}

extension JSONTreeReader {
    private mutating func readValue(depth: Int) throws(Fault) -> JSONTree {
        guard depth < Self.maximumDepth else { throw Fault() }
        skipSpace()
        if take("\"") { return .string(try readString()) }
        if take("{") { return .object(try readMembers(depth: depth)) }
        if take("[") { return try readElements(depth: depth) }
        if take(word: "null") { return .null }
        if take(word: "true") { return .bool(true) }
        if take(word: "false") { return .bool(false) }
        try skipNumber()
        return .number
    }

    private mutating func readMembers(depth: Int) throws(Fault) -> JSONMembers {
        var members = JSONMembers()
        skipSpace()
        if take("}") { return members }
        repeat {
            skipSpace()
            try expect("\"")
            let name = try readString()
            skipSpace()
            try expect(":")
            let value = try readValue(depth: depth + 1)
            guard members.count < Self.maximumMembers, members.add(name, value) else { throw Fault() }
            skipSpace()
        } while take(",")
        try expect("}")
        return members
    }

    private mutating func readElements(depth: Int) throws(Fault) -> JSONTree {
        let start = position
        var elements: [JSONTree] = []
        skipSpace()
        if take("]") { return .array([], contentAt: start) }
        repeat {
            elements.append(try readValue(depth: depth + 1))
            skipSpace()
        } while take(",")
        try expect("]")
        return .array(elements, contentAt: start)
    }

    private mutating func skipNumber() throws(Fault) {
        _ = take("-")
        if !take("0") { try skipDigits() }
        if take(".") { try skipDigits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(Fault) {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw Fault() }
    }
}

extension JSONTreeReader {
    /// A string whose first quote was taken. What has no escape, as nearly all have none, is copied as a whole.
    private mutating func readString() throws(Fault) -> String {
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
            case UInt8(ascii: "\\"): try readEscape(into: &text)
            default: text.append(byte)
            }
        }
        throw Fault()
    }

    private func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(Fault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Fault() }
        return text
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(Fault) {
        guard let byte = peek else { throw Fault() }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try readScalar()).utf8)
        default: throw Fault()
        }
    }

    /// The scalar of a `\u` escape, or of the two of a surrogate pair.
    private mutating func readScalar() throws(Fault) -> Unicode.Scalar {
        let first = try readHexadecimal()
        var value = first
        if (0xD800...0xDBFF).contains(first) {
            try expect("\\")
            try expect("u")
            let second = try readHexadecimal()
            guard (0xDC00...0xDFFF).contains(second) else { throw Fault() }
            value = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw Fault() }
        return scalar
    }

    private mutating func readHexadecimal() throws(Fault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw Fault() }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}

extension JSONTreeReader {
    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let matches = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
        if matches { position += word.utf8CodeUnitCount }
        return matches
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        guard take(character) else { throw Fault() }
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }
}
