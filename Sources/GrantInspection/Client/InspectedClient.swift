// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// An OAuth client, and what can be known of it and of the tokens that stand in rows under it: `check`, `doctor` and whoever puts a client
/// in look at the same things.
package struct InspectedClient: Sendable {
    /// As calls need it.
    package let registration: ClientRegistration
    private let redirectURI: String
    private let scopes: [String]
    /// When its secret was last replaced at TastyTrade, where that is known.
    package let secretReplacedAt: WallTime?
    private let hasKnownSecret: Bool

    /// Takes the configuration's.
    ///
    /// - Parameters:
    ///   - registration: the client.
    ///   - redirectURI: where the authorize page sends people back to.
    ///   - scopes: what it asks for.
    package init(_ registration: ClientRegistration, redirectURI: String, scopes: [String]) {
        self.registration = registration
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.secretReplacedAt = nil
        self.hasKnownSecret = true
    }

    /// Takes one of the database. Of a secret that cannot be had nothing is said here (`StoredClient.obstacle`).
    ///
    /// - Parameters:
    ///   - stored: the client.
    ///   - own: the configuration's client, which says where each environment is called.
    package init(_ stored: StoredClient, beside own: ClientRegistration) {
        self.registration = ClientRegistration(stored, apiURL: own.apiURL(of: stored.environment))
        self.redirectURI = stored.redirectURI
        self.scopes = stored.scopes
        self.secretReplacedAt = stored.secretChangedAt
        self.hasKnownSecret = stored.obstacle == nil
    }

    /// All that there is to say of its settings: of id and secret, of the redirect URI, of the scopes.
    package var settingFindings: [Finding] {
        let own = ClientInspection(
            clientID: registration.clientID,
            secret: registration.clientSecret,
            environment: registration.environment
        )
        return (hasKnownSecret ? own.findings : []) + RedirectInspection(of: redirectURI).findings
            + ScopeInspection.findings(scopes)
    }

    /// All that there is to say of a refresh token that stands in a row.
    ///
    /// - Parameters:
    ///   - token: what stands there.
    ///   - now: this host's time.
    /// - Returns: what is wrong or may be, in the order of the questions.
    package func findings(onRefreshToken token: Secret, at now: WallTime) -> [Finding] {
        let stored = PastedGrant(token)
        guard let inside = stored.token else { return stored.findings }
        let inspection = TokenInspection(
            of: inside,
            for: registration,
            wanting: scopes,
            at: now,
            secretReplacedAt: secretReplacedAt
        )
        return [StoredTokenInspection.unclean(stored.findings, .refresh)].compactMap { $0 }
            + withoutDoubts(inspection.findings)
    }

    /// All that there is to say of an access token that stands in a row.
    ///
    /// - Parameters:
    ///   - token: what stands there.
    ///   - end: when it dies, by what stands beside it; nil where nothing does.
    /// - Returns: what is wrong or may be, in the order of the questions.
    package func findings(onAccessToken token: Secret, endingAt end: WallTime?) -> [Finding] {
        let stored = PastedGrant(token)
        guard let inside = stored.token else { return stored.findings }
        return [StoredTokenInspection.unclean(stored.findings, .access)].compactMap { $0 }
            + StoredTokenInspection(inside, of: registration, endingAt: end).findings
    }

    /// Where a stand-in for TastyTrade is called on this host, its tokens may name either environment.
    private func withoutDoubts(_ findings: [Finding]) -> [Finding] {
        KnownHost(ofAddress: registration.apiURL)?.isLoopback == true
            ? findings.filter { $0.code != .environmentInDoubt } : findings
    }
}
