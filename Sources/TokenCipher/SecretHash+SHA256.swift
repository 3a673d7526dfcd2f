// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
package import TokenCore

extension SecretHash {
    /// Computes the SHA-256 of bytes.
    ///
    /// - Parameter bytes: what is to be known again. Only of what nobody can guess the hash tells nothing.
    /// - Returns: the hash.
    package static func sha256(of bytes: [UInt8]) -> SecretHash {
        guard let hash = SecretHash(digest: Array(SHA256.hash(data: bytes))) else {
            preconditionFailure("a SHA-256 has 32 bytes")
        }
        return hash
    }
}
