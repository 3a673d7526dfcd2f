// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Which accounts TastyTrade is being asked about, and when it was asked last: once a second at most for all accounts (fact sheet
/// section 11), and for each as seldom as a grant is proved (``ProofLedger``).
struct ProbeLedger: Sendable {
    /// Between the beginnings of two, whoever's they are.
    static let interval: Duration = .seconds(1)

    /// One cannot begin now.
    struct Obstacle: Error, Hashable {
        /// So long is to be waited.
        let wait: Duration
    }

    private var each = ProofLedger()
    private var begunAt: Moment?

    /// None yet.
    init() {}

    /// A question is to be asked.
    ///
    /// - Parameters:
    ///   - user: about whose account.
    ///   - now: the time.
    /// - Throws: how long it is to be waited.
    mutating func begin(_ user: UserID, at now: Moment) throws(Obstacle) {
        do throws(ProofLedger.Obstacle) {
            try each.begin(user, at: now)
        } catch {
            switch error {
            case .tooSoon(let wait), .tooManyRefused(let wait): throw Obstacle(wait: wait)
            case .underWay, .tooMany: throw Obstacle(wait: ProofLedger.spacing)
            }
        }
        if let begunAt, !(begunAt + Self.interval).isReached(at: now) {
            each.end(user, at: now)
            throw Obstacle(wait: (begunAt + Self.interval).remaining(at: now))
        }
        begunAt = now
        each.ask(for: user)
    }

    /// It was answered, or given up.
    mutating func end(_ user: UserID, at now: Moment) {
        each.end(user, at: now)
    }
}
