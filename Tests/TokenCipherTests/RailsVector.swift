// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import Testing
import TokenCipher
import TokenCore

/// A value that Active Record stored, from `rails-vectors.json`.
struct RailsVector: Decodable, Sendable, CustomTestStringConvertible {
    let number: Int
    let note: String
    let primaryKeys: [String]
    let deterministicKey: String?
    let digest: String
    let storesReferences: Bool
    let deterministic: Bool
    let keyID: String
    let plaintext: String
    let stored: String

    static let salt = "Wzcj0E57lgtGOkLnBTI3NwCj5Z73unjv"
    static let all: [RailsVector] = {
        let decoded = try? JSONDecoder().decode([RailsVector].self, from: Data(PackageResources.rails_vectors_json))
        return decoded ?? []
    }()

    /// The passwords that the vectors were made with.
    static let passwordA = "WAS9oyAkPBYgyl06uWw1ys8OBt8ICYId"
    static let passwordB = "DVHlKDnIWAimZjsbf5lnMxzTBFWwez2N"
    static let passwordD = "dTHRJCRMRN0kF6UUZQlyeOl9ldoPAqBE"

    var testDescription: String { "\(number): \(note)" }
    var manner: SealManner { deterministic ? .deterministic : .random }

    func columns() throws -> RailsColumns {
        try .with(
            primaryKeys,
            deterministicKey: deterministicKey,
            digest: try #require(RailsSettings.Digest(rawValue: digest)),
            storesReferences: storesReferences
        )
    }
}

extension RailsColumns {
    static func with(
        _ primaryKeys: [String],
        deterministicKey: String? = nil,
        salt: String = RailsVector.salt,
        digest: RailsSettings.Digest = .sha256,
        storesReferences: Bool = false
    ) throws -> RailsColumns {
        let settings = RailsSettings(
            primaryKeys: primaryKeys.map(Secret.init),
            deterministicKey: deterministicKey.map(Secret.init),
            keyDerivationSalt: Secret(salt),
            hashDigest: digest,
            storeKeyReferences: storesReferences
        )
        return RailsColumns(try RailsKeys(settings))
    }

    /// Derived once for many tests: in a debug build it takes long.
    static let usual = try? with(
        [RailsVector.passwordB, RailsVector.passwordA],
        deterministicKey: RailsVector.passwordD
    )
    static let naming = try? with([RailsVector.passwordB, RailsVector.passwordA], storesReferences: true)
}
