// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Who was sent to TastyTrade and is not back, and which links are good: in the daemon's own schema, as hashes.
extension PostgresGrantStore: AuthorizationStoring {
    /// Notes that somebody was sent to TastyTrade.
    package func begin(
        _ authorization: PendingAuthorization
    ) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        try await put(AuthorizationQueries.begin, authorization.arguments) { _ in true }
    }

    /// Notes that somebody was sent to TastyTrade by a link, which is spent by that.
    package func begin(
        _ authorization: PendingAuthorization,
        spending link: SecretHash
    ) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        try await put(AuthorizationQueries.beginByLink, authorization.arguments + [link.hex]) { result in
            result.rows { $0.flag(0) }.first ?? false
        }
    }

    /// Looks one up without spending it.
    package func peek(_ stateHash: SecretHash) async throws(StoreFailure) -> Noted<PendingAuthorization>? {
        try await find(AuthorizationQueries.peek, [stateHash.hex], in: reads) { Noted<PendingAuthorization>($0) }
    }

    /// Spends one, once.
    package func take(
        _ stateHash: SecretHash,
        as taker: SecretHash
    ) async throws(StoreFailure) -> Noted<PendingAuthorization>? {
        try await find(AuthorizationQueries.take, [stateHash.hex, taker.hex], in: waits) {
            Noted<PendingAuthorization>($0)
        }
    }

    /// Notes a link.
    package func putLink(_ link: AuthorizationLink) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        let arguments = [
            link.hash.hex, link.user.text, link.client, "\(AuthorizationLink.lifetime.components.seconds)",
            "\(AuthorizationLink.mostOfOneUser - 1)",
        ]
        return try await put(AuthorizationQueries.putLink, arguments) { _ in true }
    }

    /// Looks a link up without spending it.
    package func peekLink(_ hash: SecretHash) async throws(StoreFailure) -> Noted<AuthorizationLink>? {
        try await find(AuthorizationQueries.peekLink, [hash.hex], in: reads) { Noted<AuthorizationLink>($0) }
    }

    private func put(
        _ statement: Statement,
        _ arguments: [String?],
        _ isDone: @escaping @Sendable (PostgresResult) -> Bool
    ) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return .failure(.noSchema) }
            return try await self.waits.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                do throws(StoreError) {
                    let result = try connection.run(statement, arguments, until: deadline)
                    return isDone(result) ? .success(()) : .failure(.linkIsNone)
                } catch  where error.isForeignKeyViolation {
                    return .failure(.unknownClient)
                }
            }
        }
    }

    private func find<Value: Sendable>(
        _ statement: Statement,
        _ arguments: [String?],
        in session: PostgresSession,
        _ read: @escaping @Sendable (PostgresRow) -> Value?
    ) async throws(StoreFailure) -> Value? {
        try await withPlan { plan async throws(StoreFailure) -> Value? in
            guard plan.report.ownSchema.isPresent else { return nil }
            return try await session.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(statement, arguments, until: deadline).rows { read($0) }.first
            }
        }
    }
}

extension PendingAuthorization {
    /// The parameters of ``AuthorizationQueries/begin``.
    fileprivate var arguments: [String?] {
        let (origin, browser): (String, SecretHash?) =
            switch origin {
            case .socket: ("socket", nil)
            case .browser(let hash): ("browser", hash)
            }
        return [
            stateHash.hex, user.text, client, origin, browser?.hex, redirectURI, "\(Self.lifetime.components.seconds)",
            "\(Self.mostOfOneUser - 1)",
        ]
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
