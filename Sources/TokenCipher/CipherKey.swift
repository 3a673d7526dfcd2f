// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
import Glibc

/// A key as the library takes it, for as long as it is in use: one copy, since making one for each call takes a tenth of the
/// call's time. The kernel keeps it in memory, and the library overwrites it at its end.
final class CipherKey: Sendable {
    private let key: SymmetricKey

    /// Copies the bytes to where the library has them.
    init(_ bytes: LockedBytes) {
        key = bytes.withBytes { SymmetricKey(data: $0) }
        // For good: what else comes to lie in that page may stay in memory too. Where no more may be locked, the daemon's start
        // has told so.
        key.withUnsafeBytes { _ = mlock($0.baseAddress, $0.count) }
    }

    /// Lends the key for the length of a call. What the library's ciphers leave behind of it is overwritten.
    func use<Result>(_ body: (SymmetricKey) -> Result) -> Result {
        defer { CipherTraces.overwrite() }
        return body(key)
    }
}
