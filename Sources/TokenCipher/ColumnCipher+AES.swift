// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto

extension ColumnCipher {
    /// AES-256-GCM with a key of 32 bytes.
    static func aes(_ key: SymmetricKey) -> ColumnCipher {
        ColumnCipher(
            seal: { bytes, nonce, bound in
                guard let nonce = try? nonce.map(AES.GCM.Nonce.init(data:)) ?? AES.GCM.Nonce() else { return nil }
                let box = try? AES.GCM.seal(bytes, using: key, nonce: nonce, authenticating: bound)
                return box?.combined.map(Array.init)
            },
            open: { box, bound in
                guard let box = try? AES.GCM.SealedBox(combined: box) else { return nil }
                return (try? AES.GCM.open(box, using: key, authenticating: bound)).map(Array.init)
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
        try self.init(text) { .aes(SymmetricKey(data: $0)) }
    }
}
