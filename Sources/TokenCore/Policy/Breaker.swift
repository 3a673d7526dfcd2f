// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Stops the calls of a client when it is not the accounts that are at fault (architecture.md, decision 6; hard cases H11, H12).
///
/// While it is open, one call goes out now and then as a probe, at growing intervals. A probe that succeeds closes it; then calls
/// come back, the most urgent first, and not all at once.
package struct Breaker: Sendable {
    /// Fewer accounts than that tell nothing of the client.
    static let fewestAccounts = 10
    /// So many accounts for which the client is refused outweigh that it was accepted a moment ago for another one.
    private static let fewestRefused = 3
    /// The first wait where the client, or many grants, are refused.
    private static let firstWait: Duration = .seconds(1)
    /// The longest wait there: TastyTrade blocks an address for hours after repeated refusals (fact sheet section 13). A token that lives
    /// for 15 minutes has more than that left when its refresh is due.
    private static let longestWait: Duration = .seconds(120)
    /// The longest wait while the endpoint does not answer.
    private static let longestWaitForAnswer: Duration = .seconds(15)
    /// The shortest wait there, however short the backoff is.
    private static let shortestWaitForAnswer: Duration = .milliseconds(500)
    /// The shortest wait that a dying token brings about.
    private static let shortestWait: Duration = .seconds(1)
    /// For how long a probe's success proves that refusals are the accounts' own.
    private static let proofLasts: Duration = .seconds(600)
    /// How long calls take to come back: the rate doubles from an eighth each second.
    private static let rampLasts: Duration = .seconds(3)

    /// What keeps it open.
    package enum Cause: Hashable, Sendable {
        /// The client is refused: its secret is wrong, say. One such answer is enough, or that of a third account where another one was
        /// given a token within the last minute.
        case clientRefused
        /// More than half of the accounts tried within a minute were refused, ten at least: no account's own fault.
        case grantsRefused
        /// The endpoint does not answer: that is so of more than half of the accounts tried within a minute, and of the last ten, with
        /// no answer to any other between. One that answers some is worth calling, and each account's own backoff sees to the rest.
        case endpointAway
    }

    /// What a call's end did.
    package enum Change: Hashable, Sendable {
        /// It opened, or is open for another cause from now on.
        case opened(Cause)
        /// Calls come back.
        case closed(Cause)
    }

    /// Why and since when it is open.
    private struct Opening: Sendable {
        var cause: Cause
        let at: Moment
        var probe: Probe
        /// The one before, for a probe that is not made after all.
        var former: Probe?
    }

    /// When one account is called for, to see whether it is over.
    private struct Probe: Sendable {
        /// When it opened, or the last one was made.
        let calledAt: Moment
        /// The next may be made then.
        var at: Moment
        /// The wait after the next one.
        var wait: Duration
    }

    /// Calls that come back.
    private struct Ramp: Sendable {
        let began: BootTime
        /// How often the rate has doubled.
        var doublings: Int
        var bucket: TokenBucket

        init(began: BootTime, doublings: Int, perSecond: Double, at now: BootTime) {
            (self.began, self.doublings) = (began, doublings)
            bucket = TokenBucket(perSecond: max(perSecond * Double(1 << doublings) / 8, 1), at: now)
        }
    }

    private var opening: Opening?
    private var tried = TriedAccounts()
    /// The rate of the calls while they come back; nil when they have.
    private var ramp: Ramp?
    /// Until then, accounts are refused for reasons of their own: a probe succeeded amid refusals.
    private var refusalsAreProvenUntil: Moment?
    /// Accounts for which the client was refused since it was last accepted.
    private var refused: Set<UserID> = []
    /// Accounts for which it was refused, and accepted for another one right after.
    private var refusedAlone: Set<UserID> = []
    private var backoff: Backoff

    /// It is closed.
    ///
    /// - Parameter backoff: how long is waited for an endpoint that does not answer; never less than half a second nor more than
    ///   fifteen.
    package init(backoff: Backoff) {
        self.backoff = backoff
    }

    /// The same breaker with another backoff.
    package func with(_ backoff: Backoff) -> Breaker {
        var breaker = self
        breaker.backoff = backoff
        return breaker
    }

    /// Why it is open; nil if it is closed.
    package var cause: Cause? { opening?.cause }

    /// When the next probe may be made; nil if it is closed.
    package var probeAt: Moment? { opening?.probe.at }

    /// Accounts of good standing that were refused within the last minute, by what each heard last.
    package var refusedUsers: [UserID] { tried.users(.grantRefused) }

    /// How long until a call may be made for an account.
    ///
    /// - Parameters:
    ///   - lifeLeft: what is left of its token; less than zero since it died.
    ///   - now: the time by both clocks.
    /// - Returns: the time to wait; zero or less if it may be made now.
    package func wait(forLifeLeft lifeLeft: Duration, at now: Moment) -> Duration {
        if let opening {
            let wait = opening.probe.at.remaining(at: now)
            guard opening.cause == .endpointAway else { return wait }
            return min(wait, (opening.probe.calledAt + lookAgainAfter(lifeLeft)).remaining(at: now))
        }
        guard let ramp, now.boot - ramp.began < Self.rampLasts else { return .zero }
        return ramp.bucket.nextAt - now.boot
    }

    /// A call is made now.
    ///
    /// - Parameters:
    ///   - lifeLeft: what is left of the account's token; less than zero since it died.
    ///   - perSecond: the calls that may be made in a second in good times.
    ///   - now: the time by both clocks.
    package mutating func called(lifeLeft: Duration, perSecond: Double, at now: Moment) {
        guard var opening else { return comeBack(perSecond, now.boot) }
        let longest =
            switch opening.cause {
            case .clientRefused, .grantsRefused: Self.longestWait
            case .endpointAway: lookAgainAfter(lifeLeft)
            }
        let wait = opening.probe.wait
        opening.former = opening.probe
        opening.probe = Probe(calledAt: now, at: now + min(wait, longest), wait: min(wait * 2, Self.longestWait))
        self.opening = opening
    }

    private mutating func comeBack(_ perSecond: Double, _ now: BootTime) {
        guard let old = ramp else { return }
        let passed = now - old.began
        guard passed < Self.rampLasts else { return ramp = nil }
        let doublings = Int(passed.wholeSecondsDown)
        if doublings != old.doublings {
            ramp = Ramp(began: old.began, doublings: doublings, perSecond: perSecond, at: now)
        }
        _ = ramp?.bucket.take(at: now)
    }

    /// The nearer a token's end, before it or after, the sooner it is looked whether the endpoint is back.
    private func lookAgainAfter(_ lifeLeft: Duration) -> Duration {
        let distance = max(lifeLeft, .zero - lifeLeft) / 4
        return max(
            min(Self.longestWaitForAnswer, backoff.maximum, max(distance, Self.shortestWait)),
            Self.shortestWaitForAnswer
        )
    }

    /// The account that was taken out of the line has no call made after all; another one may have it instead, and the waits do not
    /// grow by it.
    package mutating func putBack() {
        guard let former = opening?.former else { return }
        opening?.probe = former
        opening?.former = nil
    }

    /// Something changed that may have been the cause, a secret say: the next probe is made now.
    package mutating func kick(at now: Moment) {
        opening?.probe.at = now
        opening?.probe.wait = Self.firstWait
        (refused, refusedAlone) = ([], [])
    }

    /// A call ended.
    ///
    /// - Parameters:
    ///   - outcome: how.
    ///   - user: whose; an account that is known to be refused must be left out, unless its probe succeeded.
    ///   - begunAt: when the call was made.
    ///   - perSecond: the calls that may be made in a second in good times.
    ///   - now: the time by both clocks.
    /// - Returns: what that did; nil if nothing.
    package mutating func ended(
        _ outcome: CallOutcome,
        of user: UserID,
        begunAt: Moment,
        perSecond: Double,
        at now: Moment
    ) -> Change? {
        tried.pass(to: now.boot)
        let wasAccepted = tried.count(.granted) > 0
        tried.note(outcome, of: user, at: now.boot)
        if outcome == .clientRefused, !refusedAlone.contains(user) { refused.insert(user) }
        defer { if outcome == .granted { acceptedClient(for: user) } }
        if let opening { return endedWhileOpen(outcome, begunAt, opening, perSecond, at: now) }
        guard let cause = cause(after: outcome, wasAccepted: wasAccepted, at: now) else { return nil }
        return open(cause, at: now)
    }

    private mutating func endedWhileOpen(
        _ outcome: CallOutcome,
        _ begunAt: Moment,
        _ opening: Opening,
        _ perSecond: Double,
        at now: Moment
    ) -> Change? {
        if outcome == .clientRefused, opening.cause != .clientRefused, !refused.isEmpty {
            return open(.clientRefused, at: now)
        }
        let isAnswer =
            switch opening.cause {
            case .endpointAway: outcome != .unanswered
            // Should it have been sent before the client was refused, the next refusal opens it again.
            case .clientRefused: outcome == .granted
            // Among the many that were refused there may have been some that were not.
            case .grantsRefused: outcome == .granted && begunAt.boot >= opening.at.boot
            }
        guard isAnswer else { return nil }
        if opening.cause == .grantsRefused { refusalsAreProvenUntil = now + Self.proofLasts }
        self.opening = nil
        tried = TriedAccounts()
        ramp = Ramp(began: now.boot, doublings: 0, perSecond: perSecond, at: now.boot)
        return .closed(opening.cause)
    }

    /// The client is accepted: for whom it was refused before, that was something else.
    private mutating func acceptedClient(for user: UserID) {
        if !refusedAlone.isEmpty { refusedAlone.remove(user) }
        refused.remove(user)
        guard !refused.isEmpty else { return }
        if refusedAlone.count > TriedAccounts.mostCalls { refusedAlone = [] }
        refusedAlone.formUnion(refused)
        refused = []
    }

    private func cause(after outcome: CallOutcome, wasAccepted: Bool, at now: Moment) -> Cause? {
        let isMost = tried.count >= Self.fewestAccounts && tried.count(outcome) * 2 > tried.count
        switch outcome {
        case .granted, .answered: return nil
        case .clientRefused: return refused.count >= (wasAccepted ? Self.fewestRefused : 1) ? .clientRefused : nil
        case .grantRefused:
            let isProven = refusalsAreProvenUntil.map { !$0.isReached(at: now) } ?? false
            return isMost && !isProven ? .grantsRefused : nil
        case .unanswered:
            return isMost && tried.unansweredInARow.count >= Self.fewestAccounts ? .endpointAway : nil
        }
    }

    private mutating func open(_ cause: Cause, at now: Moment) -> Change {
        let wait =
            cause == .endpointAway
            ? max(min(backoff.initial, Self.firstWait), Self.shortestWaitForAnswer) : Self.firstWait
        let probe = Probe(calledAt: now, at: now + wait, wait: wait)
        opening = Opening(cause: cause, at: opening?.at ?? now, probe: probe)
        ramp = nil
        return .opened(cause)
    }
}
