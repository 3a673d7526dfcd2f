// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

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

    private typealias Fault = JSONScanner.Fault
    private static let maximumDepth = 16

    private var scanner: JSONScanner

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        scanner = JSONScanner(bytes)
    }

    /// Reads an object from UTF-8 text; nil if the text does not even begin as one.
    static func object(_ bytes: [UInt8]) -> Reading? {
        bytes.withUnsafeBufferPointer { object($0) }
    }

    private static func object(_ bytes: UnsafeBufferPointer<UInt8>) -> Reading? {
        var reader = JSONReader(bytes)
        reader.scanner.skipByteOrderMark()
        reader.scanner.skipSpace()
        guard reader.scanner.take("{") else { return nil }
        var reading = Reading()
        do {
            try reader.readMembers(into: &reading.members, depth: 1)
            reader.scanner.skipSpace()
            reading.isWhole = reader.scanner.isAtEnd
        } catch {
            reading.isWhole = false
        }
        return reading
    }

    /// Whether the text is a number in JSON's grammar, and not one of the others that Swift reads (`nan`, `0x1p3`).
    static func isNumber(_ text: String) -> Bool {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            var scanner = JSONScanner(bytes)
            return (try? scanner.number()) != nil && scanner.isAtEnd
        }
    }
}

extension JSONReader {
    private mutating func readMembers(into members: inout [String: JSONValue], depth: Int) throws(Fault) {
        scanner.skipSpace()
        if scanner.take("}") { return }
        repeat {
            scanner.skipSpace()
            try scanner.expect("\"")
            let name = try scanner.string()
            scanner.skipSpace()
            try scanner.expect(":")
            members[name] = try readValue(depth: depth)
            scanner.skipSpace()
        } while scanner.take(",")
        try scanner.expect("}")
    }

    private mutating func readValue(depth: Int) throws(Fault) -> JSONValue {
        guard depth < Self.maximumDepth else { throw Fault() }
        scanner.skipSpace()
        if scanner.take("\"") { return .string(try scanner.string()) }
        if scanner.take("{") {
            var members: [String: JSONValue] = [:]
            try readMembers(into: &members, depth: depth + 1)
            return .object(members)
        }
        if scanner.take("[") {
            try skipElements(depth: depth + 1)
            return .array
        }
        if scanner.take(word: "null") { return .null }
        if scanner.take(word: "true") { return .bool(true) }
        if scanner.take(word: "false") { return .bool(false) }
        return .number(try scanner.number())
    }

    private mutating func skipElements(depth: Int) throws(Fault) {
        scanner.skipSpace()
        if scanner.take("]") { return }
        repeat {
            _ = try readValue(depth: depth)
            scanner.skipSpace()
        } while scanner.take(",")
        try scanner.expect("]")
    }
}
