// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The life of one account's grant, as a pure value (architecture.md, decision 2): inputs take the occasion and return a
/// step; nothing in here waits, logs, or reads a clock or a random number. RFC 6749 section 6 is the exchange it drives.
///
/// Two things vary independently: how the grant stands with the provider (``Standing``), and what is being done about
/// it right now (``Phase``).
package struct GrantStateMachine: Sendable {
    /// How the grant stands.
    package enum Standing: Hashable, Sendable {
        /// It may be used. To `refused` by two refusals, to `unknownOutcome` by two after a lost reply, to `noGrant` or `unreadable`
        /// by what the row holds.
        case good
        /// The row has no refresh token. To `good` or `unreadable` when one is put there.
        case noGrant
        /// What the row holds cannot be used; the words say why. To `good` or `noGrant` when the row changes.
        indirect case unreadable(String)
        /// The endpoint refused it twice; a probe goes out now and then. To `good` by a probe that succeeds, by another refresh token
        /// or a newer access token in the row, or when the refusals turn out to be no account's own.
        indirect case refused(probes: Int32)
        /// A reply was lost on a provider that rotates refresh tokens, and the one at hand is refused since. To `good` when the row
        /// changes, by a reply out of the journal, or when the refusals turn out to be no account's own.
        case unknownOutcome
    }

    /// What is being done about it.
    package enum Phase: Hashable, Sendable {
        /// Nothing; a deadline may be armed. To `queued` when it is reached, when a caller demands a token, or when store or endpoint
        /// are back; to `storing` or `salvaging` by what the journal kept.
        case resting
        /// In line for a refresh. To `refreshing` when its turn comes, to `elsewhere` if another daemon was faster, to
        /// `inDoubt` if one left a call unaccounted for, to `resting` if its row cannot be read or turned out to hold a newer token.
        case queued
        /// Another daemon has claimed the refresh. To `resting` when the row holds its result, to `queued` when the deadline is reached
        /// without one, or when the claim was given back.
        case elsewhere
        /// Another daemon made a call of which nothing is known yet, and the token at hand lives for a while. To `resting` and `queued`
        /// as from `elsewhere`.
        case inDoubt
        /// The call is in flight. To `storing` by an answer, to `resting` or `salvaging` by a failure.
        case refreshing
        /// The answer is being stored, or waits for another try at that. To `resting` when it is, or when the row
        /// turned out to hold another grant; to `queued` if the next refresh comes due before.
        indirect case storing(TokenAnswer, isPublished: Bool)
        /// The reply was no good but for a new refresh token, which is being stored, or waits for another try at that.
        /// To `resting` when it is, or when the row turned out to hold another grant.
        indirect case salvaging(Secret)
    }

    // In this order the fields leave the fewest gaps between them; what few accounts have is kept apart. There are a million.

    /// How the grant stands.
    package internal(set) var standing: Standing
    /// What is being done about it.
    package internal(set) var phase: Phase = .resting
    var trouble: Trouble = .none
    /// The version of the refresh token in the row, as far as is known; zero if there is none.
    package internal(set) var grantVersion: Int64
    var tokenFingerprint: Int
    /// The life of the token at hand, dead or alive; nil if there is none.
    package internal(set) var life: TokenLife?
    /// Whether the next refresh is put off because the day's budget is spent.
    package internal(set) var isPutOff = false
    var budget = RefreshBudget()
    /// When a refresh last gave a token; the beginning of time for never, as an optional would take eight bytes more.
    private var lastRefresh: WallTime
    /// The deadline that the last step armed; nil if none is.
    package internal(set) var deadline: Moment?

    /// When a refresh last gave a token.
    package internal(set) var lastRefreshedAt: WallTime? {
        get { lastRefresh == .never ? nil : lastRefresh }
        set { lastRefresh = newValue ?? .never }
    }

    /// Another daemon may have had the token; what it wrote down is as good as what this one saw.
    mutating func noteRefresh(_ time: WallTime?) {
        lastRefresh = max(time ?? .never, lastRefresh)
    }

    /// Most accounts have no failures, so a streak costs memory only where there is one.
    enum Trouble: Sendable {
        case none
        indirect case streak(FailureStreak)
    }

    /// The failures since the last success; nil if there are none.
    package var streak: FailureStreak? {
        if case .streak(let streak) = trouble { streak } else { nil }
    }

    /// The account as its row has it at start, or when the row appears. The step arms the first refresh: in time for a
    /// live token, at once where there is none. A live token in the row is adopted, so that a start costs no refresh.
    ///
    /// - Parameters:
    ///   - row: the row, with what was remembered of it.
    ///   - occasion: the time, a random number, and the rules.
    /// - Returns: the machine and its first step.
    package static func loaded(_ row: GrantRow, _ occasion: Occasion) -> (GrantStateMachine, Step) {
        var machine = GrantStateMachine(row, occasion)
        let effect: Step.Effect = machine.life == nil ? .none : .adopt
        let step = machine.armed(machine.firstDeadline(occasion), effect)
        return (machine, step)
    }

    private init(_ row: GrantRow, _ occasion: Occasion) {
        self.standing = Self.standing(of: row)
        self.grantVersion = row.grant.version
        self.life = Self.life(of: row, occasion.now)
        self.tokenFingerprint = row.accessToken?.fingerprint ?? 0
        self.lastRefresh = row.memory?.lastRefreshedAt ?? .never
        if standing == .refused(probes: 0) || standing == .unknownOutcome, let memory = row.memory {
            self.trouble = .streak(FailureStreak(remembered: memory, at: occasion.now))
        }
    }
}

extension WallTime {
    fileprivate static let never = WallTime(nanoseconds: .min)
}
