// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
package import Logging
package import TokenCore

/// Connects accounts on TastyTrade's own page (RFC 6749 section 4.1): sends people there, takes them back once, exchanges the code they bring,
/// and has ``AccountConnector`` prove the grant and put it into its row.
package actor CodeFlow {
    /// An account that was connected.
    typealias Finish = (subject: AuthorizationSubject, notes: [String])

    let connector: AccountConnector
    let store: any AuthorizationStoring
    let endpoint: any CodeExchanging
    let secrets: SecretSource
    let clock: ClockReading
    let logger: Logger
    /// What came of authorizations that were begun in browsers.
    var finished = RepeatedAnswers<Finish>()
    /// Where browsers were sent that opened a link.
    var departures = RepeatedAnswers<AuthorizationStart>()
    var obtained = ObtainedGrants()
    /// States that are spent for nothing, from the failure of their exchange to the end of what finishes them.
    var lost: Set<SecretHash> = []

    /// Puts it together; nothing happens until it is asked.
    ///
    /// - Parameters:
    ///   - connector: who proves grants and stores them.
    ///   - store: where it is kept who was sent to TastyTrade.
    ///   - endpoint: who exchanges codes.
    ///   - secrets: chance and digests.
    ///   - clock: both clocks.
    ///   - logger: told what operators want to know.
    package init(
        _ connector: AccountConnector,
        store: any AuthorizationStoring,
        endpoint: any CodeExchanging,
        secrets: SecretSource,
        clock: @escaping ClockReading,
        logger: Logger
    ) {
        self.connector = connector
        self.store = store
        self.endpoint = endpoint
        self.secrets = secrets
        self.clock = clock
        self.logger = logger
    }
}

// MARK: - Sending people to TastyTrade

extension CodeFlow {
    /// See ``Authorizing/beginAuthorization(of:with:from:)``.
    package func beginAuthorization(
        of user: UserID,
        with client: String?,
        from place: AuthorizationPlace
    ) async throws(EnrollmentFailure) -> AuthorizationStart {
        try await begin(user, try await connector.client(for: user, named: client), from: place)
    }

    /// See ``Authorizing/authorizationSubject(of:with:)``.
    package func authorizationSubject(
        of user: UserID,
        with client: String?
    ) async throws(EnrollmentFailure) -> AuthorizationSubject {
        let chosen = try await connector.client(for: user, named: client)
        _ = try chosen.request
        return subject(user, chosen)
    }

    /// See ``Authorizing/makeAuthorizationLink(for:with:)``.
    package func makeAuthorizationLink(
        for user: UserID,
        with client: String?
    ) async throws(EnrollmentFailure) -> (token: Secret, expiresAt: WallTime) {
        let chosen = try await connector.client(for: user, named: client)
        _ = try chosen.request
        let token = secrets.makeToken()
        let link = AuthorizationLink(hash: secrets.hash(of: token), user: user, client: chosen.storedName)
        let expiresAt = clock().wall + AuthorizationLink.lifetime
        try await note(Self.noLink) { store async throws(StoreFailure) in try await store.putLink(link) }
        return (token, expiresAt)
    }

    /// See ``Authorizing/authorization(byLink:)``.
    package func authorization(byLink link: Secret) async throws(EnrollmentFailure) -> AuthorizationSubject {
        let link = try await look(at: link)
        return subject(link.user, try await connector.client(for: link.user, named: link.clientName))
    }

    /// See ``Authorizing/beginAuthorization(byLink:in:)``.
    package func beginAuthorization(
        byLink link: Secret,
        in browser: Secret
    ) async throws(EnrollmentFailure) -> AuthorizationStart {
        let (hash, owner) = (secrets.hash(of: link), secrets.hash(of: browser))
        if let before = departures.find(hash, of: owner, at: clock()) { return try await before.work.value.get() }
        let seen: AuthorizationLink
        do throws(EnrollmentFailure) {
            seen = try await look(at: link)
        } catch {
            // Spent meanwhile, by this browser's own other click perhaps.
            guard let before = departures.find(hash, of: owner, at: clock()) else { throw error }
            return try await before.work.value.get()
        }
        let chosen = try await connector.client(for: seen.user, named: seen.clientName)
        _ = try chosen.request
        // A second one may have come while those were looked up.
        if let before = departures.find(hash, of: owner, at: clock()) { return try await before.work.value.get() }
        let work = Task { await self.leave(by: seen, chosen, in: browser) }
        departures.add(hash, of: owner, subject(seen.user, chosen), work, at: clock())
        return try await work.value.get()
    }

