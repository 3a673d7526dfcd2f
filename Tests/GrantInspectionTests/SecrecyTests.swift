// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import GrantInspection

/// Plants values that can be recognised wherever a secret can stand, and looks through all words of all findings.
@Suite struct SecrecyTests {
    private static let secret = "5ec4e75ec4e75ec4e75ec4e75ec4e75ec4e7beef"
    private static let code = "C0deC0deC0de"
    private static let person = "Us3rUs3rUs3r"
    private static let grant = "Gr4ntGr4ntGr4nt"

    private static let token = InventedToken(
        moreHeader: #""kid":"K3yK3yK3yK3y","jku":"https://jku.example/J4uJ4uJ4u""#,
        moreClaims:
            "\"sub\":\"\(person)\",\"grant_id\":\"\(grant)\",\"jti\":\"J7iJ7iJ7iJ7i\",\"email\":\"ma1l@example\""
    )

    private static let client = ClientRegistration(
        name: "default",
        environment: .production,
        clientID: InventedToken.clientID,
        clientSecret: Secret(secret),
        apiURL: "https://api.tastyworks.com"
    )

    /// The planted values, or parts of them.
    private static let planted: [String] = {
        let whole = [secret, String(secret.reversed()), code, person, grant] + token.parts
        let parts = whole.flatMap { [String($0.prefix(8)), String($0.suffix(8))] }
        return parts + ["K3yK3y", "J4uJ4u", "jku.example", "J7iJ7i", "ma1l"]
    }()

    private func expectClean(_ findings: [Finding]) {
        #expect(!findings.isEmpty)
        for finding in findings {
            for value in Self.planted where "\(finding)".contains(value) {
                Issue.record("\(finding.code) quotes \(value)")
            }
        }
    }

    @Test func noFindingQuotesASecret() {
        expectClean(FindingCatalogue.findings(Self.token, for: Self.client, code: Self.code))
    }

    @Test func whatMayBeQuotedHidesSecretsThatWereMovedThere() {
        for secret in [Self.secret, Self.token.text] {
            var token = Self.token
            token.type = secret
            token.audience = "\"\(secret)\""
            token.issuer = "https://\(secret)/\(secret)"
            token.scope = "\"\(secret)\""
            let client = ClientRegistration(
                name: secret,
                environment: .production,
                clientID: secret,
                clientSecret: Secret(Self.secret),
                apiURL: "https://\(secret)/"
            )
            for client in [Self.client, client] {
                expectClean(
                    TokenInspection(of: token.secret, for: client, wanting: [secret], at: FindingCatalogue.now).findings
                )
            }
        }
    }

    @Test func whatWasReadCannotBePrinted() throws {
        let contents = try #require(TokenReading(Self.token.secret).contents)
        var text = "\(contents)"
        dump(contents, to: &text)
        let inspection = TokenInspection(of: Self.token.secret, for: Self.client, wanting: [], at: FindingCatalogue.now)
        dump(inspection, to: &text)
        dump(PastedGrant(Self.token.secret), to: &text)
        dump(ClientInspection(clientID: nil, secret: Secret(Self.secret), environment: .sandbox), to: &text)
        for value in Self.planted where text.contains(value) { Issue.record("\(value) is printed") }
    }
}
