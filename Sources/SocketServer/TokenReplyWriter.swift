// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import SocketAPI
import TokenCore

extension ByteBuffer {
    /// Writes the reply to `GET token`: joins what was rendered of it with whose it is and with the seconds that are left.
    /// Allocates nothing where the buffer has room, and the id nothing that JSON would have to escape.
    ///
    /// - Parameters:
    ///   - token: what the renderer made.
    ///   - user: whose token it is.
    ///   - secondsLeft: what `expires_in` says.
    ///   - fields: header fields that this caller gets besides.
    ///   - withoutBody: whether the request was a `HEAD`.
    mutating func writeToken(
        _ token: PublishedToken,
        of user: UserID,
        secondsLeft: Int64,
        fields: [Reply.Field] = [],
        withoutBody: Bool = false
    ) {
        var user = JSONText.content(of: user.text)
        user.withUTF8 { user in
            let parts = TokenReplyParts(token: token, user: UnsafeRawBufferPointer(user), secondsLeft: secondsLeft)
            write(atMost: parts.mostHeadBytes) { parts.writeHead(to: &$0) }
            write(fields)
            write(atMost: 2 + parts.bodyBytes) { place in
                place.write("\r\n")
                if !withoutBody { parts.writeBody(to: &place) }
            }
        }
    }

    /// Writes header fields, a line each.
    mutating func write(_ fields: [Reply.Field]) {
        for field in fields {
            writeString("\(field.name): \(field.value)\r\n")
        }
    }

    private mutating func write(atMost count: Int, _ body: (inout BytePlace) -> Void) {
        _ = writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            var place = BytePlace(start)
            body(&place)
            return place.next - start
        }
    }
}

/// One reply to `GET token`, not joined yet.
private struct TokenReplyParts {
    let token: PublishedToken
    /// As JSON writes it.
    let user: UnsafeRawBufferPointer
    let secondsLeft: Int64

    /// The head holds nothing whose length depends on the token but the validator, and a number of 19 digits at most.
    var mostHeadBytes: Int { 128 + token.etagBytes }
    /// Digits that the seconds left have room for: eleven days. White space before a number is legal (RFC 8259 section 2).
    private static let secondsWidth = 6

    private static let beforeUser: StaticString = #"{"user":""#
    private static let beforeToken: StaticString = #"","access_token":""#
    private static let beforeExpiry: StaticString = #","expires_at":""#
    private static let beforeSeconds: StaticString = #"","expires_in":"#

    private var expiresAt: Int64 { token.life.expiresAt.wall.microseconds }

    var bodyBytes: Int {
        let names =
            Self.beforeUser.utf8CodeUnitCount + Self.beforeToken.utf8CodeUnitCount
            + Self.beforeExpiry.utf8CodeUnitCount + Self.beforeSeconds.utf8CodeUnitCount
        let frame = token.frame.afterToken.count + token.frame.afterSeconds.count
        let values = user.count + token.textBytes + 1 + Timestamp.length(microseconds: expiresAt) + Self.secondsWidth
        return names + frame + values
    }

    func writeHead(to place: inout BytePlace) {
        place.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nETag: ")
        place.write(token.etagBytes) { token.copyEtag(to: $0) }
        place.write("\r\nContent-Length: ")
        place.write(bodyBytes)
        place.write("\r\n")
    }

    func writeBody(to place: inout BytePlace) {
        place.write(Self.beforeUser)
        place.write(user)
        place.write(Self.beforeToken)
        place.write(token.textBytes) { token.copyText(to: $0) }
        place.write("\"")
        place.write(token.frame.afterToken)
        place.write(Self.beforeExpiry)
        place.write(Timestamp.length(microseconds: expiresAt)) { Timestamp.write(microseconds: expiresAt, to: $0) }
        place.write(Self.beforeSeconds)
        // More than the place holds is said as the most it holds; such a token outlives every cache of the number.
        place.write(min(max(secondsLeft, 0), 999_999), width: Self.secondsWidth)
        place.write(token.frame.afterSeconds)
    }
}

/// Where the next byte of a reply goes. Whoever made the room for it counted right, or asked for more than enough.
private struct BytePlace {
    private(set) var next: UnsafeMutableRawPointer

    init(_ next: UnsafeMutableRawPointer) {
        self.next = next
    }

    mutating func write(_ text: StaticString) {
        next.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        next += text.utf8CodeUnitCount
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        next.copyMemory(from: start, byteCount: bytes.count)
        next += bytes.count
    }

    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0) }
    }

    mutating func write(_ count: Int, _ copy: (UnsafeMutableRawPointer) -> Void) {
        copy(next)
        next += count
    }

    /// A number from 0 up.
    mutating func write(_ number: Int) {
        var width = 1
        var rest = number / 10
        while rest > 0 { (width, rest) = (width + 1, rest / 10) }
        write(Int64(number), width: width)
    }

    /// A number that needs no more digits than `width`, right-aligned in spaces.
    mutating func write(_ number: Int64, width: Int) {
        var rest = number
        for column in stride(from: width - 1, through: 0, by: -1) {
            let isBlank = rest == 0 && column < width - 1
            next.storeBytes(
                of: isBlank ? UInt8(ascii: " ") : UInt8(ascii: "0") + UInt8(rest % 10),
                toByteOffset: column,
                as: UInt8.self
            )
            rest /= 10
        }
        next += width
    }
}
