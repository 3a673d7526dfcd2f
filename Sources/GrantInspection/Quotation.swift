// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What of a value may be said in words: `typ`, `alg`, the hosts of `iss` and of addresses, `aud`, client ids, scopes and
/// lengths. Everything is bounded and escaped, and the secrets at hand are struck out, as is whatever looks like a token.
struct Quotation: Sendable {
    private let secrets: [Secret]

    /// Quotes beside these secrets.
    init(hiding secrets: [Secret]) {
        self.secrets = secrets
    }

    /// A word from outside, in quotes.
    func word(_ text: String) -> String { "\"\(plain(text))\"" }

    /// The name of a host.
    func plain(_ text: String) -> String {
        SafeText(foreign: text, hiding: secrets, toBytes: SafeText.codeLimit).text
    }

    /// A client id. It is no secret (RFC 6749, section 2.2), and is shown whole where it has the form of one: it would look
    /// like a token otherwise.
    func clientID(_ text: String) -> String {
        KnownForm.isUUID(text) && !secrets.contains(Secret(text)) ? text : word(text)
    }

    /// How many characters a value has, for which nothing else of it may be shown.
    static func length(_ text: String) -> String {
        let count = text.unicodeScalars.count
        return count == 1 ? "1 character" : "\(count) characters"
    }
}
