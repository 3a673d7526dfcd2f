// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
package import TokenCore

extension MemorySeal {
    /// A seal with a key of its own that nobody else has and that goes with it: AES-256-GCM, a fresh nonce each time.
    package static func aes() -> MemorySeal {
        let key = SymmetricKey(size: .bits256)
        return MemorySeal(
            close: { secret in (try? AES.GCM.seal(Array(secret.reveal().utf8), using: key))?.combined.map(Array.init) },
            open: { bytes in
                guard let box = try? AES.GCM.SealedBox(combined: bytes), let text = try? AES.GCM.open(box, using: key)
                else { return nil }
                return Secret(String(decoding: text, as: UTF8.self))
            }
        )
    }
}
