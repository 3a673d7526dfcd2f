// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
package import Logging
package import TokenCore

/// Connects accounts because a person said so: looks at what was entered, proves a grant by a refresh, and only then puts it into its row.
///
/// It makes its calls beside the engine's line: they are few (``ProofLedger``), and a person waits. The engine learns of what was
/// written as of any change of a row, and is told at once.
package actor AccountConnector {
    /// What the engine is told.
    package struct Effects: Sendable {
        /// A row was written; returns when it is taken in. The flag says whether its refresh token was just used.
        let rowWasWritten: @Sendable (UserID, Bool) async -> Void
        /// A client was changed; returns when it is taken in.
        let clientsWereChanged: @Sendable () async -> Void
        /// Has an account refreshed with the grant that it has.
        let refresh: @Sendable (UserID) async -> Void
        /// How many accounts there are that have a grant.
        let accountsWithGrant: @Sendable () async -> Int

        /// Takes what the engine offers.
        package init(
            rowWasWritten: @escaping @Sendable (UserID, Bool) async -> Void,
            clientsWereChanged: @escaping @Sendable () async -> Void,
            refresh: @escaping @Sendable (UserID) async -> Void,
            accountsWithGrant: @escaping @Sendable () async -> Int
        ) {
            self.rowWasWritten = rowWasWritten
            self.clientsWereChanged = clientsWereChanged
            self.refresh = refresh
            self.accountsWithGrant = accountsWithGrant
        }
    }

    var configured: ConfiguredClient
    let store: any EnrollmentStoring
    let endpoint: any TokenRequesting
    let effects: Effects
    let clock: ClockReading
    let logger: Logger
    private var proofs = ProofLedger()
    private var unstored = UnstoredProofs()

    /// Puts it together; nothing happens until it is asked.
    ///
    /// - Parameters:
    ///   - configured: the configuration's client.
    ///   - store: where accounts and clients are.
    ///   - endpoint: who asks for tokens.
    ///   - effects: what the engine is told.
    ///   - clock: both clocks.
    ///   - logger: told what operators want to know.
    package init(
        _ configured: ConfiguredClient,
        store: any EnrollmentStoring,
        endpoint: any TokenRequesting,
        effects: Effects,
        clock: @escaping ClockReading,
        logger: Logger
    ) {
        self.configured = configured
        self.store = store
        self.endpoint = endpoint
        self.effects = effects
        self.clock = clock
        self.logger = logger
    }

    /// Goes on with another secret of the configuration's client.
    ///
    /// - Parameter secret: that one.
    package func replaceSecret(with secret: Secret) {
        configured = configured.with(secret)
    }
}

extension AccountConnector: Enrolling {
    /// See ``Enrolling/connect(_:with:of:)``.
    package func connect(
        _ user: UserID,
        with pasted: Secret,
        of client: String?
    ) async throws(EnrollmentFailure) -> [String] {
        let row = try await row(of: user)
        let chosen = try await chosenClient(client, for: row)
        var (token, notes) = try Self.inspect(pasted, for: chosen, at: clock().wall)
        let held = try await refreshToken(in: row)
        // There is nothing to prove then, and a second call with it beside the engine's own might cost it.
        if held == token, row.client == chosen.storedName {
            await effects.refresh(user)
            return notes + ["The account has this very grant already; nothing was changed but for a refresh."]
        }
        if let held, Self.isAnotherLogin(token, than: held) { notes.append(Self.otherLogin) }
        try begin(user)
        var wasMade = false
        defer { proofs.end(user, at: clock(), wasMade: wasMade) }
        if let answer = unstored.take(token, for: user, client: chosen.storedName, at: clock()) {
            try await put(answer, used: token, of: user, chosen)
            return notes
        }
        wasMade = true
        let answer = try await prove(token, of: user, chosen)
        try await put(answer, used: token, of: user, chosen)
        return notes
    }

    /// See ``Enrolling/disconnect(_:)``.
    package func disconnect(_ user: UserID) async throws(EnrollmentFailure) {
        let outcome: ConnectOutcome
        do throws(StoreFailure) {
            outcome = try await store.disconnect(user)
        } catch {
            throw .unavailable(error, "The account of user \(user) was not disconnected")
        }
        try outcome.throwUnlessDone(user, "was not disconnected")
        tell("grant removed because somebody asked for it", of: user, "grant.disconnected")
        await effects.rowWasWritten(user, false)
    }
}

// MARK: - The steps of connecting

extension AccountConnector {
    private func row(of user: UserID) async throws(EnrollmentFailure) -> GrantRow {
        let rows: [GrantRow]
        do throws(StoreFailure) {
            rows = try await store.rows(of: [user])
        } catch {
            throw .unavailable(error, "Nothing was connected")
        }
        guard let row = rows.first else { throw .noRow(of: user) }
        return row
    }

