// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Makes what is secret and good once, and the hashes by which it is known again.
package struct SecretSource: Sendable {
    private let random: @Sendable (Int) -> [UInt8]
    private let digest: @Sendable ([UInt8]) -> SecretHash

    /// Takes chance and digest as the composition root has them.
    ///
    /// - Parameters:
    ///   - random: so many bytes that nobody can guess.
    ///   - digest: the SHA-256 of bytes.
    package init(random: @escaping @Sendable (Int) -> [UInt8], digest: @escaping @Sendable ([UInt8]) -> SecretHash) {
        self.random = random
        self.digest = digest
    }

    /// Gives 256 bits that nobody can guess, in letters that may stand in an address, a cookie and a form (base64url).
    package func makeToken() -> Secret {
        Secret(String(decoding: Base64Text.url.encode(random(32)), as: UTF8.self))
    }

    /// Gives the hash of such a token, or of whatever somebody says is one.
    package func hash(of token: Secret) -> SecretHash {
        digest(Array(token.reveal().utf8))
    }
}
