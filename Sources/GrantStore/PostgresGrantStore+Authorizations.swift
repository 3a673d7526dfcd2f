// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Who was sent to TastyTrade and is not back, and which links are good: in the daemon's own schema, as hashes.
extension PostgresGrantStore: AuthorizationStoring {
    /// Notes that somebody was sent to TastyTrade.
    package func begin(
        _ authorization: PendingAuthorization
    ) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        let (origin, browser): (String, SecretHash?) =
            switch authorization.origin {
            case .socket: ("socket", nil)
            case .browser(let hash): ("browser", hash)
            }
        let arguments = [
            authorization.stateHash.hex, authorization.user.text, authorization.client, origin, browser?.hex,
            authorization.redirectURI, "\(PendingAuthorization.lifetime.components.seconds)",
            "\(PendingAuthorization.mostOfOneUser - 1)",
        ]
        return try await put(AuthorizationQueries.begin, arguments)
    }

    /// Looks one up without spending it.
    package func peek(_ stateHash: SecretHash) async throws(StoreFailure) -> Noted<PendingAuthorization>? {
        try await find(AuthorizationQueries.peek, stateHash, in: reads) { Noted<PendingAuthorization>($0) }
    }

    /// Spends one, once.
    package func take(_ stateHash: SecretHash) async throws(StoreFailure) -> Noted<PendingAuthorization>? {
        try await find(AuthorizationQueries.take, stateHash, in: waits) { Noted<PendingAuthorization>($0) }
    }

    /// Notes a link.
    package func putLink(_ link: AuthorizationLink) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        let arguments = [
            link.hash.hex, link.user.text, link.client, "\(AuthorizationLink.lifetime.components.seconds)",
            "\(AuthorizationLink.mostOfOneUser - 1)",
        ]
        return try await put(AuthorizationQueries.putLink, arguments)
    }

    /// Looks a link up without spending it.
    package func peekLink(_ hash: SecretHash) async throws(StoreFailure) -> Noted<AuthorizationLink>? {
        try await find(AuthorizationQueries.peekLink, hash, in: reads) { Noted<AuthorizationLink>($0) }
    }

    /// Spends a link, once.
    package func takeLink(_ hash: SecretHash) async throws(StoreFailure) -> Noted<AuthorizationLink>? {
        try await find(AuthorizationQueries.takeLink, hash, in: waits) { Noted<AuthorizationLink>($0) }
    }

    private func put(
        _ statement: Statement,
        _ arguments: [String?]
    ) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return .failure(.noSchema) }
            return try await self.waits.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                do throws(StoreError) {
                    try connection.run(statement, arguments, until: deadline)
                    return .success(())
                } catch  where error.isForeignKeyViolation {
                    return .failure(.unknownClient)
                }
            }
        }
    }

    private func find<Value: Sendable>(
        _ statement: Statement,
        _ hash: SecretHash,
        in session: PostgresSession,
        _ read: @escaping @Sendable (PostgresRow) -> Value?
    ) async throws(StoreFailure) -> Value? {
        try await withPlan { plan async throws(StoreFailure) -> Value? in
            guard plan.report.ownSchema.isPresent else { return nil }
            return try await session.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(statement, [hash.hex], until: deadline).rows { read($0) }.first
            }
        }
    }
}

extension Noted<PendingAuthorization> {
    /// Reads the fields of ``AuthorizationQueries/peek``.
    fileprivate init?(_ row: PostgresRow) {
        guard let stateHash = row.text(0).flatMap(SecretHash.init(hex:)), let user = row.text(1),
            let redirectURI = row.text(4)
        else { return nil }
        let browser = row.text(3).flatMap(SecretHash.init(hex:))
        let authorization = PendingAuthorization(
            stateHash: stateHash,
            user: UserID(user),
            client: row.text(2),
            origin: browser.map { .browser($0) } ?? .socket,
            redirectURI: redirectURI
        )
        self.init(authorization, isExpired: row.flag(5))
    }
}

extension Noted<AuthorizationLink> {
    /// Reads the fields of ``AuthorizationQueries/peekLink``.
    fileprivate init?(_ row: PostgresRow) {
        guard let hash = row.text(0).flatMap(SecretHash.init(hex:)), let user = row.text(1) else { return nil }
        self.init(AuthorizationLink(hash: hash, user: UserID(user), client: row.text(2)), isExpired: row.flag(3))
    }
}
