// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCipher
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

        /// How columns are sealed.
        package let mode: Mode
        /// What seals and opens, with the keys that there are. Nothing else of them is kept.
        package let sealing: any ColumnSealing
    }
}

extension Configuration.Encryption {
    /// Reads `encryption.*`. Keys are read and derived for the mode that is set, which may take a quarter of a second.
    init(reading reader: inout SettingReader) {
        mode = reader.value("encryption.mode", .choice())
        // Looked at in every mode, and read in one.
        if mode != .jwe { _ = reader.optional("encryption.jwe.keysFile", .path) }
        let rails = Rails(reading: &reader)
        let sealing: (any ColumnSealing)? =
            switch mode {
            case .none: ClearColumns()
            case .jwe: Self.jweColumns(&reader)
            case .rails: rails.columns(&reader)
            }
        // In the place of one that could not be had; the mistake is noted, so that nothing is ever done with it.
        self.sealing = sealing ?? ClearColumns()
    }

    private static func jweColumns(_ reader: inout SettingReader) -> JWEColumns? {
        let name = "encryption.jwe.keysFile"
        let found = reader.secretFile(name, credential: "token-keys")
        reader.require(
            found != nil,
            ["encryption.mode", name],
            "jwe needs keys, and \(name) names no file of them",
            "make one with tastytokend keygen"
        )
        guard let found else { return nil }
        do throws(KeySetFault) {
            let keys = try JWEKeySet(Array(found.text.utf8))
            let number = keys.ids.count
            let words = "(\(number) \(number == 1 ? "key" : "keys"), \(keys.ids[0]) seals, from \(found.place))"
            reader.note(name, words, fingerprint: Secret(found.text).fingerprint)
            return JWEColumns(keys)
        } catch {
            reader.mistake(
                name,
                at: found.place,
                "holds no keys for jwe: \(error)",
                "mend the file, or make one with tastytokend keygen"
            )
            return nil
        }
    }
}

/// What a Rails application has for its keys, as long as it takes to derive them.
private struct Rails {
    /// The last seals, all open.
    let primaryKeys: [Secret]
    /// For columns that the application searches by.
    let deterministicKey: Secret?
    /// What keys are derived with.
    let keyDerivationSalt: Secret?
    /// What keys are derived by.
    let hashDigest: RailsSettings.Digest
    /// Whether values name their keys.
    let storeKeyReferences: Bool

    /// Reads `encryption.rails.*`.
    init(reading reader: inout SettingReader) {
        let section = "encryption.rails"
        primaryKeys = reader.secrets("\(section).primaryKeys", credential: "rails-primary-keys")
        deterministicKey = reader.secret("\(section).deterministicKey")
        keyDerivationSalt = reader.secret("\(section).keyDerivationSalt", credential: "rails-key-derivation-salt")
        hashDigest = reader.value("\(section).hashDigest", .choice())
        storeKeyReferences = reader.value("\(section).storeKeyReferences", .flag)
    }

    /// What seals and opens with these keys; nil, and a mistake noted, where some are missing.
    func columns(_ reader: inout SettingReader) -> RailsColumns? {
        require(!primaryKeys.isEmpty, "primaryKeys", as: "primary_key", &reader)
        require(keyDerivationSalt != nil, "keyDerivationSalt", as: "key_derivation_salt", &reader)
        guard !primaryKeys.isEmpty, let keyDerivationSalt else { return nil }
        let settings = RailsSettings(
            primaryKeys: primaryKeys,
            deterministicKey: deterministicKey,
            keyDerivationSalt: keyDerivationSalt,
            hashDigest: hashDigest,
            storeKeyReferences: storeKeyReferences
        )
        do throws(RailsSettingsFault) {
            return RailsColumns(try RailsKeys(settings))
        } catch {
            reader.mistake("encryption.mode", "cannot be rails: \(error)", "compare the keys with the application's")
            return nil
        }
    }

    private func require(_ holds: Bool, _ key: String, as theirs: String, _ reader: inout SettingReader) {
        let name = "encryption.rails.\(key)"
        reader.require(
            holds,
            ["encryption.mode", name, "\(name)File"],
            "rails needs \(name)",
            "take it from active_record.encryption.\(theirs) of the application"
        )
    }
}
