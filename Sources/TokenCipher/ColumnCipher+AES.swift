// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto

extension ColumnCipher {
    /// AES-256-GCM with a key of 32 bytes.
    static func aes(_ key: LockedBytes) -> ColumnCipher {
        ColumnCipher(
            seal: { bytes, nonce, bound in
                guard let nonce = try? nonce.map(AES.GCM.Nonce.init(data:)) ?? AES.GCM.Nonce() else { return nil }
                let box = key.withKey { try? AES.GCM.seal(bytes, using: $0, nonce: nonce, authenticating: bound) }
                return box?.combined.map(Array.init)
            },
            open: { box, bound in
                guard let box = try? AES.GCM.SealedBox(combined: box) else { return nil }
                return key.withKey {
                    (try? AES.GCM.open(box, using: $0, authenticating: bound)).map([UInt8].init(takingOver:))
                }
            }
        )
    }
}

extension JWEKeySet {
    /// Reads a JWK Set (RFC 7517) whose keys are all for AES-256-GCM.
    ///
    /// - Parameter text: the set as JSON. Nothing of it is kept but the keys, and nothing of those is ever told.
    /// - Throws: the first thing that is wrong with the set, and with which key.
    package init(_ text: [UInt8]) throws(KeySetFault) {
        try self.init(text) { bytes in .aes(bytes.withUnsafeBytes { LockedBytes(copying: $0) }) }
    }
}
