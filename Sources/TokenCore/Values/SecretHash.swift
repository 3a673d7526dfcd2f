// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The SHA-256 of something that is good once, by which it is known again without being kept.
///
/// It is made of 64 hexadecimal digits and of nothing else, so that what it was made from cannot be put in its place by mistake.
package struct SecretHash: Hashable, Sendable {
    /// The digits, in small letters.
    package let hex: String

    /// Takes a hash's digits.
    ///
    /// - Parameter hex: 64 of them, in small letters; anything else gives nil.
    package init?(hex: String) {
        let isHash =
            hex.utf8.count == 64 && hex.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard isHash else { return nil }
        self.hex = hex
    }

    /// Takes a hash as it was computed.
    ///
    /// - Parameter digest: 32 bytes; another number of them gives nil.
    package init?(digest: [UInt8]) {
        guard digest.count == 32 else { return nil }
        hex = String(
            decoding: digest.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] },
            as: UTF8.self
        )
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
