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
        /// It may be used. To `refused` by two refusals, to `noGrant` or `unreadable` by what the row holds.
        case good
        /// The row has no refresh token. To `good` or `unreadable` when one is put there.
        case noGrant
        /// What the row holds cannot be used; the words say why. To `good` or `noGrant` when the row changes.
        indirect case unreadable(String)
        /// The endpoint refused it twice; a probe goes out now and then. To `good` by a probe that succeeds or by
        /// another refresh token, or a newer access token, in the row.
        indirect case refused(probes: Int32)
        /// A reply was lost on a provider that rotates refresh tokens. To `good` when the row changes.
        case unknownOutcome
    }

    /// What is being done about it.
    package enum Phase: Hashable, Sendable {
        /// Nothing; a deadline may be armed. To `queued` when it is reached, or when a caller demands a token.
        case resting
        /// In line for a refresh. To `refreshing` when its turn comes, to `elsewhere` if another daemon was faster, to
        /// `resting` if its row cannot be read or turned out to hold a newer token.
        case queued
        /// Another daemon has claimed the refresh. To `resting` when the row holds its result, to `queued` when the
        /// deadline is reached without one.
        case elsewhere
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
        if case .refused = standing, let memory = row.memory {
            self.trouble = .streak(FailureStreak(remembered: memory, at: occasion.now))
        }
    }
}

// MARK: - Inputs

extension GrantStateMachine {
    /// The deadline was reached.
    package mutating func due(_ occasion: Occasion) -> Step {
        switch (standing, phase) {
        case (.good, .resting), (.refused, .resting):
            return putOff(occasion) ?? enqueued()
        case (.good, .elsewhere), (.refused, .elsewhere):
            return enqueued()
        case (.good, .storing(let answer, let isPublished)), (.refused, .storing(let answer, let isPublished)):
            return storeIsDue(answer, isPublished: isPublished, occasion)
        case (.good, .salvaging(let newRefreshToken)), (.refused, .salvaging(let newRefreshToken)):
            return salvage(newRefreshToken)
        case (.noGrant, _), (.unreadable, _), (.unknownOutcome, _):
            // The row changed between the alarm and its handling.
            return .nothing
        case (_, .queued), (_, .refreshing):
            // A caller's demand was faster than the alarm.
            return .nothing
        }
    }

    /// A caller needs a fresher token than the one at hand.
    package mutating func demanded(_ occasion: Occasion) -> Step {
        guard prospect(at: occasion.now) == .possible else { return .nothing }
        return putOff(occasion) ?? tooSoon(occasion) ?? enqueued()
    }

    /// A caller wants a new token, however long the one at hand lives: it was turned down, say. There is none in less than the
    /// policy's spacing from the last one, and none beyond the day's budget.
    ///
    /// - Returns: what comes of it, nil if a refresh is under way; and the step.
    package mutating func ordered(_ occasion: Occasion) -> (obstacle: RefreshVerdict?, step: Step) {
        let now = occasion.now
        let prospect = prospect(at: now)
        if let obstacle = RefreshVerdict(prospect, at: now) { return (obstacle, .nothing) }
        let rest = life.map { ($0.beganAt + occasion.policy.orderSpacing).remaining(at: now) } ?? .zero
        guard prospect == .possible else {
            // What is under way brings no other token where its answer is handed out already, and only the copy is being stored.
            guard case .storing(_, isPublished: true) = phase else { return (nil, .nothing) }
            return (.tooSoon(max(rest, .seconds(1))), .nothing)
        }
        guard rest <= .zero else { return (.tooSoon(rest), .nothing) }
        if budget.isSpent(occasion.policy.dailyBudget, at: now.boot) {
            return (.tooSoon(occasion.policy.spacingBeyondBudget), .nothing)
        }
        return (nil, enqueued())
    }

    /// Another daemon has claimed the refresh, for `time` at most. Its result is looked for when the deadline is reached,
    /// unless it comes by itself before.
    package mutating func claimedElsewhere(for time: Duration, _ occasion: Occasion) -> Step {
        guard case .queued = phase else { return .nothing }
        phase = .elsewhere
        return armed(occasion.now + occasion.policy.lookAfter(claimEndsIn: time, lifeLeft: lifeLeft(occasion.now)))
    }

    /// The account's turn has come, and `version` of its refresh token is being sent.
    package mutating func begun(version: Int64, _ occasion: Occasion) -> Step {
        guard case .queued = phase else {
            // The row was emptied while the account stood in line.
            return .nothing
        }
        if version != grantVersion {
            // What was refused or failed was another grant than this one.
            grantVersion = version
            trouble = .none
            standing = .good
        }
        phase = .refreshing
        isPutOff = false
        budget.spend(at: occasion.now.boot)
        return armed(nil)
    }

    /// The store answers again: an account that failed for want of it need not wait any longer.
    package mutating func storeRecovered(_ occasion: Occasion) -> Step {
        guard case .resting = phase, allowsRefresh, streak?.last.kind == .storeUnavailable else { return .nothing }
        return enqueued()
    }

    /// The endpoint gave a token for the refresh token of that version.
    package mutating func granted(_ answer: TokenAnswer, using version: Int64, _ occasion: Occasion) -> Step {
        guard case .refreshing = phase else { return .nothing }
        guard version == grantVersion, allowsRefresh else { return begunAnew(occasion) }
        let made = withProgressNoted(answer, occasion)
        phase = .storing(made, isPublished: false)
        // What is only a copy does not keep callers waiting for a slow database.
        let patience = made.newRefreshToken == nil ? occasion.now + occasion.policy.storePatience : nil
        return armed(patience, .store(made))
    }

