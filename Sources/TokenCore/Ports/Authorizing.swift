// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What socket and pages need to connect accounts on TastyTrade's own page (RFC 6749 section 4.1). Adapter: `CodeFlow` of
/// Enrollment.
///
/// Every call ends within deadlines of its own, and a failure says what happened in words that are safe to show.
package protocol Authorizing: Sendable {
    /// Sends somebody to TastyTrade. What is begun here can be finished by any daemon on the database, once, and from the same place.
    ///
    /// - Parameters:
    ///   - user: whose account is to be connected; the row must exist.
    ///   - client: the name of the OAuth client to ask for; nil for the one that the user's grant is of now, else the configuration's.
    ///   - place: where it is begun.
    /// - Returns: where to send them.
    /// - Throws: why nothing was begun.
    func beginAuthorization(
        of user: UserID,
        with client: String?,
        from place: AuthorizationPlace
    ) async throws(EnrollmentFailure) -> AuthorizationStart

    /// What ``beginAuthorization(of:with:from:)`` would ask for; begins nothing.
    ///
    /// - Parameters:
    ///   - user: whose account is to be connected; the row must exist.
    ///   - client: as for ``beginAuthorization(of:with:from:)``.
    /// - Returns: what would be asked for.
    /// - Throws: why it cannot be asked for.
    func authorizationSubject(
        of user: UserID,
        with client: String?
    ) async throws(EnrollmentFailure) -> AuthorizationSubject

    /// Makes a link that begins an authorization in the browser that opens it, once.
    ///
    /// - Parameters:
    ///   - user: whose account is to be connected; the row must exist.
    ///   - client: as for ``beginAuthorization(of:with:from:)``.
    /// - Returns: what makes the link secret, and until when it is good.
    /// - Throws: why there is none.
    func makeAuthorizationLink(
        for user: UserID,
        with client: String?
    ) async throws(EnrollmentFailure) -> (token: Secret, expiresAt: WallTime)

    /// What a link is for; spends nothing, since whatever opens links ahead of people comes here too.
    ///
    /// - Parameter link: what makes it secret.
    /// - Returns: what is to be asked for.
    /// - Throws: that it is good for nothing, or not any more.
    func authorization(byLink link: Secret) async throws(EnrollmentFailure) -> AuthorizationSubject

    /// Spends a link, and sends whoever opened it to TastyTrade.
    ///
    /// - Parameters:
    ///   - link: what makes it secret.
    ///   - browser: what only that browser has.
    /// - Returns: where to send them; the same to the same browser for ten minutes, so that a second click does no harm.
    /// - Throws: why nothing was begun; the link is spent only if something was.
    func beginAuthorization(
        byLink link: Secret,
        in browser: Secret
    ) async throws(EnrollmentFailure) -> AuthorizationStart

    /// What somebody who came back from TastyTrade was sent there for; spends nothing.
    ///
    /// - Parameters:
    ///   - state: the state that came back with them.
    ///   - place: where they came back to.
    /// - Returns: what was asked for.
    /// - Throws: that it was never begun, is over or done, or was begun elsewhere.
    func authorization(
        inState state: Secret,
        from place: AuthorizationPlace
    ) async throws(EnrollmentFailure) -> AuthorizationSubject

    /// Finishes what was begun: exchanges the code, proves the grant by a refresh, and only then puts it into the user's row in place of
    /// the one that stands there.
    ///
    /// - Parameters:
    ///   - state: the state that came back; spent by this, unless the place is another.
    ///   - end: what came back with it.
    ///   - place: where it came back to.
    /// - Returns: whose account is connected, and sentences on what is worth knowing though it worked.
    /// - Throws: why the row is as it was. A browser that asks again for the same has the same answer for ten minutes. Where nobody could
    ///   say (kinds `tooSoon` and `unavailable`, with a time to wait), whoever asks again goes on from where it stopped.
    func finishAuthorization(
        inState state: Secret,
        with end: AuthorizationEnd,
        from place: AuthorizationPlace
    ) async throws(EnrollmentFailure) -> (subject: AuthorizationSubject, notes: [String])
}

/// Where somebody is who is sent to TastyTrade, and comes back.
package enum AuthorizationPlace: Hashable, Sendable {
    /// A program that may connect accounts over the socket.
    case socket
    /// A browser that keeps this in a cookie, and no other has.
    case browser(Secret)
}

/// What came back from TastyTrade's page with the state.
package enum AuthorizationEnd: Hashable, Sendable {
    /// `code`: to be exchanged for a grant.
    case code(Secret)
    /// `error`: a word of RFC 6749 section 4.1.2.1, or anything else that somebody wrote there.
    case error(String)
}

/// Whom an authorization is about, and with what.
package struct AuthorizationSubject: Hashable, Sendable {
    /// Whose account is connected.
    package let user: UserID
    /// The name of the OAuth client.
    package let client: String
    /// The world whose page it is.
    package let environment: TradeEnvironment
    /// The page's address without what is asked there: where people are sent.
    package let page: String
    /// Where the page sends them back to.
    package let redirectURI: String
    /// What the client asks to be allowed.
    package let scopes: [String]

    /// Puts it together.
    package init(
        user: UserID,
        client: String,
        environment: TradeEnvironment,
        page: String,
        redirectURI: String,
        scopes: [String]
    ) {
        self.scopes = scopes
        self.redirectURI = redirectURI
        self.user = user
        self.client = client
        self.environment = environment
        self.page = page
    }
}

/// An authorization that was begun.
package struct AuthorizationStart: Hashable, Sendable {
    /// The address on TastyTrade's page to which a person is to be sent; holds the state.
    package let url: Secret
    /// The state that comes back.
    package let state: Secret
    /// Until when it must be back.
    package let expiresAt: WallTime

    /// Puts it together.
    package init(url: Secret, state: Secret, expiresAt: WallTime) {
        self.url = url
        self.state = state
        self.expiresAt = expiresAt
    }
}
