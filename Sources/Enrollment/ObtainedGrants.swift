// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Authorizations that are spent in the database and not finished, because TastyTrade or the database was away: whoever asks again with the
/// same state goes on from where it stopped, since state and code are good once. A person is at the other end, so they are kept in memory
/// alone.
struct ObtainedGrants: Sendable {
    /// So many; of more the oldest goes.
    static let most = 100

    private struct Entry: Sendable {
        let authorization: PendingAuthorization
        let token: Secret?
        let until: Moment
    }

    private var entries: [Entry] = []

    /// Keeps the grant that a code gave; nil where the code was not sent yet.
    mutating func keep(_ token: Secret?, for authorization: PendingAuthorization, at now: Moment) {
        entries.removeAll { $0.until.isReached(at: now) || $0.authorization.stateHash == authorization.stateHash }
        entries.append(
            Entry(authorization: authorization, token: token, until: now + PendingAuthorization.lifetime)
        )
        if entries.count > Self.most { entries.removeFirst() }
    }

    /// What is kept for a state; nil if there is nothing.
    mutating func find(_ state: SecretHash, at now: Moment) -> (authorization: PendingAuthorization, token: Secret?)? {
        entries.removeAll { $0.until.isReached(at: now) }
        return entries.first { $0.authorization.stateHash == state }.map { ($0.authorization, $0.token) }
    }

    /// Forgets what is kept for a state: it is in its row, or good for nothing.
    mutating func remove(_ state: SecretHash) {
        entries.removeAll { $0.authorization.stateHash == state }
    }
}
