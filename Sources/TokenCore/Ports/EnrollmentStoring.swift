// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Where accounts are connected: the application's rows, and the OAuth clients in the daemon's own schema. Adapter: `GrantStore`.
///
/// Every call ends within the store's own deadlines, and a failure says what happened in words that are safe to show.
package protocol EnrollmentStoring: Sendable {
    /// The rows of these users as they are now; a user whose row is gone is missing from the result.
    func rows(of users: [UserID]) async throws(StoreFailure) -> [GrantRow]

    /// The refresh tokens of these users as they are now; a user whose row is gone, or has none, is missing.
    func grants(of users: [UserID]) async throws(StoreFailure) -> [StoredGrant]

    /// Puts a grant that proved itself into its user's row, in place of whatever stands there, with the token that it gave, and notes
    /// whose client's it is: all of it or nothing. What is being stored for the grant that was there before takes no effect any more.
    func connect(_ grant: ProvenGrant) async throws(StoreFailure) -> ConnectOutcome

    /// Sets the row's three columns to NULL.
    func disconnect(_ user: UserID) async throws(StoreFailure) -> ConnectOutcome

    /// The OAuth clients besides the configuration's, by name.
    func clients() async throws(StoreFailure) -> [StoredClient]

    /// How many accounts have grants of each client, besides the configuration's; a client without any is missing.
    func accountsByClient() async throws(StoreFailure) -> [String: Int]

    /// Puts a client in, or another in its place.
    func put(_ client: StoredClient) async throws(StoreFailure) -> Result<Void, ClientRefusal>

    /// Takes a client out, unless accounts have grants of it.
    func removeClient(_ name: String) async throws(StoreFailure) -> ClientRemoval
}

/// A grant that gave a token, on its way into its user's row.
package struct ProvenGrant: Hashable, Sendable {
    /// Whose it is.
    package let user: UserID
    /// The refresh token that the row is to hold.
    package let refreshToken: Secret
    /// The token that it gave.
    package let answer: TokenAnswer
    /// The name of the OAuth client that it was given to; nil is the configuration's.
    package let client: String?
    /// The environment whose grant it is; that of the client when it was proved.
    package let environment: TradeEnvironment

    /// Puts together what the endpoint gave.
    ///
    /// - Parameters:
    ///   - user: whose it is.
    ///   - used: the refresh token that was sent; the one that came in its place, if any, is the grant's now.
    ///   - answer: what the endpoint answered.
    ///   - client: the name of the client; nil is the configuration's.
    ///   - environment: whose endpoint answered.
    package init(
        user: UserID,
        used: Secret,
        answer: TokenAnswer,
        client: String?,
        environment: TradeEnvironment
    ) {
        self.user = user
        self.refreshToken = answer.newRefreshToken ?? used
        self.answer = answer
        self.client = client
        self.environment = environment
    }
}

/// What became of changing a row's grant.
package enum ConnectOutcome: Hashable, Sendable {
    /// The row is as it was meant to be.
    case done
    /// There is no row of that user.
    case unknownUser
    /// There is no such client in the database any more, or no place to note it in.
    case unknownClient
    /// Another session holds the row, after a short wait too; nothing was changed.
    case locked
    /// The database did not take it; nothing was changed.
    case rejected(reason: String)
}
