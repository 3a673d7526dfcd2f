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
    package func putLink(_ link: OneTimeLink) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        let arguments = [
            link.hash.hex, link.kind.rawValue, link.user?.text, link.client,
            "\(link.kind.lifetime.components.seconds)", "\(OneTimeLink.mostOfOneUser - 1)",
        ]
        return try await put(AuthorizationQueries.putLink, arguments)
    }

    /// Spends a link, once.
    package func takeLink(_ hash: SecretHash) async throws(StoreFailure) -> Noted<OneTimeLink>? {
        try await find(AuthorizationQueries.takeLink, hash, in: waits) { Noted<OneTimeLink>($0) }
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

extension Noted<OneTimeLink> {
    /// Reads the fields of ``AuthorizationQueries/takeLink``.
    fileprivate init?(_ row: PostgresRow) {
        guard let hash = row.text(0).flatMap(SecretHash.init(hex:)),
            let kind = row.text(1).flatMap(OneTimeLink.Kind.init)
        else { return nil }
        let link = OneTimeLink(hash: hash, kind: kind, user: row.text(2).map { UserID($0) }, client: row.text(3))
        self.init(link, isExpired: row.flag(4))
    }
}
