// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A token as it is handed out: its text as replies hold it, its validator and its life (architecture.md, decision 7).
///
/// It is immutable and shared: the board, the waiters and every connection hold the same bytes. Since there is one for
/// each of a million accounts, all of it is one object, the texts at its end, and what replies have in common is left to
/// their ``ReplyFrame``.
///
/// Unchecked because a buffer that can be written to is not Sendable by itself: this one is filled before anybody else sees
/// it, and never written to again.
package struct PublishedToken: @unchecked Sendable {
    private let buffer: ManagedBuffer<Head, UInt8>

    private struct Head {
        let life: TokenLife
        let frame: ReplyFrame
        let etagBytes: Int32
        let textBytes: Int32
    }

    /// Puts together what a ``TokenRendering`` made.
    ///
    /// - Parameters:
    ///   - life: how long the token lives.
    ///   - etag: its validator, quotes included (product.md, GET token).
    ///   - text: the token as it stands in a reply, whatever escapes that takes.
    ///   - frame: what the reply has in common with others.
    package init(life: TokenLife, etag: [UInt8], text: UnsafeBufferPointer<UInt8>, frame: ReplyFrame) {
        let head = Head(life: life, frame: frame, etagBytes: Int32(etag.count), textBytes: Int32(text.count))
        buffer = ManagedBuffer.create(minimumCapacity: etag.count + text.count) { _ in head }
        buffer.withUnsafeMutablePointerToElements { bytes in
            _ = UnsafeMutableBufferPointer(start: bytes, count: etag.count).initialize(fromContentsOf: etag)
            _ = UnsafeMutableBufferPointer(start: bytes + etag.count, count: text.count)
                .initialize(fromContentsOf: text)
        }
    }

    /// How long it lives.
    package var life: TokenLife { buffer.header.life }
    /// What its reply has in common with others.
    package var frame: ReplyFrame { buffer.header.frame }
    /// The validator of the token, quotes included.
    package var etag: String { bytes(0, etagBytes) { String(decoding: $0, as: UTF8.self) } }
    /// The token as it stands in a reply. A secret: it goes into replies and nowhere else.
    package var text: [UInt8] { bytes(etagBytes, textBytes) { Array($0) } }

    /// Tells tokens of one user apart, in memory alone: the first eight characters of the validator. It is made of the
    /// token and belongs into no record.
    package var mark: UInt64 {
        bytes(1, max(min(etagBytes - 1, 8), 0)) { $0.reduce(0) { $0 << 8 | UInt64($1) } }
    }

    /// How long the validator is.
    package var etagBytes: Int { Int(buffer.header.etagBytes) }
    /// How long the text is.
    package var textBytes: Int { Int(buffer.header.textBytes) }

    /// Copies the validator to where there is room for ``etagBytes``.
    package func copyEtag(to place: UnsafeMutableRawPointer) {
        buffer.withUnsafeMutablePointers { head, bytes in
            place.copyMemory(from: bytes, byteCount: Int(head.pointee.etagBytes))
        }
    }

    /// Copies the text to where there is room for ``textBytes``.
    package func copyText(to place: UnsafeMutableRawPointer) {
        buffer.withUnsafeMutablePointers { head, bytes in
            place.copyMemory(from: bytes + Int(head.pointee.etagBytes), byteCount: Int(head.pointee.textBytes))
        }
    }

    private func bytes<Result>(_ start: Int, _ count: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        buffer.withUnsafeMutablePointerToElements { bytes in
            body(UnsafeBufferPointer(start: bytes + start, count: count))
        }
    }
}

extension PublishedToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What stands in place of any secret.
    package var description: String { Secret.placeholder }

    /// As `description`.
    package var debugDescription: String { description }

    /// A mirror without children, so that reflection finds nothing.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