    /// The refresh with the refresh token of that version gave no token.
    package mutating func failed(_ failure: RefreshFailure, using version: Int64, _ occasion: Occasion) -> Step {
        switch phase {
        case .queued, .refreshing: break
        case .resting, .elsewhere, .storing, .salvaging: return .nothing
        }
        guard version == grantVersion, allowsRefresh else { return begunAnew(occasion) }
        phase = .resting
        note(failure, at: occasion.now)
        if let newRefreshToken = failure.newRefreshToken { return salvage(newRefreshToken) }
        // A refusal may be of a grant that somebody has replaced meanwhile (hard case H7).
        return armed(deadlineAfterFailure(failure, occasion), failure.kind == .grantRefused ? .reread : .none)
    }

    /// The row holds the answer now, beside the refresh token of that version.
    package mutating func stored(grantVersion version: Int64, _ occasion: Occasion) -> Step {
        guard case .storing(let answer, let isPublished) = phase else { return .nothing }
        phase = .resting
        grantVersion = version
        // That the endpoint makes no progress is not mended by storing what it gave.
        if streak?.isStalled != true { trouble = .none }
        if !isPublished { take(answer, at: occasion.now) }
        return armed(nextRefresh(occasion), isPublished ? .none : .publish(answer))
    }

    /// The row is gone or holds another refresh token than the one that was used: the answer belongs to nobody here.
    package mutating func superseded(_ occasion: Occasion) -> Step {
        guard case .storing(let answer, let isPublished) = phase else { return .nothing }
        // Whoever claimed the account since may hold a refresh token that this answer's took the place of (hard case
        // H2): where the row still holds the one that was used, the new one is stored by itself.
        if let newRefreshToken = answer.newRefreshToken { return salvage(newRefreshToken) }
        phase = .resting
        // Should the reread fail too, the deadline brings the account back.
        return armed(isPublished ? nextRefresh(occasion) : occasion.now + occasion.policy.backoff.initial, .reread)
    }

    /// The answer could not be stored, now. Unless it carries a new refresh token, it is handed out all the same: what
    /// the database lacks then is only a copy. A new refresh token must be safe before anything comes of it.
    package mutating func storeFailed(_ failure: RefreshFailure, _ occasion: Occasion) -> Step {
        guard case .storing(let answer, let wasPublished) = phase else { return .nothing }
        note(failure, at: occasion.now)
        let publishes = answer.newRefreshToken == nil && !wasPublished
        if publishes { take(answer, at: occasion.now) }
        phase = .storing(answer, isPublished: wasPublished || publishes)
        return armed(occasion.now + delay(after: failure, occasion), publishes ? .publish(answer) : .none)
    }

    /// The row is as the argument has it: changed by the application, by a person, or by another daemon.
    package mutating func rowChanged(_ row: GrantRow, _ occasion: Occasion) -> Step {
        guard row.grant.version == grantVersion, Self.standing(of: row, ignoringMemory: true) == rowStanding else {
            return replaced(by: row, occasion)
        }
        guard let token = row.accessToken, life == nil || token.fingerprint != tokenFingerprint,
            let found = Self.life(of: row, occasion.now),
            found.expiresAt.wall > (life?.expiresAt.wall ?? WallTime(nanoseconds: .min))
        else {
            // Our own write came back, somebody emptied the copy of a token that we still hold, or its row would have it
            // live longer: no token gains life. What another daemon found out about the grant counts all the same.
            return refusedElsewhere(row.memory, occasion) ?? .nothing
        }
        life = found
        tokenFingerprint = token.fingerprint
        noteRefresh(row.memory?.lastRefreshedAt)
        return adopted(found, occasion)
    }

    /// Another daemon had this very grant refused for good: this one need not have it refused too. A success since would
    /// have taken the note's place.
    private mutating func refusedElsewhere(_ memory: GrantMemory?, _ occasion: Occasion) -> Step? {
        guard let memory, memory.status == .reauthorizationRequired, memory.grantVersion == grantVersion,
            case .good = standing
        else { return nil }
        switch phase {
        case .refreshing, .storing, .salvaging: return nil
        case .resting, .queued, .elsewhere: break
        }
        standing = .refused(probes: 0)
        trouble = .streak(FailureStreak(remembered: memory, at: occasion.now))
        phase = .resting
        return armed(occasion.now + occasion.policy.probeDelay(afterProbes: 0, draw: occasion.draw))
    }

    /// Somebody had a token for this very grant: whatever failed or was refused here works. Where a refresh was wanted,
    /// this is it, unless the token is due already.
    private mutating func adopted(_ found: TokenLife, _ occasion: Occasion) -> Step {
        let isDue = occasion.policy.due(found, draw: occasion.draw).isReached(at: occasion.now)
        switch phase {
        case .refreshing, .storing, .salvaging: return Step(.keep, .adopt)
        case .queued where isDue: return Step(.keep, .adopt)
        case .resting, .queued, .elsewhere: break
        }
        guard allowsRefresh else { return Step(.keep, .adopt) }
        phase = .resting
        isPutOff = false
        trouble = .none
        standing = .good
        return armed(nextRefresh(occasion), .adopt)
    }
}

extension WallTime {
    fileprivate static let never = WallTime(nanoseconds: .min)
}
