// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// OAuth clients in the daemon's own schema, with their secrets sealed by the keys of the tokens' columns.
extension PostgresGrantStore {
    /// All of them, by name; none where there is no schema to keep them in.
    package func clients() async throws(StoreFailure) -> [StoredClient] {
        let secrets = configuration.tokens.shared
        return try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return [] }
            return try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(ClientQueries.all, until: deadline).rows { StoredClient($0, secrets) }
            }
        }
    }

    /// Puts a client in, or another in its place. Its secret is sealed. A client keeps its environment for as long as accounts have grants
    /// of it.
    ///
    /// - Parameter client: with its secret; when that was replaced is not asked of it.
    /// - Returns: that it was done, or why not.
    /// - Throws: as every call of the database.
    package func put(_ client: StoredClient) async throws(StoreFailure) -> Result<Void, ClientRefusal> {
        let secrets = configuration.tokens.shared
        let (secret, sealed): (Secret, String)
        do throws(SharedSecretFailure) {
            secret = try client.clientSecret.get()
            sealed = try secrets.stored(secret, ofClient: client.name)
        } catch {
            return .failure(.secret(error))
        }
        return try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return .failure(.noSchema) }
            return try await self.waits.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try self.tellKeyBeforeWriting(plan, on: connection, until: deadline)
                return try connection.transaction(until: deadline) { () throws(StoreError) in
                    let held = try connection.run(ClientQueries.held, [client.name], until: deadline).rows {
                        HeldClient($0, secrets, name: client.name)
                    }.first
                    if let held, held.hasGrants, held.environment != client.environment {
                        return .failure(.otherEnvironment(held.environment))
                    }
                    let arguments = [
                        client.name, client.environment.rawValue, client.clientID, sealed, client.redirectURI,
                        client.scopes.joined(separator: " "), "\(held?.secret != secret)",
                    ]
                    try connection.run(
                        ClientQueries.put.hiding([secret, Secret(sealed)]),
                        arguments,
                        until: deadline
                    )
                    return .success(())
                }
            }
        }
    }

    /// Takes a client out, unless accounts have grants of it.
    ///
    /// - Parameter name: the client's.
    /// - Returns: what became of it.
    /// - Throws: as every call of the database.
    package func removeClient(_ name: String) async throws(StoreFailure) -> ClientRemoval {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return .unknown }
            return try await self.waits.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(ClientQueries.remove, [name], until: deadline).rows { row -> ClientRemoval? in
                    switch (row.integer(0) ?? 0, row.integer(1) ?? 0) {
                    case (0, 0): .unknown
                    case (0, let accounts): .inUse(accounts: Int(accounts))
                    default: .removed
                    }
                }.first ?? .unknown
            }
        }
    }
}

/// What a client that is to be replaced was like.
private struct HeldClient {
    let environment: TradeEnvironment
    let hasGrants: Bool
    /// Nil if it does not open: then whatever comes is another one.
    let secret: Secret?

    init?(_ row: PostgresRow, _ secrets: SharedSecrets, name: String) {
        guard let environment = row.text(0).flatMap(TradeEnvironment.init) else { return nil }
        self.environment = environment
        hasGrants = row.flag(1)
        secret = row.text(2).flatMap { text in
            do throws(SharedSecretFailure) { return try secrets.opened(text, ofClient: name) } catch { return nil }
        }
    }
}

extension StoredClient {
    /// Reads the fields of ``ClientQueries/all``; nil for an environment that this daemon does not know.
    fileprivate init?(_ row: PostgresRow, _ secrets: SharedSecrets) {
        guard let name = row.text(0), let environment = row.text(1).flatMap(TradeEnvironment.init),
            let clientID = row.text(2), let sealed = row.text(3), let redirectURI = row.text(4),
            let scopes = row.text(5)
        else { return nil }
        let secret: Result<Secret, SharedSecretFailure>
        do throws(SharedSecretFailure) {
            secret = .success(try secrets.opened(sealed, ofClient: name))
        } catch {
            secret = .failure(error)
        }
        self.init(
            name: name,
            environment: environment,
            clientID: clientID,
            clientSecret: secret,
            redirectURI: redirectURI,
            scopes: scopes.split(separator: " ").map(String.init),
            secretChangedAt: row.integer(6).map(WallTime.init(microseconds:))
        )
    }
}
