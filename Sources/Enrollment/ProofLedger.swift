// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Which grants are being proved, and which were just now: each proof is a call of TastyTrade, which blocks an address for hours after
/// repeated refusals (fact sheet section 11).
package struct ProofLedger: Sendable {
    /// So many at a time.
    package static let mostAtOnce = 8
    /// Between the ends of two of one user; as between two refreshes that are ordered (product.md, `POST refresh`).
    package static let spacing: Duration = .seconds(5)

    /// Why one cannot begin now.
    package enum Obstacle: Error, Hashable, Sendable {
        /// Another one of that user is under way.
        case underWay
        /// The user's last one ended a moment ago; so long is to be waited.
        case tooSoon(Duration)
        /// Too many of other users are under way.
        case tooMany
    }

    /// Whose are under way, and whether TastyTrade was asked yet.
    private var underWay: [UserID: Bool] = [:]
    private var endedAt: [UserID: Moment] = [:]

    /// None yet.
    package init() {}

    /// A proof is to begin.
    ///
    /// - Parameters:
    ///   - user: whose.
    ///   - now: the time.
    /// - Throws: why it cannot now.
    package mutating func begin(_ user: UserID, at now: Moment) throws(Obstacle) {
        endedAt = endedAt.filter { !($0.value + Self.spacing).isReached(at: now) }
        guard underWay[user] == nil else { throw .underWay }
        if let end = endedAt[user] { throw .tooSoon((end + Self.spacing).remaining(at: now)) }
        guard underWay.count < Self.mostAtOnce else { throw .tooMany }
        underWay[user] = false
    }

    /// TastyTrade is asked about the user's proof, which counts for the next one.
    package mutating func ask(for user: UserID) { underWay[user] = true }

    /// The user's proof came to its end.
    ///
    /// - Parameters:
    ///   - user: whose.
    ///   - now: the time.
    package mutating func end(_ user: UserID, at now: Moment) {
        if underWay.removeValue(forKey: user) == true { endedAt[user] = now }
    }
}
