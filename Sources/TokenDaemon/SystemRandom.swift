// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCipher
import TokenCore

/// What the system's generator gives: nobody can guess it.
enum SystemRandom {
    /// Gives so many bytes, for keys and for what is secret and good once.
    static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Makes what is secret and good once of it.
    static var secrets: SecretSource {
        SecretSource(random: { bytes($0) }, digest: { .sha256(of: $0) })
    }
}
