// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The secrets that all daemons on one database share in the schema of their own: those of OAuth clients. They are sealed with the
/// keys of the tokens' columns, and never stored in clear: without a key they are not stored at all.
package struct SharedSecrets: Sendable {
    private let sealing: (any ColumnSealing)?
    private let environment: TradeEnvironment

    /// Seals and opens for one environment; nil seals nothing.
    package init(_ sealing: (any ColumnSealing)?, in environment: TradeEnvironment) {
        self.sealing = sealing
        self.environment = environment
    }

    /// What is to be stored for a client's secret.
    package func stored(_ secret: Secret, ofClient name: String) throws(SharedSecretFailure) -> String {
        try stored(secret, at: ColumnPlace(secretOfClient: name, in: environment))
    }

    /// A client's secret.
    package func opened(_ stored: String, ofClient name: String) throws(SharedSecretFailure) -> Secret {
        try opened(stored, at: ColumnPlace(secretOfClient: name, in: environment))
    }

    /// The key that opens what is stored for a client's secret.
    package func key(of stored: String, ofClient name: String) throws(SharedSecretFailure) -> SealingKey {
        try openedByKey(stored, at: ColumnPlace(secretOfClient: name, in: environment)).key
    }

    private func stored(_ secret: Secret, at place: ColumnPlace) throws(SharedSecretFailure) -> String {
        guard let sealing, sealing.sealingKeyID != nil else { throw .noSealingKey }
        do {
            return try sealing.seal(secret, at: place)
        } catch {
            throw .notSealed(error)
        }
    }

    private func opened(_ stored: String, at place: ColumnPlace) throws(SharedSecretFailure) -> Secret {
        try openedByKey(stored, at: place).secret
    }

    private func openedByKey(
        _ stored: String,
        at place: ColumnPlace
    ) throws(SharedSecretFailure) -> (secret: Secret, key: SealingKey) {
        guard let sealing, sealing.sealingKeyID != nil else { throw .noSealingKey }
        switch sealing.open(stored, at: place) {
        case .sealed(let secret, by: let key): return (secret, key)
        case .unreadable(let fault): throw .unreadable(fault)
        // Nothing of ours is: somebody else put it there, and may not choose a client's secret so.
        case .clear: throw .inClear
        }
    }
}

/// Why a shared secret was neither stored nor opened. Says nothing of the secret, and may be shown.
package enum SharedSecretFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// `encryption.mode` is `none`.
    case noSealingKey
    /// It cannot be sealed.
    case notSealed(SealingFailure)
    /// What is stored does not open.
    case unreadable(SealFault)
    /// What is stored is not sealed.
    case inClear

    /// What happened, and what to do.
    package var description: String {
        switch self {
        case .noSealingKey:
            "secrets are stored in the database sealed or not at all, and encryption.mode is none: make a key with "
                + "tastytokend keygen, and set encryption.mode to jwe"
        case .notSealed(let failure): "it was not stored: \(failure)"
        case .unreadable(let fault): "what is stored \(fault)"
        case .inClear: "what is stored is not sealed, and was not stored by a daemon: store it again"
        }
    }
}
