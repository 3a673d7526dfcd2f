// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Where OAuth clients are kept besides the configuration's. Adapter: `GrantStore`.
package protocol ClientStoring: Sendable {
    /// Puts a client in, or another in its place. Its secret is sealed. A client keeps its environment for as long as accounts have
    /// grants of it.
    ///
    /// - Returns: that it was done, or why not, in words.
    /// - Throws: as every call of the database.
    func put(_ client: StoredClient) async throws(StoreFailure) -> Result<Void, ClientRefusal>

    /// Takes a client out, unless accounts have grants of it.
    ///
    /// - Throws: as every call of the database.
    func removeClient(_ name: String) async throws(StoreFailure) -> ClientRemoval
}

/// Why a client was not stored. Says nothing of its secret, and may be shown.
package enum ClientRefusal: Error, Hashable, Sendable {
    /// Its secret cannot be sealed.
    case secret(SharedSecretFailure)
    /// Accounts have grants of it, from its environment as it was.
    case otherEnvironment(TradeEnvironment)
    /// The daemon has no schema of its own.
    case noSchema
}
