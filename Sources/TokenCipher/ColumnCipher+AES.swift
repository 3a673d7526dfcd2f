// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
import Glibc

extension ColumnCipher {
    /// AES-256-GCM with a key of 32 bytes.
    static func aes(_ key: LockedBytes) -> ColumnCipher {
        let key = CipherKey(key)
        return ColumnCipher(
            seal: { bytes, nonce, bound in
                guard let nonce = nonce.map({ try? AES.GCM.Nonce(data: $0) }) ?? fresh() else { return nil }
                let box = key.use { try? AES.GCM.seal(bytes, using: $0, nonce: nonce, authenticating: bound) }
                return box?.combined.map(Array.init)
            },
            open: { box, bound in
                guard let box = try? AES.GCM.SealedBox(combined: box) else { return nil }
                return key.use {
                    (try? AES.GCM.open(box, using: $0, authenticating: bound)).map([UInt8].init(takingOver:))
                }
            }
        )
    }

    /// A random nonce, in one call of the kernel: the library makes two of it. Many at a time would be faster yet, and would be the
    /// same ones in a virtual machine that is woken up twice, which no key of AES-GCM survives.
    private static func fresh() -> AES.GCM.Nonce? {
        withUnsafeTemporaryAllocation(byteCount: nonceBytes, alignment: 1) { room in
            guard let start = room.baseAddress, getentropy(start, room.count) == 0 else { return nil }
            return try? AES.GCM.Nonce(data: UnsafeRawBufferPointer(room))
        }
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
