// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// What the bytes at the head of a connection are, as far as the short way understands them.
enum Recognition: Equatable {
    /// The beginning of something that it may understand; more bytes will tell.
    case incomplete
    /// Something that it does not understand; the general way takes over.
    case other
    /// One whole request without a body, `length` bytes long. `user` is where the id stands if it is a plain
    /// `GET /v1/users/{id}/token`, which can be answered at once; else the general way answers these bytes.
    case request(length: Int, user: Range<Int>?)
}

/// Recognises the one request that makes up the load, and others of the same kind, in raw bytes.
///
/// The grammar is a part of HTTP/1.1 (RFC 9112) chosen so small that nothing in it can be read in two ways: `GET`, an
/// absolute path of visible ASCII, one `Host`, header fields from a list, none of which changes where the request ends.
/// Whatever is not clearly inside is ``Recognition/other``. It sees each request alone, so that equal bytes always mean
/// the same.
struct ShortRequest {
    /// Longer requests are left to the general way, so that no more than this is ever held back undecided.
    static let maximumLength = 2048

    private var bytes: UnsafeRawBufferPointer
    private var index = 0
    private var hosts = 0
    private var isPlain = true

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Looks at the bytes from their start.
    static func recognise(_ bytes: UnsafeRawBufferPointer) -> Recognition {
        let window = UnsafeRawBufferPointer(rebasing: bytes.prefix(maximumLength))
        var request = ShortRequest(window)
        let result = request.recognise()
        // A window that is full and still undecided holds a longer request than we care for.
        return result == .incomplete && bytes.count >= maximumLength ? .other : result
    }

    private mutating func recognise() -> Recognition {
        guard let line = nextLine(isAllowed: Self.isVisibleOrSpace) else { return undecided(firstLine: true) }
        guard let user = requestLine(line) else { return .other }
        while true {
            guard let line = nextLine(isAllowed: Self.isVisibleOrSpace) else { return undecided(firstLine: false) }
            if line.isEmpty { break }
            guard headerField(line) else { return .other }
        }
        guard hosts == 1 else { return .other }
        return .request(length: index, user: isPlain && !user.isEmpty ? user : nil)
    }

    private static func isVisibleOrSpace(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F
    }

    /// The next line without its CRLF; nil where there is none yet, or where it holds a byte that has no place in it.
    private mutating func nextLine(isAllowed: (UInt8) -> Bool) -> Range<Int>? {
        var end = index
        while end < bytes.count, isAllowed(bytes[end]) { end += 1 }
        guard end + 1 < bytes.count, bytes[end] == UInt8(ascii: "\r"), bytes[end + 1] == UInt8(ascii: "\n") else {
            return nil
        }
        defer { index = end + 2 }
        return index..<end
    }

    /// Whether more bytes could still make a line of what stands at the index.
    private func undecided(firstLine: Bool) -> Recognition {
        var end = index
        while end < bytes.count, Self.isVisibleOrSpace(bytes[end]) { end += 1 }
        let restIsBreak = end == bytes.count || (end == bytes.count - 1 && bytes[end] == UInt8(ascii: "\r"))
        guard restIsBreak else { return .other }
        if firstLine {
            let known = min(bytes.count, Self.method.utf8CodeUnitCount)
            return starts(with: Self.method, upTo: known) ? .incomplete : .other
        }
        let name = bytes[index..<end].prefix { $0 != UInt8(ascii: ":") }
        return name.allSatisfy(Self.isNameByte) ? .incomplete : .other
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")) || byte == UInt8(ascii: "-")
    }
}

extension ShortRequest {
    private static let method: StaticString = "GET /"
    private static let users: StaticString = "/v1/users/"
    private static let token: StaticString = "/token"
    private static let version: StaticString = " HTTP/1.1"

    /// Where the id stands in a request line; empty if it names something else than a token; nil if the line is beyond
    /// this grammar.
    private func requestLine(_ line: Range<Int>) -> Range<Int>? {
        // "GET ", a target of one byte at least, the version: shorter lines have no target to speak of.
        guard line.count > 4 + Self.version.utf8CodeUnitCount else { return nil }
        let target = line.lowerBound + 4..<line.upperBound - Self.version.utf8CodeUnitCount
        guard starts(with: Self.method, upTo: Self.method.utf8CodeUnitCount),
            equal(target.upperBound..<line.upperBound, Self.version)
        else { return nil }
        let user = target.lowerBound + Self.users.utf8CodeUnitCount
        let end = target.upperBound - Self.token.utf8CodeUnitCount
        if user < end, equal(target.lowerBound..<user, Self.users), equal(end..<target.upperBound, Self.token),
            bytes[user..<end].allSatisfy(Self.isIDByte)
        {
            return user..<end
        }
        return bytes[target].contains(UInt8(ascii: " ")) ? nil : 0..<0
    }

    /// Bytes that stand for themselves in a path segment: unreserved ones (RFC 3986 section 2.3).
    private static func isIDByte(_ byte: UInt8) -> Bool {
        (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || isNameByte(byte) || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
    }

    /// Takes one header field into account; false if it is not on the list.
    private mutating func headerField(_ line: Range<Int>) -> Bool {
        guard let colon = bytes[line].firstIndex(of: UInt8(ascii: ":")) else { return false }
        let name = line.lowerBound..<colon
        let value = trimmed(colon + 1..<line.upperBound)
        switch name.count {
        case 4 where equalIgnoringCase(name, "host"):
            hosts += 1
        case 10 where equalIgnoringCase(name, "user-agent"), 15 where equalIgnoringCase(name, "accept-encoding"):
            break
        case 6 where equalIgnoringCase(name, "accept"):
            if !equal(value, "*/*"), !equal(value, "application/json") { isPlain = false }
        case 10 where equalIgnoringCase(name, "connection"):
            return equalIgnoringCase(value, "keep-alive")
        case 13 where equalIgnoringCase(name, "if-none-match"), 6 where equalIgnoringCase(name, "prefer"):
            isPlain = false
        default:
            return false
        }
        return true
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var range = range
        while let first = range.first, bytes[first] == UInt8(ascii: " ") { range = first + 1..<range.upperBound }
        while let last = range.last, bytes[last] == UInt8(ascii: " ") { range = range.lowerBound..<last }
        return range
    }

    private func starts(with text: StaticString, upTo count: Int) -> Bool {
        bytes.count >= count && matches(0, text, count)
    }

    private func equal(_ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount && matches(range.lowerBound, text, range.count)
    }

    private func matches(_ start: Int, _ text: StaticString, _ count: Int) -> Bool {
        guard let base = bytes.baseAddress else { return count == 0 }
        return memcmp(base + start, text.utf8Start, count) == 0
    }

    /// `text` must be in lower case.
    private func equalIgnoringCase(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for (offset, index) in range.enumerated() {
            let byte = bytes[index]
            let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
            if (isUpper ? byte | 0x20 : byte) != text.utf8Start[offset] { return false }
        }
        return true
    }
}
