// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// `encryption.rails.*`: what the application holds as `config.active_record.encryption`.
package struct RailsSettings: Sendable {
    /// What PBKDF2 hashes with.
    package enum Digest: String, Hashable, Sendable, CaseIterable {
        /// The default of Rails 7.1 and later.
        case sha256
        /// The default before.
        case sha1
    }

    /// Passwords, of which the **last** one seals and all open. As everywhere in the application, the text itself is the
    /// password, even where it looks like hex or base64.
    package let primaryKeys: [Secret]
    /// The password of columns that are declared `deterministic: true`.
    package let deterministicKey: Secret?
    /// What all keys are derived with.
    package let keyDerivationSalt: Secret
    /// What new values' keys are derived by. Values whose key was derived by the other digest are opened too.
    package let hashDigest: Digest
    /// Whether new values name their key.
    package let storeKeyReferences: Bool

    /// Puts the settings together; the defaults are the application's.
    package init(
        primaryKeys: [Secret],
        deterministicKey: Secret? = nil,
        keyDerivationSalt: Secret,
        hashDigest: Digest = .sha256,
        storeKeyReferences: Bool = false
    ) {
        self.primaryKeys = primaryKeys
        self.deterministicKey = deterministicKey
        self.keyDerivationSalt = keyDerivationSalt
        self.hashDigest = hashDigest
        self.storeKeyReferences = storeKeyReferences
    }
}

/// What keeps keys from being derived. Names the setting, and quotes nothing of it.
package enum RailsSettingsFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no primary key.
    case noPrimaryKey
    /// The primary key at that place, counted from 1, is empty.
    case emptyPrimaryKey(Int)
    /// The deterministic key is there, and empty.
    case emptyDeterministicKey
    /// The salt is empty.
    case emptySalt
    /// The derivation itself failed.
    case derivation

    /// What is wrong, and with which setting.
    package var description: String {
        switch self {
        case .noPrimaryKey: "encryption.rails.primaryKeys is empty; it needs the application's primary_key"
        case .emptyPrimaryKey(let place): "key \(place) of encryption.rails.primaryKeys is empty"
        case .emptyDeterministicKey:
            "encryption.rails.deterministicKey is empty; leave it out, or give the application's"
        case .emptySalt: "encryption.rails.keyDerivationSalt is empty; it needs the application's key_derivation_salt"
        case .derivation: "no key could be derived from encryption.rails"
        }
    }
}
