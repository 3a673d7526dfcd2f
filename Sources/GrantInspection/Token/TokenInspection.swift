// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What can be known of a refresh token without asking anybody: what it says of itself, held against the client for which it
/// is to be used.
///
/// A token is read without proof, so this is diagnosis, and no decision beyond ``FindingCode/severity`` rests on it.
package struct TokenInspection: Sendable {
    /// What it says of itself; nil if it says nothing that can be read.
    package var contents: TokenContents? { reading.contents }

    let token: Secret
    let client: ClientRegistration
    let wantedScopes: [String]
    let now: WallTime
    let secretReplacedAt: WallTime?
    let reading: TokenReading
    let quotation: Quotation

    /// Reads a token.
    ///
    /// - Parameters:
    ///   - token: the token, as ``PastedGrant`` gives it or as it stands in a row.
    ///   - client: the client for which it is to be used.
    ///   - scopes: what the grant should allow.
    ///   - now: this host's time.
    ///   - secretReplacedAt: when the client's secret was last replaced at TastyTrade, where that is known.
    package init(
        of token: Secret,
        for client: ClientRegistration,
        wanting scopes: [String],
        at now: WallTime,
        secretReplacedAt: WallTime? = nil
    ) {
        self.token = token
        self.client = client
        self.wantedScopes = scopes
        self.now = now
        self.secretReplacedAt = secretReplacedAt
        // What is longer than any token is not looked into.
        self.reading =
            token.reveal().utf8.count <= PastedGrant.tokenLimit ? TokenReading(token) : TokenReading(Secret(""))
        self.quotation = Quotation(hiding: [token, client.clientSecret])
    }

    /// All that there is to say, in the order of the questions.
    package var findings: [Finding] {
        if let finding = otherThing { return [finding] }
        let form = formFindings
        guard let contents else { return form }
        return form + audienceFindings(contents) + issuerFindings(contents) + scopeFindings(contents)
            + timeFindings(contents)
    }

    /// The name of the client, in quotes.
    var clientName: String { quotation.word(client.name) }
}
