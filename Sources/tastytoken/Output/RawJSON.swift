// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials

/// A piece of a JSON text, of which parts can be taken out to the letter: whoever asks for JSON gets what the daemon wrote,
/// fields that this version has never heard of included, and in their order.
///
/// It knows where a value ends, not whether it is right; what it is made of was decoded before.
struct RawJSON: Equatable {
    private let bytes: ArraySlice<UInt8>

    /// Takes a value, white space around it left out.
    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = Self.trimmed(bytes)
    }

    /// The text on one line: a line's end stands only between the parts of a JSON text, never within one.
    var line: String {
        String(decoding: bytes.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }, as: UTF8.self)
    }

    /// A member of an object.
    struct Member: Equatable {
        /// Its name, escapes undone.
        let name: String
        /// Its value.
        let value: RawJSON
        /// Both as they stand.
        fileprivate let whole: RawJSON
    }

    /// The members of an object in their order; none if it is no object.
    var members: [Member] {
        parts(between: "{", and: "}").compactMap { part in
            let whole = RawJSON(part)
            let end = Self.end(ofValue: whole.bytes)
            guard let name = RawJSON(whole.bytes[..<end]).scalar,
                let colon = whole.bytes[end...].firstIndex(of: UInt8(ascii: ":"))
            else { return nil }
            return Member(name: name, value: RawJSON(whole.bytes[(colon + 1)...]), whole: whole)
        }
    }

    /// The elements of an array; none if it is no array.
    var elements: [RawJSON] {
        parts(between: "[", and: "]").map(RawJSON.init)
    }

    /// The first member of that name.
    subscript(name: String) -> RawJSON? {
        members.first { $0.name == name }?.value
    }

    /// A text without its quotes and escapes, or a number, true or false as it stands; nil for null, objects and arrays.
    var scalar: String? {
        switch bytes.first {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "n"), nil: nil
        case UInt8(ascii: "\""): try? JSONDecoder().decode(String.self, from: Data(bytes))
        default: String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The object on one line, without the members of that name.
    func line(without name: String) -> String {
        "{\(members.filter { $0.name != name }.map(\.whole.line).joined(separator: ","))}"
    }
}

extension RawJSON {
    private func parts(between opening: Unicode.Scalar, and closing: Unicode.Scalar) -> [ArraySlice<UInt8>] {
        guard bytes.first == UInt8(ascii: opening), bytes.last == UInt8(ascii: closing) else { return [] }
        var parts: [ArraySlice<UInt8>] = []
        var rest = bytes.dropFirst().dropLast()
        while !Self.trimmed(rest).isEmpty {
            var end = rest.startIndex
            while end < rest.endIndex, rest[end] != UInt8(ascii: ",") { end = Self.end(ofValue: rest[end...]) }
            parts.append(rest[..<end])
            rest = rest[min(end + 1, rest.endIndex)...]
        }
        return parts
    }

    /// Where the value ends that begins here: a text behind its quote, an object or array behind its bracket, anything
    /// else after one byte.
    private static func end(ofValue bytes: ArraySlice<UInt8>) -> Int {
        var depth = 0
        var index = bytes.startIndex
        guard index < bytes.endIndex else { return index }
        repeat {
            switch bytes[index] {
            case UInt8(ascii: "\""): index = end(ofText: bytes[index...])
            case UInt8(ascii: "{"), UInt8(ascii: "["): (depth, index) = (depth + 1, index + 1)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): (depth, index) = (depth - 1, index + 1)
            default: index += 1
            }
        } while depth > 0 && index < bytes.endIndex
        return index
    }

    private static func end(ofText bytes: ArraySlice<UInt8>) -> Int {
        var index = bytes.startIndex + 1
        while index < bytes.endIndex, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, bytes.endIndex)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let start = bytes.drop(while: isSpace)
        return start.lastIndex { !isSpace($0) }.map { start[...$0] } ?? start.prefix(0)
    }
}
