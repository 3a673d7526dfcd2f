// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import TokenCipher
import TokenCore

/// What is asked: to seal `seal`, or to open `open`, at a place.
struct ProbeQuestion: Decodable {
    let environment: String
    let column: String
    let row: String
    let seal: String?
    let open: String?
    let deterministic: Bool?

    func answer(with columns: some ColumnSealing) throws -> ProbeAnswer {
        guard let environment = TradeEnvironment(rawValue: environment),
            let column = ColumnPlace.Column(rawValue: column)
        else { throw ProbeFailure.noSuchPlace }
        let place = ColumnPlace(column, of: UserID(row), in: environment)
        if let seal {
            let manner: SealManner = deterministic == true ? .deterministic : .random
            return ProbeAnswer(stored: try columns.seal(Secret(seal), at: place, manner))
        }
        return ProbeAnswer(columns.open(open ?? "", at: place))
    }
}

/// What is answered: what to store; or what was found, with the secret and its key, or with the reason why not.
struct ProbeAnswer: Encodable {
    let stored: String?
    let secret: String?
    let key: String?
    let fault: String?

    init(stored: String) {
        self.stored = stored
        (secret, key, fault) = (nil, nil, nil)
    }

    init(_ opened: OpenedColumn) {
        stored = nil
        secret = opened.secret?.reveal()
        switch opened {
        case .clear: (key, fault) = (nil, nil)
        case .sealed(_, by: let key): (self.key, fault) = (key.id, nil)
        case .unreadable(let fault): (key, self.fault) = (nil, fault.description)
        }
    }
}

/// `encryption.rails` as JSON.
struct ProbeSettings: Decodable {
    let primaryKeys: [String]
    let deterministicKey: String?
    let keyDerivationSalt: String
    let hashDigest: String
    let storeKeyReferences: Bool

    var settings: RailsSettings {
        get throws {
            guard let digest = RailsSettings.Digest(rawValue: hashDigest) else { throw ProbeFailure.noSuchDigest }
            return RailsSettings(
                primaryKeys: primaryKeys.map(Secret.init),
                deterministicKey: deterministicKey.map(Secret.init),
                keyDerivationSalt: Secret(keyDerivationSalt),
                hashDigest: digest,
                storeKeyReferences: storeKeyReferences
            )
        }
    }
}

enum ProbeFailure: Error {
    case noSuchPlace
    case noSuchDigest
}
