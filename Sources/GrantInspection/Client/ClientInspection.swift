// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What can be known of a client's id and secret without asking anybody.
package struct ClientInspection: Sendable {
    private let clientID: String?
    private let secret: Secret
    private let environment: TradeEnvironment

    /// Takes what was entered, as it was entered.
    ///
    /// - Parameters:
    ///   - clientID: the client id; nil or empty if there is none.
    ///   - secret: the client secret; empty if there is none.
    ///   - environment: the world in which the client was registered.
    package init(clientID: String?, secret: Secret, environment: TradeEnvironment) {
        self.clientID = clientID
        self.secret = secret
        self.environment = environment
    }

    /// All that there is to say: of the id first, then of the secret; one thing of each, the one that explains most.
    package var findings: [Finding] {
        [idFinding(clientID ?? ""), secretFinding(secret.reveal())].compactMap { $0 }
    }

    private var seeThePage: String { "Copy it again, alone, from \(environment.applicationsPage)." }

    private func idFinding(_ id: String) -> Finding? {
        if id.isEmpty { return idMissing }
        if Self.isToken(id) {
            return Finding(.clientIDIsToken, "The client id is a token.", remedy: seeThePage)
        }
        if let flaw = TextFlaw(in: id) {
            return Finding(.clientIDUnclean, "The client id \(flaw.words).", remedy: seeThePage)
        }
        if KnownForm.isFortyDigits(id) {
            return Finding(
                .clientIDLooksLikeSecret,
                "The client id has the form of a client secret (40 hexadecimal digits).",
                remedy: seeThePage
            )
        }
        guard !KnownForm.isUUID(id) else { return nil }
        return Finding(
            .clientIDUnusual,
            "The client id is no UUID (36 characters with four dashes), as TastyTrade's are; it has \(Quotation.length(id)).",
            remedy: "\(seeThePage) If it is the same there, nothing is wrong."
        )
    }

    private var idMissing: Finding {
        Finding(
            .clientIDMissing,
            "There is no client id. Refreshes work without; connecting an account on TastyTrade's page does not, "
                + "and a grant cannot be compared with its client.",
            remedy: "Copy it from \(environment.applicationsPage)."
        )
    }

    private func secretFinding(_ text: String) -> Finding? {
        if text.isEmpty {
            return Finding(
                .clientSecretMissing,
                "There is no client secret, without which TastyTrade refreshes nothing.",
                remedy: secretRemedy
            )
        }
        if Self.isToken(text) {
            return Finding(.clientSecretIsToken, "The client secret is a token.", remedy: secretRemedy)
        }
        if let flaw = TextFlaw(in: text) {
            return Finding(
                .clientSecretUnclean,
                "The client secret \(flaw.words).",
                remedy: "Enter it once more, the secret alone: 40 characters without quotes and white space."
            )
        }
        if text == clientID {
            return Finding(
                .clientSecretIsClientID,
                "Client id and client secret are the same.",
                remedy: secretRemedy
            )
        }
        if KnownForm.isUUID(text) {
            return Finding(
                .clientSecretLooksLikeID,
                "The client secret has the form of a client id (a UUID).",
                remedy: secretRemedy
            )
        }
        guard !KnownForm.isFortyDigits(text) else { return nil }
        return Finding(
            .clientSecretUnusual,
            "The client secret has not the 40 hexadecimal digits that TastyTrade's are known to have; it has "
                + "\(Quotation.length(text)).",
            remedy: "Nothing, if TastyTrade showed it so."
        )
    }

    private var secretRemedy: String {
        "Enter the client secret, which TastyTrade shows once. If it is lost, regenerate it at "
            + "\(environment.applicationsPage), which ends the grants made so far."
    }

    private static func isToken(_ text: String) -> Bool {
        guard text.utf8.count <= PastedGrant.tokenLimit else { return false }
        return switch TokenReading(Secret(text)).form {
        case .opaque: false
        case .encrypted, .signed, .truncated, .damaged: true
        }
    }
}
