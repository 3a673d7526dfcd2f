// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Sealing anew the secrets of OAuth clients, which are sealed by the same keys as the rows (`tastytokend reseal`).
extension PostgresGrantStore {
    /// How the clients' secrets are sealed.
    ///
    /// - Returns: the count; of nothing where there is no schema to keep clients in.
    /// - Throws: as every call of the database.
    package func clientSeals() async throws(StoreFailure) -> ClientSeals {
        let secrets = configuration.tokens.shared
        return try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return ClientSeals() }
            return try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                var seals = ClientSeals()
                try connection.run(ClientQueries.all, until: deadline).forEachRow { row in
                    guard let name = row.text(0), let stored = row.text(3) else { return }
                    seals.count(stored, of: name, secrets)
                }
                return seals
            }
        }
    }

    /// Seals anew what wants it. The secret stays the same, so that no daemon takes it for another one. What does not open is left
    /// as it is.
    ///
    /// - Returns: how many were sealed anew.
    /// - Throws: as every call of the database; then none was.
    package func resealClients() async throws(StoreFailure) -> Int {
        let secrets = configuration.tokens.shared
        return try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return 0 }
            return try await self.writes.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try self.tellKey(on: connection, until: deadline)
                return try connection.transaction(until: deadline) { () throws(StoreError) in
                    let held = try connection.run(ClientQueries.secrets, until: deadline).rows(SealedClient.init)
                    let anew = held.compactMap { client in client.anew(by: secrets).map { (client, $0) } }
                    for (client, sealed) in anew {
                        try connection.run(
                            ClientQueries.resealed.hiding([Secret(client.stored), Secret(sealed)]),
                            [client.name, client.stored, sealed],
                            until: deadline
                        )
                    }
                    return anew.count
                }
            }
        }
    }
}

/// How the secrets of OAuth clients are sealed.
package struct ClientSeals: Hashable, Sendable {
    /// What was counted; a client is a row, and holds one value.
    package private(set) var census: SealCensus
    /// Clients whose secrets would be sealed otherwise today.
    package private(set) var wanting: Int

    /// Puts together what was seen; nothing unless given.
    package init(census: SealCensus = SealCensus(), wanting: Int = 0) {
        (self.census, self.wanting) = (census, wanting)
    }

    fileprivate mutating func count(_ stored: String, of name: String, _ secrets: SharedSecrets) {
        do throws(SharedSecretFailure) {
            let key = try secrets.key(of: stored, ofClient: name)
            census.count([.sealed(key)])
            if !key.sealsNow { wanting += 1 }
        } catch {
            census.count([.closed("The secret of client \(name): \(error).")])
        }
    }
}

/// A client, and its secret as it is stored.
private struct SealedClient {
    let name: String
    let stored: String

    init?(_ row: PostgresRow) {
        guard let name = row.text(0), let stored = row.text(1) else { return nil }
        (self.name, self.stored) = (name, stored)
    }

    /// Its secret as it would be stored now; nil if it is so already, or does not open.
    func anew(by secrets: SharedSecrets) -> String? {
        do throws(SharedSecretFailure) {
            guard try !secrets.key(of: stored, ofClient: name).sealsNow else { return nil }
            return try secrets.stored(try secrets.opened(stored, ofClient: name), ofClient: name)
        } catch {
            return nil
        }
    }
}
