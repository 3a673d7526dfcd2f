// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto

extension LockedBytes {
    /// The bytes of a key that the library made; it overwrites its own copy when it lets go of it.
    static func of(_ key: SymmetricKey) -> LockedBytes {
        key.withUnsafeBytes { LockedBytes(copying: $0) }
    }
}
