// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
import CryptoExtras
import TokenCore

extension RailsKeys {
    /// Derives all keys, which takes some tens of milliseconds each, twice for each password. Blocks so long.
    package init(_ settings: RailsSettings) throws(RailsSettingsFault) {
        try self.init(settings) { (password, digest) throws(RailsSettingsFault) in
            try RailsKey.derived(from: password, salt: settings.keyDerivationSalt, digest)
        }
    }
}

extension RailsKey {
    /// Active Record's, since 7.0: below what the library thinks right for passwords, which these are not.
    private static let rounds = 65_536
    private static let keyBytes = 32
    /// Of a SHA-1 in hexadecimal, as it is written into values.
    private static let identifierDigits = 4

    /// The key of a password.
    fileprivate static func derived(
        from password: Secret,
        salt: Secret,
        _ digest: RailsSettings.Digest
    ) throws(RailsSettingsFault) -> RailsKey {
        var password = Array(password.reveal().utf8)
        defer { password.wipe() }
        guard
            let derived = try? KDF.Insecure.PBKDF2.deriveKey(
                from: password,
                salt: Array(salt.reveal().utf8),
                using: digest.hashFunction,
                outputByteCount: keyBytes,
                unsafeUncheckedRounds: rounds
            )
        else { throw .derivation }
        let locked = LockedBytes.of(derived)
        let key = CipherKey(locked)
        return RailsKey(id: identifier(of: derived), cipher: .aes(locked)) { bytes in
            // Whatever digest the key was derived by, this one is SHA-256.
            key.use {
                Array(HMAC<SHA256>.authenticationCode(for: bytes, using: $0).prefix(ColumnCipher.nonceBytes))
            }
        }
    }

    private static func identifier(of key: SymmetricKey) -> String {
        let digest = key.withUnsafeBytes { Array(Insecure.SHA1.hash(data: $0)) }
        let digits = Array("0123456789abcdef".utf8)
        let text = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text.prefix(identifierDigits), as: UTF8.self)
    }
}

extension RailsSettings.Digest {
    fileprivate var hashFunction: KDF.Insecure.PBKDF2.HashFunction {
        switch self {
        case .sha256: .sha256
        case .sha1: .insecureSHA1
        }
    }
}
