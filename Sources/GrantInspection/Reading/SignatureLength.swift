// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How long a signature must be, by its algorithm.
enum SignatureLength {
    /// The least number of bytes that a signature of that algorithm has (RFC 7518, section 3; RFC 8037, section 3.1). Of an
    /// algorithm that is not known, one.
    static func least(_ algorithm: String) -> Int {
        switch algorithm {
        case "HS256": 32
        case "HS384": 48
        case "HS512": 64
        // A key has 2048 bits or more, and a signature as many.
        case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512": 256
        case "ES256", "ES256K": 64
        case "ES384": 96
        case "ES512": 132
        // Ed25519; Ed448 has 114.
        case "EdDSA", "Ed25519": 64
        case "Ed448": 114
        default: 1
        }
    }
}
