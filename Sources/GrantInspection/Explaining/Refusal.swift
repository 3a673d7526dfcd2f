// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The refusals that TastyTrade is known to give (fact sheet section 4.3; the guide's "Common Issues"), told by code and words.
enum Refusal: Hashable, CaseIterable {
    /// The value is no refresh token that TastyTrade can read.
    case invalidJWT
    /// The grant is no more.
    case grantRevoked
    /// A token's time is over.
    case tokenExpired
    /// The user has no account, in the sandbox for the moment perhaps.
    case notACustomer
    /// The secret is not the client's.
    case secretMismatch
    /// There is no such client.
    case clientNotFound
    /// The client may not do this.
    case clientUnauthorized
    /// The redirect URI is not a registered one.
    case redirectMismatch
    /// A scope is not the client's.
    case invalidScope
    /// The API does not know the version that was asked for.
    case versionUnsupported
    /// The kind of request is not the client's.
    case unsupportedGrantType
    /// A code of the authorize page is not taken; no grant is concerned.
    case codeRefused

    /// How a refusal is told: by one of these phrases in its code or its words, or by the status of the reply.
    private struct Sign: Sendable {
        let refusal: Refusal
        let phrases: [String]
        let status: Int?

        init(_ refusal: Refusal, _ phrases: String..., status: Int? = nil) {
            self.refusal = refusal
            self.phrases = phrases
            self.status = status
        }
    }

    /// In small letters, with spaces where codes have underscores. The first that fits counts: what says most stands first.
    private static let signs: [Sign] = [
        Sign(.notACustomer, "not a tastytrade customer"),
        // Of an exchange the words begin with the code that was not accepted; whatever follows but these two speaks of the code.
        Sign(.redirectMismatch, "redirect uri"),
        Sign(.codeRefused, "authorization code"),
        Sign(.invalidJWT, "invalid jwt"),
        Sign(.grantRevoked, "revoked"),
        Sign(.secretMismatch, "secret mismatch", "invalid client secret"),
        Sign(.clientNotFound, "client not found", "unknown client"),
        Sign(.invalidScope, "invalid scope"),
        Sign(.tokenExpired, "expired"),
        Sign(.clientUnauthorized, "unauthorized client"),
        Sign(.unsupportedGrantType, "unsupported grant type"),
        Sign(.versionUnsupported, status: 406),
    ]

    /// Finds the refusal; nil if it is none that is known.
    ///
    /// - Parameters:
    ///   - code: the endpoint's code.
    ///   - words: the endpoint's words.
    ///   - status: the status of the reply.
    init?(code: String?, words: String, status: Int?) {
        let texts = [code ?? "", words].map { $0.lowercased().replacing("_", with: " ") }
        let sign = Self.signs.first { sign in
            if let expected = sign.status, expected == status { return true }
            return sign.phrases.contains { phrase in texts.contains { $0.contains(phrase) } }
        }
        guard let sign else { return nil }
        self = sign.refusal
    }
}
