// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension SimulatorState {
    /// What a token request came to after its checks.
    enum Checked {
        /// Refused.
        case refused(SimulatedReply, RequestOutcome)
        /// The refresh token is one of ours.
        case grant(TokenMint.GrantClaims)
        /// A client that proved its secret presents a code, and its grant would say who made it.
        case code(CodeLedger.Presented, issuer: String)

        /// What the refresh token says, if it is one of ours.
        var grant: TokenMint.GrantClaims? {
            if case .grant(let grant) = self { grant } else { nil }
        }
    }

    /// An answer without what faults do to its delivery.
    struct Answer {
        /// What to send.
        let action: TokenDecision.Action
        /// What became of the request.
        let outcome: RequestOutcome
        /// See ``TokenDecision/standing``.
        var standing: GrantLedger.Standing?
        /// The grant of a code that was exchanged, now or before.
        var grant: TokenMint.GrantClaims?

        /// What became of the request if the reply breaks off; a reset, for one, is none that could.
        var outcomeIfCut: RequestOutcome {
            if case .issue = action { .lostReply } else { outcome }
        }

        /// The same, with a reply that does not arrive.
        func lost(by action: TokenDecision.Action, as outcome: RequestOutcome) -> Answer {
            Answer(
                action: action,
                outcome: self.outcome.madeToken ? outcome : self.outcome,
                standing: standing,
                grant: grant
            )
        }
    }

    /// Lets the faults that are set have their say, and then the ledger.
    mutating func decide(
        _ checked: Checked,
        _ type: TokenGrantType?,
        lifetime: Duration,
        at now: SimulatorInstant
    ) -> TokenDecision {
        let account = account(of: checked)
        var effects = faults.strike(account: account, type, at: now)
        effects.draw(using: &random)
        let answer = answer(checked, effects, lifetime: effects.lifetime ?? lifetime, at: now)
        let manner = effects.manner ?? .whole
        return TokenDecision(
            action: answer.action,
            manner: manner,
            outcome: manner.losesReply ? answer.outcomeIfCut : answer.outcome,
            standing: answer.standing,
            account: answer.grant?.sub ?? account,
            grantID: (answer.grant ?? checked.grant)?.grant_id,
            delay: effects.latency.map { draw($0) },
            heldAfter: effects.isHeld ? releases : nil
        )
    }

    /// Whom a request is about, before it is acted on.
    private func account(of checked: Checked) -> String? {
        switch checked {
        case .refused: nil
        case .grant(let grant): grant.sub
        case .code(let presented, _): codes.customer(of: presented.code)
        }
    }

    private mutating func answer(
        _ checked: Checked,
        _ effects: FaultEffects,
        lifetime: Duration,
        at now: SimulatorInstant
    ) -> Answer {
        switch effects.answer {
        case .reset(.after):
            return ordinaryAnswer(checked, effects, lifetime: lifetime, at: now).lost(by: .reset, as: .resetAfter)
        case .hang(.after):
            return ordinaryAnswer(checked, effects, lifetime: lifetime, at: now).lost(by: .silence, as: .lostReply)
        case .some(let mode):
            return Self.substitute(mode, at: now) ?? ordinaryAnswer(checked, effects, lifetime: lifetime, at: now)
        case nil:
            return ordinaryAnswer(checked, effects, lifetime: lifetime, at: now)
        }
    }

    /// What comes instead of the ordinary answer, while nothing is done; nil for a mode that replaces none.
    private static func substitute(_ mode: Fault.Mode, at now: SimulatorInstant) -> Answer? {
        switch mode {
        case .errorPage(let page): Answer(action: .reply(.errorPage(page)), outcome: .errorPage)
        case .refusal(let status, let code, let text, let shape):
            Answer(action: .reply(.refusal(status, code, text, shape)), outcome: .refusalFault)
        case .userAgentRefused(let isEmpty):
            Answer(
                action: .reply(.errorPage(ErrorPage(401, body: isEmpty ? .empty : .html))),
                outcome: .userAgentRefused
            )
        case .rateLimited(let hint): Answer(action: .reply(.rateLimited(hint, at: now)), outcome: .rateLimited)
        case .redirect(let status, let location):
            Answer(action: .reply(.redirect(status, location)), outcome: .redirected)
        case .raw(let bytes, let closes): Answer(action: .raw(bytes, closes: closes), outcome: .raw)
        case .outage(.unavailable): Answer(action: .reply(.errorPage(ErrorPage(503))), outcome: .outage)
        case .outage(.reset): Answer(action: .reset, outcome: .outage)
        case .reset: Answer(action: .reset, outcome: .resetBefore)
        case .hang: Answer(action: .silence, outcome: .hung)
        default: nil
        }
    }

    private mutating func draw(_ range: ClosedRange<Duration>) -> Duration {
        let nanoseconds = range.lowerBound.nanoseconds...range.upperBound.nanoseconds
        return .nanoseconds(Int64.random(in: nanoseconds, using: &random))
    }
}

