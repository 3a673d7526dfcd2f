// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantInspection

/// What is known of tokens that stand in rows (fact sheet section 13).
@Suite struct InspectedClientTests {
    private static let now = Moment.newYear.wall

    private func inspected(_ registration: ClientRegistration = .ours) -> InspectedClient {
        InspectedClient(registration, redirectURI: "https://app.example/cb", scopes: ["read", "trade"])
    }

    private static func access(_ change: (inout InventedToken) -> Void = { _ in }) -> InventedToken {
        InventedToken(type: "at+jwt", expiresAt: String(InventedToken.newYear + 900)).with(change)
    }

    @Test(
        arguments: [
            ("\(InventedToken().text)", []), (" \(InventedToken().text)", [.storedTokenUnclean]),
            ("\(InventedToken().text) ", [.storedTokenUnclean]), ("\"\(InventedToken().text)\"", [.storedTokenUnclean]),
            ("Bearer \(InventedToken().text)", [.storedTokenUnclean]),
            ("\(InventedToken().text) x", [.tokenBroken]),
            (InventedToken(type: "at+jwt").text, [.accessTokenPasted]),
            (" \(InventedToken(type: "at+jwt").text)", [.storedTokenUnclean, .accessTokenPasted]),
            (InventedToken(audience: "\"\(InventedToken.otherClientID)\"").text, [.grantOfOtherClient]),
            (InventedToken(scope: "\"read\"").text, [.scopeLacksTrade]),
        ] as [(String, [FindingCode])]
    )
    func aRefreshTokenIsLookedAtAsItStandsInItsRow(_ text: String, _ codes: [FindingCode]) {
        let findings = inspected().findings(onRefreshToken: Secret(text), at: Self.now)
        #expect(findings.map(\.code) == codes, "\(findings)")
    }

    @Test(
        arguments: [
            (access(), 900, []), (access { $0.type = "rt+jwt" }, 900, [.refreshTokenAsAccessToken]),
            (access { $0.issuer = "https://api.cert.tastyworks.com" }, 900, [.accessTokenOfOtherEnvironment]),
            (access { $0.audience = "\"\(InventedToken.otherClientID)\"" }, 900, [.accessTokenOfOtherClient]),
            (access { $0.audience = "\"https://api.tastytrade.com\"" }, 900, []), (access(), 929, []),
            (access(), 871, []), (access(), 930, [.accessTokenEndsOtherwise]),
            (access(), -2700, [.accessTokenEndsOtherwise]), (access(), nil, []),
            (access { $0.expiresAt = nil }, 7200, []),
        ] as [(InventedToken, Int64?, [FindingCode])]
    )
    func anAccessTokenIsHeldAgainstItsClientAndItsExpiry(_ token: InventedToken, _ end: Int64?, _ codes: [FindingCode])
    {
        let end = end.map { Self.now + .seconds($0) }
        let findings = inspected().findings(onAccessToken: token.secret, endingAt: end)
        #expect(findings.map(\.code) == codes, "\(findings)")
    }

    @Test func whatStandsAroundAnAccessTokenIsSaidToo() {
        let findings = inspected().findings(onAccessToken: Secret("\(Self.access().text) "), endingAt: nil)
        #expect(findings.map(\.code) == [.storedTokenUnclean])
        #expect(findings.first?.problem.contains("access token's column") == true)
        #expect(inspected().findings(onAccessToken: Secret("opaque"), endingAt: Self.now).isEmpty)
    }

    /// Hours apart are a wrong time zone; which way is said.
    @Test func theSpanBetweenTwoEndsIsSaid() {
        for (end, words) in [(8100 as Int64, "2 hours later"), (-6300, "2 hours earlier")] {
            let findings = inspected().findings(onAccessToken: Self.access().secret, endingAt: Self.now + .seconds(end))
            #expect(findings.first?.problem.contains(words) == true, "\(findings)")
        }
    }

    /// Tokens of a stand-in on this host may name either environment.
    @Test func aStandInsEnvironmentIsNoDoubt() {
        let token = InventedToken(issuer: "https://api.tastytrade.com").secret
        #expect(inspected(.simulated).findings(onRefreshToken: token, at: Self.now).isEmpty)
        let elsewhere = ClientRegistration(
            name: "relay",
            environment: .sandbox,
            clientID: InventedToken.clientID,
            clientSecret: Secret(InventedToken.secret),
            apiURL: "https://relay.example"
        )
        #expect(inspected(elsewhere).findings(onRefreshToken: token, at: Self.now).map(\.code) == [.environmentInDoubt])
    }

    @Test func aStoredClientIsLookedAtAsTheConfigurationsIs() {
        func client(_ secret: Result<Secret, SharedSecretFailure>) -> StoredClient {
            StoredClient(
                name: "second",
                environment: .production,
                clientID: InventedToken.secret,
                clientSecret: secret,
                redirectURI: "https://app.example",
                scopes: ["readonly"],
                secretChangedAt: Self.now
            )
        }
        let inspected = InspectedClient(client(.success(Secret(InventedToken.secret))), beside: .ours)
        #expect(
            inspected.settingFindings.map(\.code) == [
                .clientIDLooksLikeSecret, .clientSecretIsClientID, .redirectWithoutPath, .scopeUnknown,
            ]
        )
        #expect(
            inspected.findings(onRefreshToken: InventedToken().secret, at: Self.now).map(\.code).contains(
                .olderThanSecret
            )
        )
        #expect(inspected.registration.apiURL == "https://api.tastyworks.com")
        // A secret that cannot be had is no missing one.
        let closed = InspectedClient(client(.failure(.noSealingKey)), beside: .ours)
        #expect(closed.settingFindings.map(\.code) == [.redirectWithoutPath, .scopeUnknown])
    }
}
