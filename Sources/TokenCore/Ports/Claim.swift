// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The right to refresh one account, which one daemon of many has at a time (architecture.md, decision 5).
///
/// It holds until its deadline on the database's clock. A write made with it takes effect only while nobody else has
/// claimed the account since, which the epoch tells; whether the deadline has passed does not matter for that.
package struct Claim: Hashable, Sendable {
    /// Whose account.
    package let user: UserID
    /// Goes up with every claim of this account, whoever makes it.
    package let epoch: Int64

    /// Puts together what the store gave.
    package init(user: UserID, epoch: Int64) {
        self.user = user
        self.epoch = epoch
    }
}

/// An account as it stands in the database right after it was claimed, or found claimed by another daemon.
package struct ClaimedGrant: Sendable {
    /// Who may refresh it.
    package enum Hold: Hashable, Sendable {
        /// This daemon.
        case claimed(Claim)
        /// This daemon, after another one that made a call with this very refresh token and whose claim ran out before it was known
        /// what came of it: that one may have the answer yet, or it is lost (hard case H4).
        case inDoubt(Claim)
        /// This daemon, after another one lost the reply to a call with this very refresh token: nobody has it, so there is nothing to
        /// wait for, and a provider's period of grace may be running out (hard case H1).
        case afterLoss(Claim)
        /// Another one, for so long by the database's clock unless it is done sooner.
        case elsewhere(Duration)
        /// Whoever wants to: there is no place to keep claims in, and no other daemon can be seen.
        case unguarded

        /// The claim, if this daemon has it.
        package var claim: Claim? {
            switch self {
            case .claimed(let claim), .inDoubt(let claim), .afterLoss(let claim): claim
            case .elsewhere, .unguarded: nil
            }
        }
    }

    /// The row, read after the claim was made: what another daemon stored before is in it.
    package let row: GrantRow
    /// The refresh token, or why it cannot be had; nil where the row has none.
    package let refreshToken: Result<Secret, UnreadableGrant>?
    /// Who may refresh it.
    package let hold: Hold

    /// Puts together what the store gave.
    package init(row: GrantRow, refreshToken: Result<Secret, UnreadableGrant>?, hold: Hold) {
        self.row = row
        self.refreshToken = refreshToken
        self.hold = hold
    }

    /// Whether another daemon's call for it is not accounted for.
    package var isInDoubt: Bool {
        if case .inDoubt = hold { true } else { false }
    }

    /// Whether its claim says anything of a call that may have done away with the refresh token: only where they rotate it does.
    package var tellsOfRotation: Bool {
        switch hold {
        case .inDoubt, .afterLoss: true
        case .claimed, .elsewhere, .unguarded: false
        }
    }
}

/// How long a claim is kept after a refresh that gave no token.
package struct ClaimEnd: Hashable, Sendable {
    /// What is known of the calls that this daemon made for the account: whoever claims it next is told.
    package enum Outcome: String, Sendable {
        /// What came of each, and that no reply is missing.
        case known
        /// That a reply is lost which may have brought another refresh token: nobody will have it.
        case lost
        /// Nothing yet: one is under way, or its answer is not in the row.
        case open
    }

    /// The claim.
    package let claim: Claim
    /// The time until this daemon tries again, in which no other one need; zero gives the claim back.
    package let keptFor: Duration
    /// What is known of the calls.
    package let outcome: Outcome

    /// Puts together what the engine knows.
    package init(_ claim: Claim, keptFor: Duration, outcome: Outcome = .known) {
        self.claim = claim
        self.keptFor = keptFor
        self.outcome = outcome
    }
}
