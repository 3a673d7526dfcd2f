// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Reads one JSON text (RFC 8259), strictly. Two members of one name are refused: readers differ in which of them counts
/// (RFC 7515, section 4, lets one refuse them too).
///
/// The text's length is bounded by whoever has it; depth and the number of members are bounded here.
package struct JSONTreeReader {
    private typealias Fault = JSONScanner.Fault
    /// A set of keys is three deep, and so is a message.
    private static let maximumDepth = 8
    /// Each name is compared with those before it.
    private static let maximumMembers = 64

    private var scanner: JSONScanner
    private let maximumElements: Int

    private init(_ bytes: UnsafeBufferPointer<UInt8>, _ maximumElements: Int) {
        scanner = JSONScanner(bytes)
        self.maximumElements = maximumElements
    }

    /// The value that the whole text is; nil if it is none, or a list in it has more elements than that.
    package static func read(_ text: UnsafeBufferPointer<UInt8>, maximumElements: Int = .max) -> JSONTree? {
        var reader = JSONTreeReader(text, maximumElements)
        guard let value = try? reader.readValue(depth: 0) else { return nil }
        reader.scanner.skipSpace()
        return reader.scanner.isAtEnd ? value : nil
    }

    /// The value that the whole text is; nil if it is none, or a list in it has more elements than that.
    package static func read(_ text: [UInt8], maximumElements: Int = .max) -> JSONTree? {
        text.withUnsafeBufferPointer { read($0, maximumElements: maximumElements) }
    }
}

extension JSONTreeReader {
    private mutating func readValue(depth: Int) throws(Fault) -> JSONTree {
        guard depth < Self.maximumDepth else { throw Fault() }
        scanner.skipSpace()
        if scanner.take("\"") { return .string(try scanner.string()) }
        if scanner.take("{") { return .object(try readMembers(depth: depth)) }
        if scanner.take("[") { return try readElements(depth: depth) }
        if scanner.take(word: "null") { return .null }
        if scanner.take(word: "true") { return .bool(true) }
        if scanner.take(word: "false") { return .bool(false) }
        return .number(try scanner.number())
    }

    private mutating func readMembers(depth: Int) throws(Fault) -> JSONMembers {
        var members = JSONMembers()
        scanner.skipSpace()
        if scanner.take("}") { return members }
        repeat {
            scanner.skipSpace()
            try scanner.expect("\"")
            let name = try scanner.string()
            scanner.skipSpace()
            try scanner.expect(":")
            let value = try readValue(depth: depth + 1)
            guard members.count < Self.maximumMembers, members.add(name, value) else { throw Fault() }
            scanner.skipSpace()
        } while scanner.take(",")
        try scanner.expect("}")
        return members
    }

    private mutating func readElements(depth: Int) throws(Fault) -> JSONTree {
        let start = scanner.position
        var elements: [JSONTree] = []
        scanner.skipSpace()
        if scanner.take("]") { return .array([], contentAt: start) }
        repeat {
            guard elements.count < maximumElements else { throw Fault() }
            elements.append(try readValue(depth: depth + 1))
            scanner.skipSpace()
        } while scanner.take(",")
        try scanner.expect("]")
        return .array(elements, contentAt: start)
    }
}
