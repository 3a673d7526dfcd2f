// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
package import TokenCore

extension MemorySeal {
    /// A seal with a key of its own that nobody else has and that goes with it: AES-256-GCM, a fresh nonce each time.
    package static func aes() -> MemorySeal {
        let cipher = ColumnCipher.aes(.of(SymmetricKey(size: .bits256)))
        return MemorySeal(
            close: { secret in
                var bytes = Array(secret.reveal().utf8)
                defer { bytes.wipe() }
                return cipher.seal(bytes, nil, [])
            },
            open: { closed in
                guard var bytes = cipher.open(closed, []) else { return nil }
                defer { bytes.wipe() }
                return Secret(String(decoding: bytes, as: UTF8.self))
            }
        )
    }
}
