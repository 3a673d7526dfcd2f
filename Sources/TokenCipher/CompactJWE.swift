// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The five parts of a compact JWE with direct encryption (RFC 7516, section 7.1): header, nothing, nonce, sealed bytes, tag.
struct CompactJWE {
    private static let dot = UInt8(ascii: ".")
    private static let base64 = Base64Text.url

    /// The first part as it stands there, which is also what the value is bound to.
    let encodedHeader: [UInt8]
    /// Nonce, sealed bytes and tag.
    let box: [UInt8]

    /// Takes a value apart; nil if it is none in every detail.
    init?(_ text: UnsafeBufferPointer<UInt8>) {
        guard let end = text.firstIndex(of: Self.dot),
            let box = Self.box(of: text, afterHeaderOf: end)
        else { return nil }
        encodedHeader = Array(text[..<end])
        self.box = box
    }

    /// The box of a value whose header has that many characters; nil if what follows is not the rest of a value.
    static func box(of text: UnsafeBufferPointer<UInt8>, afterHeaderOf length: Int) -> [UInt8]? {
        // The part of the encrypted key must be there, and empty (RFC 7516, section 5.2, number 10).
        let parts = UnsafeBufferPointer(rebasing: text[length...])
        guard parts.starts(with: [dot, dot]) else { return nil }
        let rest = UnsafeBufferPointer(rebasing: parts[2...])
        guard let first = rest.firstIndex(of: dot), let last = rest.lastIndex(of: dot), first < last else { return nil }
        return ColumnCipher.box(
            base64,
            nonce: UnsafeBufferPointer(rebasing: rest[..<first]),
            sealed: UnsafeBufferPointer(rebasing: rest[(first + 1)..<last]),
            tag: UnsafeBufferPointer(rebasing: rest[(last + 1)...])
        )
    }

    /// Puts a value together.
    static func text(_ encodedHeader: [UInt8], _ box: [UInt8]) -> String {
        let capacity = encodedHeader.count + 4 + base64.encodedCount(box.count) + 2
        return String(unsafeUninitializedCapacity: capacity) { output in
            var writer = Writer(output)
            writer.append(encodedHeader)
            writer.append([dot, dot])
            box.withUnsafeBufferPointer { box in
                let tag = box.count - ColumnCipher.tagBytes
                writer.appendEncoded(UnsafeBufferPointer(rebasing: box[..<ColumnCipher.nonceBytes]))
                writer.append([dot])
                writer.appendEncoded(UnsafeBufferPointer(rebasing: box[ColumnCipher.nonceBytes..<tag]))
                writer.append([dot])
                writer.appendEncoded(UnsafeBufferPointer(rebasing: box[tag...]))
            }
            return writer.count
        }
    }

    /// Fills a place whose size was reckoned before.
    private struct Writer {
        private let output: UnsafeMutableBufferPointer<UInt8>
        private(set) var count = 0

        init(_ output: UnsafeMutableBufferPointer<UInt8>) {
            self.output = output
        }

        mutating func append(_ bytes: [UInt8]) {
            _ = UnsafeMutableBufferPointer(rebasing: output[count...]).update(fromContentsOf: bytes)
            count += bytes.count
        }

        mutating func appendEncoded(_ bytes: UnsafeBufferPointer<UInt8>) {
            count += base64.encode(bytes, into: UnsafeMutableBufferPointer(rebasing: output[count...]))
        }
    }
}
