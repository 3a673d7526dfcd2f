// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What kind of provider an account has.
enum AccountKind: Hashable, Sendable, CaseIterable {
    /// Each refresh brings a new refresh token; the old one kills the grant when it is used again.
    case strict
    /// The same, but the old one is good for a token's life yet.
    case grace
    /// The refresh token stays the same.
    case plain
}

/// How large a run is, and by which times it goes. In seconds.
struct ChaosSettings: Hashable, Sendable {
    /// Repeats a run's disturbances.
    var seed: UInt64
    /// How long there are disturbances.
    var seconds: Double
    /// How many accounts there are; their kinds take turns.
    var accounts = 36
    /// How many daemons there are.
    var daemons = 3
    /// A token's life: four times ``claimFor`` at least.
    var life = 20.0
    /// `refresh.claimFor`.
    var claimFor = 5.0
    /// `refresh.timeout`.
    var timeout = 2.5
    /// How long a connection that fell silent is waited for at most: a batch of writes has twice a statement's time.
    var statementTime: Double { 2 * max(claimFor / 4, 1) }
    /// Whether daemons' clocks are stepped.
    var stepsClocks = false
    /// How long an account may be without a live token while no fault is at work.
    var bar = 2.0
    /// Whether that is only said, and decides nothing.
    var isLenient = false

    /// An account's kind.
    func kind(of account: Int) -> AccountKind { AccountKind.allCases[account % AccountKind.allCases.count] }

    /// The shortest time between two refreshes of an account when nothing is wrong: `refresh.at` less `refresh.jitter` of the
    /// life, counted from when the last request was sent, which arrived no later than ``timeout`` after that.
    var soonest: Double { 0.5 * life - timeout }
}
