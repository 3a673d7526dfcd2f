// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A derived key at work.
struct RailsKey: Sendable {
    /// Active Record's name for it: the first four hexadecimal digits of its SHA-1. Two keys may have the same.
    let id: String
    /// The key itself.
    let cipher: ColumnCipher
    /// The nonce of a value in a column that is searched, by the bytes that are sealed.
    let deterministicNonce: @Sendable ([UInt8]) -> [UInt8]
}

/// The keys of `encryption.mode: rails`, derived.
package struct RailsKeys: Sendable {
    /// A key, and what it is used for.
    struct Use: Sendable {
        /// The key.
        let key: RailsKey
        /// Whether it seals new values of its columns.
        let seals: Bool
        /// Which columns are its own.
        let manner: SealManner
        /// Where its password stands in the configuration.
        let setting: String
    }

    /// All keys, in the order in which a value is tried with them: the one that seals first.
    let all: [Use]
    /// Whether new values name their key.
    let storesReferences: Bool

    /// Derives all keys, which takes some tens of milliseconds each, twice for each password.
    ///
    /// - Parameters:
    ///   - settings: what the application holds.
    ///   - derive: makes a key of a password by a digest.
    /// - Throws: which setting is missing or empty, or what `derive` threw.
    init(
        _ settings: RailsSettings,
        derive: (Secret, RailsSettings.Digest) throws(RailsSettingsFault) -> RailsKey
    ) throws(RailsSettingsFault) {
        try Self.look(at: settings)
        let others = RailsSettings.Digest.allCases.filter { $0 != settings.hashDigest }
        var uses: [Use] = []
        for digest in [settings.hashDigest] + others {
            for (index, password) in settings.primaryKeys.enumerated().reversed() {
                let seals = index == settings.primaryKeys.count - 1 && digest == settings.hashDigest
                let setting = "primaryKeys \(index + 1) of \(settings.primaryKeys.count)"
                uses.append(Use(key: try derive(password, digest), seals: seals, manner: .random, setting: setting))
            }
            if let password = settings.deterministicKey {
                let seals = digest == settings.hashDigest
                let setting = "deterministicKey"
                uses.append(
                    Use(key: try derive(password, digest), seals: seals, manner: .deterministic, setting: setting)
                )
            }
        }
        all = uses
        storesReferences = settings.storeKeyReferences
    }

    /// The key that seals columns of that manner.
    func sealing(_ manner: SealManner) -> RailsKey? {
        all.first { $0.seals && $0.manner == manner }?.key
    }

    /// The passwords as they are configured, the one that seals first.
    var configured: [ConfiguredKey] {
        var settings: [String] = []
        for use in all where !settings.contains(use.setting) { settings.append(use.setting) }
        return settings.map { setting in
            let uses = all.filter { $0.setting == setting }
            return ConfiguredKey(name: setting, ids: Set(uses.map(\.key.id)), seals: uses.contains(where: \.seals))
        }
    }

    /// The keys that a value may have been sealed with, by the name of its key if it has one.
    func candidates(named id: String?) -> [Use] {
        guard let id else { return all }
        return all.filter { $0.key.id == id }
    }

    private static func look(at settings: RailsSettings) throws(RailsSettingsFault) {
        guard !settings.primaryKeys.isEmpty else { throw .noPrimaryKey }
        if let empty = settings.primaryKeys.firstIndex(where: \.isEmpty) { throw .emptyPrimaryKey(empty + 1) }
        guard settings.deterministicKey?.isEmpty != true else { throw .emptyDeterministicKey }
        guard !settings.keyDerivationSalt.isEmpty else { throw .emptySalt }
    }
}
