// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto

extension LockedBytes {
    /// The bytes of a key that the library made; it overwrites its own copy when it lets go of it.
    static func of(_ key: SymmetricKey) -> LockedBytes {
        key.withUnsafeBytes { LockedBytes(copying: $0) }
    }

    /// Lends the library a copy for the length of a call, which it overwrites at its end. What its cipher leaves behind is
    /// overwritten as well.
    func withKey<Result>(_ body: (SymmetricKey) -> Result) -> Result {
        defer { CipherTraces.overwrite() }
        return withBytes { body(SymmetricKey(data: $0)) }
    }
}
