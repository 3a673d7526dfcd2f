// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// Secrets that everybody can guess, one after the other, and hashes that differ where what they are of differs.
package enum CountingSecrets {
    /// Begins to count.
    package static func source() -> SecretSource {
        let counter = Mutex<UInt8>(0)
        return SecretSource(
            random: { count in
                let byte = counter.withLock { number in
                    number &+= 1
                    return number
                }
                return (0..<count).map { byte &+ UInt8(truncatingIfNeeded: $0) }
            },
            digest: hash(of:)
        )
    }

    /// FNV-1a, four times with other beginnings: no secret is kept by it.
    @Sendable package static func hash(of bytes: [UInt8]) -> SecretHash {
        let words = (0..<4).map { lane in
            bytes.reduce(0xCBF2_9CE4_8422_2325 &+ UInt64(lane)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        }
        let digest = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        guard let hash = SecretHash(digest: digest) else { preconditionFailure("four words are 32 bytes") }
        return hash
    }
}
