// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension Configuration {
    /// How the tokens' columns are sealed.
    package struct Encryption: Sendable {
        /// The ways in which columns can be sealed.
        package enum Mode: String, Hashable, Sendable, CaseIterable {
            /// Not at all.
            case none
            /// As JWE (RFC 7516), with keys of our own.
            case jwe
            /// As Active Record does.
            case rails
        }

        /// The keys of a Rails application.
        package struct Rails: Sendable {
            /// What digests the key derivation can use.
            package enum HashDigest: String, Hashable, Sendable, CaseIterable {
                /// The default since Rails 7.1.
                case sha256
                /// The default before.
                case sha1
            }

            /// The first seals, all open.
            package let primaryKeys: [Secret]
            /// For columns that the application searches by.
            package let deterministicKey: Secret?
            /// What keys are derived with.
            package let keyDerivationSalt: Secret?
            /// What keys are derived by.
            package let hashDigest: HashDigest
            /// Whether values name their keys.
            package let storeKeyReferences: Bool
        }

        /// How columns are sealed.
        package let mode: Mode
        /// The file of keys for `jwe`.
        package let jweKeysFile: String?
        /// The keys for `rails`.
        package let rails: Rails
    }
}

extension Configuration.Encryption {
    /// Reads `encryption.*`.
    init(reading reader: inout SettingReader) {
        mode = reader.value("encryption.mode", .choice())
        jweKeysFile = reader.optional("encryption.jwe.keysFile", .path)
        rails = Rails(reading: &reader)
        // Going on in clear where sealing was asked for would be worse than not to start.
        reader.require(
            mode == .none,
            ["encryption.mode"],
            "this version cannot seal columns",
            "set it to none, or wait for the version that can"
        )
    }
}

extension Configuration.Encryption.Rails {
    /// Reads `encryption.rails.*`.
    fileprivate init(reading reader: inout SettingReader) {
        let section = "encryption.rails"
        primaryKeys = reader.secrets("\(section).primaryKeys", credential: "rails-primary-keys")
        deterministicKey = reader.secret("\(section).deterministicKey")
        keyDerivationSalt = reader.secret("\(section).keyDerivationSalt", credential: "rails-key-derivation-salt")
        hashDigest = reader.value("\(section).hashDigest", .choice())
        storeKeyReferences = reader.value("\(section).storeKeyReferences", .flag)
    }
}
