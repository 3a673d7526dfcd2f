// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A JSON value as far as a token reply needs it.
enum JSONValue: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number, in the digits that were sent.
    case number(String)
    /// A text.
    case string(String)
    /// An object; of two members with one name the later one counts.
    case object([String: JSONValue])
    /// An array; its elements were checked and left out.
    case array

    /// The text of a non-empty string.
    var text: String? {
        if case .string(let text) = self, !text.isEmpty { text } else { nil }
    }

    /// The members of an object.
    var members: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }
}

/// Reads one JSON object (RFC 8259), strictly, and keeps what it read if the text breaks off.
///
/// The text is bounded by whoever read it; the depth is bounded here.
struct JSONReader {
    /// How an object was read.
    struct Reading {
        /// The members up to the end, or to the fault.
        var members: [String: JSONValue] = [:]
        /// Whether the text is one whole JSON object and nothing else.
        var isWhole = false
    }

    private struct Fault: Error {}
    private static let maximumDepth = 16

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads an object from UTF-8 text; nil if the text does not even begin as one.
    static func object(_ bytes: [UInt8]) -> Reading? {
        var reader = JSONReader(bytes)
        reader.skipByteOrderMark()
        reader.skipSpace()
        guard reader.take("{") else { return nil }
        var reading = Reading()
        do {
            try reader.readMembers(into: &reading.members, depth: 1)
            reader.skipSpace()
            reading.isWhole = reader.position == bytes.count
        } catch {
            reading.isWhole = false
        }
        return reading
    }

    /// Whether the text is a number in JSON's grammar, and not one of the others that Swift reads (`nan`, `0x1p3`).
    static func isNumber(_ text: String) -> Bool {
        var reader = JSONReader(Array(text.utf8))
        return (try? reader.readNumber()) != nil && reader.position == reader.bytes.count
    }
}

extension JSONReader {
    private mutating func readMembers(into members: inout [String: JSONValue], depth: Int) throws(Fault) {
        skipSpace()
        if take("}") { return }
        repeat {
            skipSpace()
            guard take("\"") else { throw Fault() }
            let name = try readString()
            skipSpace()
            guard take(":") else { throw Fault() }
            members[name] = try readValue(depth: depth)
            skipSpace()
        } while take(",")
        guard take("}") else { throw Fault() }
    }

    private mutating func readValue(depth: Int) throws(Fault) -> JSONValue {
        guard depth < Self.maximumDepth else { throw Fault() }
        skipSpace()
        if take("\"") { return .string(try readString()) }
        if take("{") {
            var members: [String: JSONValue] = [:]
            try readMembers(into: &members, depth: depth + 1)
            return .object(members)
        }
        if take("[") {
            try skipElements(depth: depth + 1)
            return .array
        }
        if take(word: "null") { return .null }
        if take(word: "true") { return .bool(true) }
        if take(word: "false") { return .bool(false) }
        return .number(try readNumber())
    }

    private mutating func skipElements(depth: Int) throws(Fault) {
        skipSpace()
        if take("]") { return }
        repeat {
            _ = try readValue(depth: depth)
            skipSpace()
        } while take(",")
        guard take("]") else { throw Fault() }
    }

    private mutating func readNumber() throws(Fault) -> String {
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

extension JSONReader {
    private mutating func readString() throws(Fault) -> String {
        var text: [UInt8] = []
        while let byte = peek, byte >= 0x20 {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw Fault() }
                return string
            case UInt8(ascii: "\\"):
                try readEscape(into: &text)
            default:
                text.append(byte)
            }
        }
        throw Fault()
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

    /// A `\u` escape, or the two of a surrogate pair.
    private mutating func readScalar() throws(Fault) -> Unicode.Scalar {
        let first = try readHexadecimal()
        guard (0xD800...0xDBFF).contains(first) else { return try scalar(UInt32(first)) }
        guard take("\\"), take("u") else { throw Fault() }
        let second = try readHexadecimal()
        guard (0xDC00...0xDFFF).contains(second) else { throw Fault() }
        return try scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
    }

    private func scalar(_ value: UInt32) throws(Fault) -> Unicode.Scalar {
        guard let scalar = Unicode.Scalar(value) else { throw Fault() }
        return scalar
    }

    private mutating func readHexadecimal() throws(Fault) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw Fault() }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

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

    private mutating func skipSpace() {
        while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func skipByteOrderMark() {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }
}