extension SimulatorState {
    private mutating func ordinaryAnswer(
        _ checked: Checked,
        _ effects: FaultEffects,
        lifetime: Duration,
        at now: SimulatorInstant
    ) -> Answer {
        switch checked {
        case .refused(let reply, let outcome): return Answer(action: .reply(reply), outcome: outcome)
        case .code(let presented, let issuer):
            return codeAnswer(presented, issuer: issuer, effects, lifetime: lifetime, at: now)
        case .grant(let grant):
            let standing = ledger.present(grant, grace: effects.rotation?.grace ?? .zero, at: now)
            guard standing == .good || standing == .spared else {
                return Answer(action: .reply(TokenRoute.grantRevoked), outcome: .invalidGrant, standing: standing)
            }
            var issue = issue(grant, effects, lifetime: lifetime, at: now)
            issue.newGrant = effects.rotation.map { rotate(grant, $0, at: now) }
            return Answer(
                action: .issue(issue),
                outcome: effects.isMalformed ? .malformed : .issued,
                standing: standing
            )
        }
    }

    /// A new access token of a grant.
    mutating func issue(
        _ grant: TokenMint.GrantClaims,
        _ effects: FaultEffects,
        lifetime: Duration,
        at now: SimulatorInstant
    ) -> TokenDecision.Issue {
        let id = nextID()
        var issue = TokenDecision.Issue(grant: grant, id: id, lifetime: lifetime)
        issue.oddLifetime = effects.oddLifetime
        issue.form = effects.form
        issue.repetition = effects.repetition
        issue.repeated = effects.repetition.flatMap { stillRepeated(grant.sub, $0, at: now) }
        if effects.killsPrevious, issue.repeated == nil, let serial = TokenSerial.serial(of: id) {
            ledger.killAccess(of: grant.sub, before: serial)
        }
        return issue
    }

    private mutating func rotate(
        _ grant: TokenMint.GrantClaims,
        _ rotation: Rotation,
        at now: SimulatorInstant
    ) -> TokenMint.GrantClaims {
        if rotation != .silent { ledger.exchange(grant, at: now) }
        // Serials begin anew with the simulator, and grants outlive it: the new one must count as later all the same.
        return grant.successor(generation: max(nextSerial(), (grant.gen ?? 0) + 1), issuedAt: now)
    }

    /// The token that comes again, if there is one.
    private mutating func stillRepeated(
        _ user: String,
        _ repetition: Repetition,
        at now: SimulatorInstant
    ) -> RepeatedToken? {
        guard let repeated = repeated[user], repetition == .cached || repeated.expiresAt > now else {
            self.repeated[user] = nil
            return nil
        }
        return repeated
    }
}

extension Rotation {
    /// How long a refresh token that was exchanged stays good.
    fileprivate var grace: Duration {
        if case .grace(let grace) = self { grace } else { .zero }
    }
}

extension FaultEffects {
    /// Whether a success is no good.
    var isMalformed: Bool {
        switch form {
        case .malformed, .huge: true
        case .variant, nil: false
        }
    }
}

extension TokenMint.GrantClaims {
    /// The same grant's next refresh token.
    fileprivate func successor(generation: UInt64, issuedAt: SimulatorInstant) -> Self {
        Self(iss: iss, sub: sub, iat: issuedAt.seconds, aud: aud, grant_id: grant_id, scope: scope, gen: generation)
    }
}
