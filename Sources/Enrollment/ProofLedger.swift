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

    /// So many may be refused within ``refusalsCountFor``, of whomever: then no more begin for a while.
    package static let mostRefused = 30
    /// How long a refusal counts.
    package static let refusalsCountFor: Duration = .seconds(60)

    /// Why one cannot begin now.
    package enum Obstacle: Error, Hashable, Sendable {
        /// Another one of that user is under way.
        case underWay
        /// The user's last one ended a moment ago; so long is to be waited.
        case tooSoon(Duration)
        /// Too many of other users are under way.
        case tooMany
        /// Too many were refused lately; so long is to be waited.
        case tooManyRefused(Duration)
    }

    /// Whose are under way, and whether TastyTrade was asked yet.
    private var underWay: [UserID: Bool] = [:]
    private var endedAt: [UserID: Moment] = [:]
    /// The last refusals, the oldest first.
    private var refusedAt: [Moment] = []

    /// None yet.
    package init() {}

    /// Whether none is under way.
    package var isIdle: Bool { underWay.isEmpty }

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
        refusedAt.removeAll { ($0 + Self.refusalsCountFor).isReached(at: now) }
        if refusedAt.count >= Self.mostRefused, let oldest = refusedAt.first {
            throw .tooManyRefused((oldest + Self.refusalsCountFor).remaining(at: now))
        }
        underWay[user] = false
    }

    /// TastyTrade is asked about the user's proof, which counts for the next one.
    package mutating func ask(for user: UserID) { underWay[user] = true }

    /// TastyTrade refused a grant, or a code.
    package mutating func refused(at now: Moment) {
        refusedAt.append(now)
        if refusedAt.count > Self.mostRefused { refusedAt.removeFirst() }
    }

    /// The user's proof came to its end.
    ///
    /// - Parameters:
    ///   - user: whose.
    ///   - now: the time.
    package mutating func end(_ user: UserID, at now: Moment) {
        if underWay.removeValue(forKey: user) == true { endedAt[user] = now }
    }
}
