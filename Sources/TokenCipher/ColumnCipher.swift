// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// One key at work: seals and opens bytes, and keeps itself to itself.
///
/// A box is nonce, sealed bytes and tag, one after the other.
struct ColumnCipher: Sendable {
    /// What one key can do.
    typealias Sealing = @Sendable (_ bytes: [UInt8], _ nonce: [UInt8]?, _ bound: [UInt8]) -> [UInt8]?
    /// The way back.
    typealias Opening = @Sendable (_ box: [UInt8], _ bound: [UInt8]) -> [UInt8]?

    /// The length of a nonce (RFC 7518, section 5.3).
    static let nonceBytes = 12
    /// The length of a tag. A shorter one would be easier to guess.
    static let tagBytes = 16

    /// Seals bytes with a nonce, or with a random one, and binds them to others that stay in clear; nil if the cipher refuses.
    let seal: Sealing
    /// Opens a box; nil if it was changed, or sealed by another key or bound to something else.
    let open: Opening
}

extension ColumnCipher: CustomReflectable {
    /// A mirror without children: what the functions hold is nobody's business.
    var customMirror: Mirror { Mirror(self, children: []) }
}

extension ColumnCipher {
    /// The box whose three parts are given as text; nil if one is not strictly in that base64 or has not its length.
    static func box(
        _ alphabet: Base64Text,
        nonce: UnsafeBufferPointer<UInt8>,
        sealed: UnsafeBufferPointer<UInt8>,
        tag: UnsafeBufferPointer<UInt8>
    ) -> [UInt8]? {
        var isSound = false
        let capacity = [nonce, sealed, tag].reduce(0) { $0 + alphabet.decodedCapacity($1.count) }
        let box = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            guard alphabet.decode(nonce, into: output) == nonceBytes,
                let length = alphabet.decode(sealed, into: output.from(nonceBytes)),
                alphabet.decode(tag, into: output.from(nonceBytes + length)) == tagBytes
            else { return }
            isSound = true
            count = nonceBytes + length + tagBytes
        }
        return isSound ? box : nil
    }
}

extension UnsafeMutableBufferPointer {
    /// What is left from that index on.
    fileprivate func from(_ index: Int) -> UnsafeMutableBufferPointer {
        UnsafeMutableBufferPointer(rebasing: self[index...])
    }
}
