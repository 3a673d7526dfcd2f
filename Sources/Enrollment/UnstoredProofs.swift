// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Answers that proved a grant and could not be stored: whoever tries again with the same grant needs no other call, which may not be answered
/// any more where refresh tokens are replaced. A person is at the other end, so they are kept in memory alone.
package struct UnstoredProofs: Sendable {
    /// So many; of more the oldest goes.
    package static let most = 100

    private struct Entry: Sendable {
        let user: UserID
        let used: Secret
        let client: String?
        let answer: TokenAnswer
    }

    private var entries: [Entry] = []

    /// None yet.
    package init() {}

    /// Keeps what was answered.
    ///
    /// - Parameters:
    ///   - answer: what was answered.
    ///   - used: the refresh token that was sent.
    ///   - user: whose account it is for.
    ///   - client: the client's name; nil is the configuration's.
    ///   - now: the time; what died before is dropped.
    package mutating func keep(
        _ answer: TokenAnswer,
        used: Secret,
        for user: UserID,
        client: String?,
        at now: Moment
    ) {
        forget(user)
        entries.removeAll { !$0.answer.life.isAlive(at: now) }
        entries.append(Entry(user: user, used: used, client: client, answer: answer))
        if entries.count > Self.most { entries.removeFirst() }
    }

    /// Drops what was answered for that user: somebody wants his account to have no grant, or another one has taken its place.
    package mutating func forget(_ user: UserID) {
        entries.removeAll { $0.user == user }
    }

    /// Takes out what was answered to that refresh token for that user, if its token is alive yet.
    ///
    /// - Parameters:
    ///   - used: the refresh token that was sent.
    ///   - user: whose account it was for.
    ///   - client: the client's name; nil is the configuration's.
    ///   - now: the time; what died before is dropped.
    /// - Returns: the answer; nil if there is none.
    package mutating func take(_ used: Secret, for user: UserID, client: String?, at now: Moment) -> TokenAnswer? {
        entries.removeAll { !$0.answer.life.isAlive(at: now) }
        guard let index = entries.firstIndex(where: { $0.user == user && $0.used == used && $0.client == client })
        else { return nil }
        return entries.remove(at: index).answer
    }
}