    private func leave(
        by link: AuthorizationLink,
        _ client: ChosenClient,
        in browser: Secret
    ) async -> Result<AuthorizationStart, EnrollmentFailure> {
        do throws(EnrollmentFailure) {
            return .success(try await begin(link.user, client, from: .browser(browser), spending: link.hash))
        } catch {
            departures.remove(link.hash, of: secrets.hash(of: browser))
            return .failure(error)
        }
    }

    private func look(at link: Secret) async throws(EnrollmentFailure) -> AuthorizationLink {
        let found = try await noted("The link", over: .linkIsOver) { store async throws(StoreFailure) in
            try await store.peekLink(secrets.hash(of: link))
        }
        guard let found else { throw .linkIsNone }
        return found
    }

    private static let noLink = "No link was made"

    private func begin(
        _ user: UserID,
        _ client: ChosenClient,
        from place: AuthorizationPlace,
        spending link: SecretHash? = nil
    ) async throws(EnrollmentFailure) -> AuthorizationStart {
        let request = try client.request
        let state = secrets.makeToken()
        let pending = PendingAuthorization(
            stateHash: secrets.hash(of: state),
            user: user,
            client: client.storedName,
            origin: origin(of: place),
            redirectURI: client.redirectURI
        )
        let expiresAt = clock().wall + PendingAuthorization.lifetime
        try await note("Nobody was sent to TastyTrade") { store async throws(StoreFailure) in
            if let link { return try await store.begin(pending, spending: link) }
            return try await store.begin(pending)
        }
        logger.info(
            "somebody is sent to TastyTrade to connect an account",
            metadata: [
                LogKey.user: "\(user)", LogKey.event: "authorization.begun",
                LogKey.client: "\(client.registration.name)",
            ]
        )
        return AuthorizationStart(url: request.url(state: state), state: state, expiresAt: expiresAt)
    }

    private func note(
        _ what: String,
        _ body: (any AuthorizationStoring) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal>
    ) async throws(EnrollmentFailure) {
        let outcome: Result<Void, AuthorizationRefusal>
        do throws(StoreFailure) {
            outcome = try await body(store)
        } catch {
            throw .unavailable(error, what)
        }
        try outcome.mapError { EnrollmentFailure(notNoted: $0, what) }.get()
    }

    /// What was noted, if there is anything.
    ///
    /// - Parameters:
    ///   - what: what is looked up.
    ///   - late: what it means that its time is over.
    ///   - body: looks it up, or takes it.
    /// - Returns: what was noted; nil if nothing was, or not any more.
    /// - Throws: that its time is over, or that the database does not say.
    func noted<Value>(
        _ what: String,
        over late: EnrollmentFailure,
        _ body: (any AuthorizationStoring) async throws(StoreFailure) -> Noted<Value>?
    ) async throws(EnrollmentFailure) -> Value? {
        let found: Noted<Value>?
        do throws(StoreFailure) {
            found = try await body(store)
        } catch {
            throw .unavailable(error, "\(what) could not be looked at")
        }
        guard found?.isExpired != true else { throw late }
        return found?.value
    }

    func origin(of place: AuthorizationPlace) -> PendingAuthorization.Origin {
        switch place {
        case .socket: .socket
        case .browser(let secret): .browser(secrets.hash(of: secret))
        }
    }

    func subject(_ user: UserID, _ client: ChosenClient) -> AuthorizationSubject {
        AuthorizationSubject(
            user: user,
            client: client.registration.name,
            environment: client.registration.environment,
            page: client.authorizeURL,
            redirectURI: client.redirectURI,
            scopes: client.scopes
        )
    }
}

extension AuthorizationLink {
    fileprivate var clientName: String { client ?? ClientRegistration.configuredName }
}

extension ChosenClient {
    /// What is asked for it on TastyTrade's page.
    fileprivate var request: AuthorizationRequest {
        get throws(EnrollmentFailure) {
            guard let id = registration.clientID, !id.isEmpty else { throw .noClientID(of: registration.name) }
            return AuthorizationRequest(page: authorizeURL, clientID: id, redirectURI: redirectURI, scopes: scopes)
        }
    }
}
