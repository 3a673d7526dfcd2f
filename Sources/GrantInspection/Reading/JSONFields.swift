// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The members of one JSON object (RFC 8259), as far as the header and the claims of a token need them: texts, numbers, and
/// lists of texts. Read strictly: of two members with one name, readers differ in which counts, so there may not be two.
///
/// The text's length is bounded by whoever has it; depth and numbers are bounded here.
struct JSONFields {
    /// The value of a member.
    enum Value: Hashable {
        /// A text.
        case text(String)
        /// A number, in its own digits.
        case number(String)
        /// A list; what is no text in it is left out.
        case texts([String])
        /// Something that no claim of ours is.
        case other
    }

    private typealias Fault = JSONScanner.Fault
    private static let maximumDepth = 8
    private static let maximumMembers = 64
    private static let maximumElements = 64

    private var members: [String: Value] = [:]

    /// Reads a whole object; nil if the bytes are none.
    init?(_ bytes: [UInt8]) {
        let read = bytes.withUnsafeBufferPointer { bytes -> [String: Value]? in
            var scanner = JSONScanner(bytes)
            scanner.skipSpace()
            guard scanner.take("{"), let members = try? Self.members(&scanner, depth: 1) else { return nil }
            scanner.skipSpace()
            return scanner.isAtEnd ? members : nil
        }
        guard let read else { return nil }
        members = read
    }

    /// The value of a member.
    subscript(name: String) -> Value? { members[name] }

    /// The text of a member.
    func text(_ name: String) -> String? {
        if case .text(let text) = members[name] { text } else { nil }
    }

    /// The texts of a member that may be one, or a list of them.
    func texts(_ name: String) -> [String] {
        switch members[name] {
        case .text(let text): [text]
        case .texts(let texts): texts
        case .number, .other, nil: []
        }
    }

    /// The instant of a member in seconds since 1970 (RFC 7519, section 2: NumericDate); nil for what is no number, or lies
    /// outside the years that can be written.
    func instant(_ name: String) -> WallTime? {
        guard case .number(let digits) = members[name], let seconds = Double(digits), abs(seconds) < Self.latest else {
            return nil
        }
        return WallTime(microseconds: Int64(seconds * 1_000_000))
    }

    /// The year 2262, where `WallTime` ends.
    private static let latest = 9_223_372_036.0

    private static func members(_ scanner: inout JSONScanner, depth: Int) throws(Fault) -> [String: Value] {
        var members: [String: Value] = [:]
        scanner.skipSpace()
        if scanner.take("}") { return members }
        repeat {
            scanner.skipSpace()
            try scanner.expect("\"")
            let name = try scanner.string()
            scanner.skipSpace()
            try scanner.expect(":")
            let value = try value(&scanner, depth: depth)
            guard members.count < maximumMembers, members.updateValue(value, forKey: name) == nil else { throw Fault() }
            scanner.skipSpace()
        } while scanner.take(",")
        try scanner.expect("}")
        return members
    }

    private static func value(_ scanner: inout JSONScanner, depth: Int) throws(Fault) -> Value {
        guard depth < maximumDepth else { throw Fault() }
        scanner.skipSpace()
        if scanner.take("\"") { return .text(try scanner.string()) }
        if scanner.take("[") { return .texts(try texts(&scanner, depth: depth + 1)) }
        if scanner.take("{") {
            _ = try members(&scanner, depth: depth + 1)
            return .other
        }
        if scanner.take(word: "null") || scanner.take(word: "true") || scanner.take(word: "false") { return .other }
        return .number(try scanner.number())
    }

    private static func texts(_ scanner: inout JSONScanner, depth: Int) throws(Fault) -> [String] {
        var texts: [String] = []
        var count = 0
        scanner.skipSpace()
        if scanner.take("]") { return texts }
        repeat {
            if case .text(let text) = try value(&scanner, depth: depth) { texts.append(text) }
            count += 1
            guard count <= maximumElements else { throw Fault() }
            scanner.skipSpace()
        } while scanner.take(",")
        try scanner.expect("]")
        return texts
    }
}
