// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Who seals secrets before they are stored, and opens what is read. Adapters: `ClearColumns`, `JWEColumns` and
/// `RailsColumns` of `TokenCipher`, one for each `encryption.mode`.
///
/// Whatever the mode, what is stored in clear is read as such, and what looks sealed is never taken for clear text.
package protocol ColumnSealing: Sendable {
    /// The id of the key that seals new values; nil where they are written in clear.
    var sealingKeyID: String? { get }

    /// The keys as they are configured, in that order. One that is configured may be several that open values.
    var configuredKeys: [ConfiguredKey] { get }

    /// What is to be stored for a secret.
    ///
    /// - Parameters:
    ///   - secret: what to seal; at most ``SealingFailure/secretLimit`` bytes.
    ///   - place: where it will stand.
    ///   - manner: as the column wants it; of no meaning but in the mode `rails`.
    /// - Returns: the column's new text.
    /// - Throws: why there is none; then the column must stay as it is.
    func seal(_ secret: Secret, at place: ColumnPlace, _ manner: SealManner) throws(SealingFailure) -> String

    /// What a stored value holds, if it may stand at that place.
    func open(_ stored: String, at place: ColumnPlace) -> OpenedColumn

    /// Whether a stored value says of itself that one of these keys sealed it for that place. That is much cheaper than to open
    /// it, and shows whether its key is missing; whether it was changed shows when it is opened.
    func claimsToOpen(_ stored: String, at place: ColumnPlace) -> Bool
}

extension ColumnSealing {
    /// What is to be stored for a secret in a column that is not searched by it.
    package func seal(_ secret: Secret, at place: ColumnPlace) throws(SealingFailure) -> String {
        try seal(secret, at: place, .random)
    }

    /// Never, where a value does not say that much of itself.
    package func claimsToOpen(_ stored: String, at place: ColumnPlace) -> Bool { false }

    /// Whether what was found should be written again, since it would now be sealed with another key, or sealed at all. What
    /// cannot be read is left as it is.
    package func wantsSealing(_ column: OpenedColumn) -> Bool {
        switch column {
        case .clear: sealingKeyID != nil
        case .sealed(_, by: let key): !key.sealsNow
        case .unreadable: false
        }
    }
}

/// Why a secret could not be sealed. Nothing was written, and nothing may be written in its place.
package enum SealingFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The longest secret, in bytes: four times the longest token that is taken from the endpoint. What is sealed can be
    /// opened again, so the limit counts for both.
    package static let secretLimit = 65_536

    /// It is longer than ``secretLimit``.
    case tooLong
    /// It is to be written in clear, and would not be read so: it has the form of a sealed value.
    case looksSealed
    /// The column is deterministic, and `encryption.rails.deterministicKey` is not set.
    case noDeterministicKey
    /// The cipher refused; it does so for no secret within the limit.
    case refused

    /// What happened, and what to do.
    package var description: String {
        switch self {
        case .tooLong: "the secret is longer than \(Self.secretLimit) bytes and cannot be sealed"
        case .looksSealed:
            "the secret has the form of a sealed value and cannot be stored in clear; set encryption.mode"
        case .noDeterministicKey:
            "the column is deterministic; set encryption.rails.deterministicKey as the application has it"
        case .refused: "the cipher refused to seal the secret"
        }
    }
}
