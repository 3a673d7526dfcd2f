// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How long an access token lives: from the moment its request was *sent*, which is the pessimistic one, for the
/// lifetime the answer named (RFC 6749 section 5.1, `expires_in`).
package struct TokenLife: Hashable, Sendable {
    /// When the token dies; the deadline carries both clocks.
    package let expiresAt: Moment
    private let lifetimeNanoseconds: Int64

    /// The whole life of the token, however much of it is over.
    package var lifetime: Duration { .nanoseconds(lifetimeNanoseconds) }

    /// The life of a token that was asked for at `sentAt`.
    package init(sentAt: Moment, lifetime: Duration) {
        self.expiresAt = sentAt + lifetime
        self.lifetimeNanoseconds = lifetime.nanoseconds
    }

    /// The life of a token whose end is known and whose beginning is only supposed, as of one found in the table.
    package init(expiresAt: Moment, lifetime: Duration) {
        self.expiresAt = expiresAt
        self.lifetimeNanoseconds = lifetime.nanoseconds
    }

    /// The whole life's beginning, as the end and the length give it.
    package var beganAt: Moment { expiresAt + .nanoseconds(-lifetimeNanoseconds) }

    /// What is left, by the clock that gives less; zero or negative once the token is dead.
    package func remaining(at now: Moment) -> Duration { expiresAt.remaining(at: now) }

    /// Alive only while both clocks say so.
    package func isAlive(at now: Moment) -> Bool { !expiresAt.isReached(at: now) }
}