    /// That of the name; without one that of the grant that the row has.
    private func chosenClient(_ name: String?, for row: GrantRow) async throws(EnrollmentFailure) -> ChosenClient {
        // A row without a grant says nothing of the client of the next one.
        let wanted = name ?? (row.grant == .none ? nil : row.client) ?? ClientRegistration.configuredName
        guard wanted != ClientRegistration.configuredName else { return ChosenClient(configured) }
        let clients: [StoredClient]
        do throws(StoreFailure) {
            clients = try await store.clients()
        } catch {
            throw .unavailable(error, "Nothing was connected")
        }
        guard let client = clients.first(where: { $0.name == wanted }) else { throw .noClient(wanted) }
        return try ChosenClient(client, apiURL: configured.registration.apiURL(of: client.environment))
    }

    /// What can be known before TastyTrade is asked.
    private static func inspect(
        _ pasted: Secret,
        for client: ChosenClient,
        at now: WallTime
    ) throws(EnrollmentFailure) -> (token: Secret, notes: [String]) {
        let grant = PastedGrant(pasted)
        let findings = grant.findings(
            for: client.registration,
            wanting: client.scopes,
            at: now,
            secretReplacedAt: client.secretChangedAt
        )
        guard let token = grant.token, findings.worst != .fault else {
            let faults = findings.filter { $0.severity == .fault }
            throw EnrollmentFailure(.grantRefused, faults.sentences.joined(separator: " "))
        }
        return (token, findings.sentences)
    }

    /// What stands in the row; nil if there is nothing, or nothing that can be read.
    private func refreshToken(in row: GrantRow) async throws(EnrollmentFailure) -> Secret? {
        guard case .present = row.grant else { return nil }
        do throws(StoreFailure) {
            guard case .success(let token)? = try await store.grants(of: [row.user]).first?.refreshToken else {
                return nil
            }
            return token
        } catch {
            throw .unavailable(error, "Nothing was connected")
        }
    }

    private static let otherLogin =
        "This grant is of another TastyTrade login than the one that the account had until now. If that is not meant, connect it again "
        + "with the login that it had."

    /// Whether both grants say whose they are, and it is not the same person (hard case H32).
    private static func isAnotherLogin(_ token: Secret, than held: Secret) -> Bool {
        guard let new = TokenContents(of: token)?.subject, let old = TokenContents(of: held)?.subject else {
            return false
        }
        return new != old
    }

    private func begin(_ user: UserID) throws(EnrollmentFailure) {
        do throws(ProofLedger.Obstacle) {
            try proofs.begin(user, at: clock())
        } catch {
            switch error {
            case .underWay:
                throw EnrollmentFailure(
                    .tooSoon,
                    "A grant of user \(user) is being tried at the moment. Wait for what comes of it.",
                    retryAfter: ProofLedger.spacing
                )
            case .tooSoon(let wait):
                throw EnrollmentFailure(
                    .tooSoon,
                    "A grant of user \(user) was tried a moment ago. Try again in some seconds.",
                    retryAfter: wait
                )
            case .tooMany:
                throw EnrollmentFailure(
                    .unavailable,
                    "Too many grants are being tried at the moment. Try again in some seconds.",
                    retryAfter: ProofLedger.spacing
                )
            }
        }
    }

    private func prove(
        _ token: Secret,
        of user: UserID,
        _ client: ChosenClient
    ) async throws(EnrollmentFailure) -> TokenAnswer {
        do throws(RefreshFailure) {
            return try await endpoint.refresh(token, of: .none, for: client.registration)
        } catch {
            logger.notice(
                "a grant that was entered was not proved, and is not stored",
                metadata: [
                    LogKey.user: "\(user)", LogKey.event: "grant.not_proved",
                    LogKey.client: "\(client.registration.name)", LogKey.errorCode: "\(error.kind.rawValue)",
                    LogKey.error: "\(error)",
                ]
            )
            throw EnrollmentFailure(error, of: client.registration)
        }
    }

    /// Puts what was proved into its row; where that cannot be, keeps it for another try.
    private func put(
        _ answer: TokenAnswer,
        used: Secret,
        of user: UserID,
        _ client: ChosenClient
    ) async throws(EnrollmentFailure) {
        let grant = ProvenGrant(user: user, used: used, answer: answer, client: client.storedName)
        do throws(EnrollmentFailure) {
            let outcome: ConnectOutcome
            do throws(StoreFailure) {
                outcome = try await store.connect(grant)
            } catch {
                throw .unavailable(error, "TastyTrade took the grant, but it could not be stored")
            }
            try outcome.throwUnlessDone(user, "could not be connected")
        } catch {
            unstored.keep(answer, used: used, for: user, client: client.storedName)
            throw error
        }
        tell("account connected", of: user, "grant.connected", client: client.registration.name)
        await effects.rowWasWritten(user, answer.newRefreshToken == nil)
    }

    func tell(_ message: Logger.Message, of user: UserID, _ event: String, client: String? = nil) {
        var metadata: Logger.Metadata = [LogKey.user: "\(user)", LogKey.event: "\(event)"]
        if let client { metadata[LogKey.client] = "\(client)" }
        logger.notice(message, metadata: metadata)
    }
}
