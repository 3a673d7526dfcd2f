// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import GrantInspection

@Suite struct ClientInspectionTests {
    private static let id = InventedToken.clientID
    private static let secret = InventedToken.secret
    private static let token = InventedToken().text

    @Test(
        "Client ids and secrets",
        arguments: [
            (id, secret, []), (id.uppercased(), secret.uppercased(), []),
            (nil, secret, [.clientIDMissing]), ("", secret, [.clientIDMissing]),
            (" \(id)", secret, [.clientIDUnclean]), ("\(id)\n", secret, [.clientIDUnclean]),
            ("\"\(id)\"", secret, [.clientIDUnclean]), ("\(id)'", secret, [.clientIDUnclean]),
            ("\(id)\u{200B}", secret, [.clientIDUnclean]), ("a b", secret, [.clientIDUnclean]),
            ("ä", secret, [.clientIDUnclean]), (token, secret, [.clientIDIsToken]),
            (InventedToken().parts[0], secret, [.clientIDIsToken]),
            (secret, id, [.clientIDLooksLikeSecret, .clientSecretLooksLikeID]),
            (secret, secret, [.clientIDLooksLikeSecret, .clientSecretIsClientID]),
            ("my-client", secret, [.clientIDUnusual]), (String(id.dropLast()), secret, [.clientIDUnusual]),
            (id.replacing("-", with: ""), secret, [.clientIDUnusual]),
            (id, "", [.clientSecretMissing]), (id, id, [.clientSecretIsClientID]),
            (id, InventedToken.otherClientID, [.clientSecretLooksLikeID]), (id, token, [.clientSecretIsToken]),
            (id, "\(secret) ", [.clientSecretUnclean]), (id, "'\(secret)'", [.clientSecretUnclean]),
            (id, "“\(secret)”", [.clientSecretUnclean]), (id, "\u{FEFF}\(secret)", [.clientSecretUnclean]),
            (id, "a\u{7}b", [.clientSecretUnclean]), (id, "correct-horse", [.clientSecretUnusual]),
            (id, secret + "0", [.clientSecretUnusual]), (nil, "", [.clientIDMissing, .clientSecretMissing]),
            (id, String(repeating: "e", count: 100_000), [.clientSecretUnusual]),
        ] as [(String?, String, [FindingCode])]
    )
    func everyMixUpIsTold(id: String?, secret: String, codes: [FindingCode]) {
        for environment in TradeEnvironment.allCases {
            let inspection = ClientInspection(clientID: id, secret: Secret(secret), environment: environment)
            #expect(inspection.findings.map(\.code) == codes)
        }
    }
}

@Suite struct ScopeInspectionTests {
    @Test(
        arguments: [
            (["read", "trade", "openid"], []), ([], []), (["readonly"], [.scopeUnknown]), (["Read"], [.scopeUnknown]),
            (["read", "read"], [.scopeRepeated]), (["x", "x"], [.scopeUnknown, .scopeRepeated]),
            ([""], [.scopeUnknown]),
            (["read trade"], [.scopeUnknown]),
        ] as [([String], [FindingCode])]
    )
    func unknownAndRepeatedOnesAreTold(scopes: [String], codes: [FindingCode]) {
        #expect(ScopeInspection.findings(scopes).map(\.code) == codes)
    }

    @Test(arguments: [
        ("readonly", "Write read."), ("READ", "Write read."), ("write", "Write trade."), ("oidc", "Write openid."),
    ])
    func whatIsMeantIsSaid(scope: String, remedy: String) {
        #expect(ScopeInspection.findings([scope]).map(\.remedy) == [remedy])
    }
}
