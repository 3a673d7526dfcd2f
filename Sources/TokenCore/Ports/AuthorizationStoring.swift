// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Where it is kept who was sent to TastyTrade and is not back, and which links are good: in the database, so that a browser may come back to
/// any daemon. Adapter: `GrantStore`.
///
/// What is secret stays with whoever made it: only hashes come here. Every call ends within the store's own deadlines.
package protocol AuthorizationStoring: Sendable {
    /// Notes that somebody was sent to TastyTrade. It is good for ``PendingAuthorization/lifetime`` from now on, by the database's clock.
    /// What is long past is forgotten on the way, and so is the user's oldest, where he has too many.
    ///
    /// - Parameter authorization: must have a state that was never used before.
    /// - Returns: that it was noted, or why not.
    /// - Throws: as every call of the database.
    func begin(_ authorization: PendingAuthorization) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal>

    /// Notes that somebody was sent to TastyTrade by a link, as ``begin(_:)`` does, and spends the link by it: both, or neither.
    ///
    /// - Parameters:
    ///   - authorization: must have a state that was never used before.
    ///   - link: the link's hash.
    /// - Returns: that it was noted, or why not; `linkIsNone` where the link was spent, or its time is over.
    /// - Throws: as every call of the database.
    func begin(
        _ authorization: PendingAuthorization,
        spending link: SecretHash
    ) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal>

    /// Looks one up without spending it: who may finish it is to be checked first.
    ///
    /// - Parameter stateHash: the hash of the state that came back.
    /// - Returns: what was noted; nil if it was never begun, is spent, or is forgotten.
    /// - Throws: as every call of the database.
    func peek(_ stateHash: SecretHash) async throws(StoreFailure) -> Noted<PendingAuthorization>?

    /// Spends one: of all who ask for it at the same time, on all daemons, one gets it.
    ///
    /// - Parameters:
    ///   - stateHash: the hash of the state that came back.
    ///   - taker: what nobody else says who takes it; who heard nothing of it gets it again by the same.
    /// - Returns: what was noted; nil as for ``peek(_:)``.
    /// - Throws: as every call of the database.
    func take(
        _ stateHash: SecretHash,
        as taker: SecretHash
    ) async throws(StoreFailure) -> Noted<PendingAuthorization>?

    /// Notes a link, as ``begin(_:)`` does an authorization.
    func putLink(_ link: AuthorizationLink) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal>

    /// Looks a link up without spending it.
    func peekLink(_ hash: SecretHash) async throws(StoreFailure) -> Noted<AuthorizationLink>?
}

/// What was noted for a time, and whether that is over.
package struct Noted<Value: Hashable & Sendable>: Hashable, Sendable {
    /// What was noted.
    package let value: Value
    /// Whether its time was over, by the database's clock: then it is good for nothing but a word about that.
    package let isExpired: Bool

    /// Puts together what was found.
    package init(_ value: Value, isExpired: Bool) {
        self.value = value
        self.isExpired = isExpired
    }
}

/// Why an authorization or a link was not noted.
package enum AuthorizationRefusal: Error, Hashable, Sendable {
    /// The daemon has no schema of its own.
    case noSchema
    /// There is no such client in the database.
    case unknownClient
    /// The link that was to be spent is none, or not any more.
    case linkIsNone
}
