// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Everything that changes, behind the one lock of ``SimulatorService``.
struct SimulatorState {
    /// The faults that are set.
    var faults = FaultBook()
    /// Which grants are revoked.
    var ledger = GrantLedger()
    /// What was asked.
    var journal: RequestJournal
    /// Where tokens' ids and latencies are drawn from.
    var random: SeededGenerator
    /// Answers that wait to be released.
    var held: [@Sendable () -> Void] = []
    /// How often held answers were released.
    var releases: UInt64 = 0
    /// Who waits for the counts to become something.
    var watchers: [UInt64: CountsWatcher] = [:]
    private var serial: UInt64 = 0

    /// Takes the bound of the journal and the seed.
    init(keptRequests: Int, seed: UInt64) {
        self.journal = RequestJournal(capacity: keptRequests)
        self.random = SeededGenerator(seed: seed)
    }

    /// A number that no other has.
    mutating func nextSerial() -> UInt64 {
        serial += 1
        return serial
    }

    /// An id that no other token has: drawn, and numbered.
    mutating func nextID() -> String {
        let number = SIMD2(random.next(), nextSerial())
        return withUnsafeBytes(of: number) { Base64URL.encode($0) }
    }
}

/// Somebody who waits for the counts to become something.
struct CountsWatcher: Sendable {
    /// What they must become.
    let predicate: @Sendable (SimulatorCounts) -> Bool
    /// Takes the counts, or nil when the time is over.
    let continuation: CheckedContinuation<SimulatorCounts?, Never>
}

/// What the token endpoint decided, before anything is signed.
struct TokenDecision: Sendable {
    /// What to send.
    enum Action: Sendable {
        /// A token to make and give.
        case issue(TokenMint.GrantClaims, id: String, lifetime: Duration)
        /// This reply.
        case reply(SimulatedReply)
        /// RST.
        case reset
        /// These bytes, and then the end or silence.
        case raw([UInt8], closes: Bool)
    }

    /// What to send.
    let action: Action
    /// What became of the request.
    let outcome: RequestOutcome
    /// How much later the answer goes out.
    let delay: Duration?
    /// See ``Delivery/heldAfter``.
    let heldAfter: UInt64?
}

extension SimulatorState {
    /// What a token request came to after its checks.
    enum Checked {
        /// Refused.
        case refused(SimulatedReply, RequestOutcome)
        /// The refresh token is one of ours.
        case grant(TokenMint.GrantClaims)

        /// The account, if the grant is one of ours.
        var account: String? {
            if case .grant(let grant) = self { grant.sub } else { nil }
        }
    }

    /// Lets the faults that are set have their say, and then the ledger.
    mutating func decide(_ checked: Checked, lifetime: Duration, at now: SimulatorInstant) -> TokenDecision {
        let effects = faults.strike(account: checked.account, at: now)
        let (action, outcome) = answer(checked, effects, lifetime: effects.lifetime ?? lifetime)
        return TokenDecision(
            action: action,
            outcome: outcome,
            delay: effects.latency.map { draw($0) },
            heldAfter: effects.isHeld ? releases : nil
        )
    }

    private mutating func answer(
        _ checked: Checked,
        _ effects: FaultBook.Effects,
        lifetime: Duration
    ) -> (TokenDecision.Action, RequestOutcome) {
        switch effects.answer {
        case .errorPage(let page): return (.reply(.errorPage(page)), .errorPage)
        case .refusal(let status, let code, let text): return (.reply(.refusal(status, code, text)), .refusalFault)
        case .raw(let bytes, let closes): return (.raw(bytes, closes: closes), .raw)
        case .outage(.unavailable): return (.reply(.errorPage(ErrorPage(503))), .outage)
        case .outage(.reset): return (.reset, .outage)
        case .reset(.before): return (.reset, .resetBefore)
        case .reset(.after):
            let (_, outcome) = ordinaryAnswer(checked, lifetime: lifetime)
            return (.reset, outcome == .issued ? .resetAfter : outcome)
        case .latency, .hold, .lifetime, nil:
            return ordinaryAnswer(checked, lifetime: lifetime)
        }
    }

    private mutating func ordinaryAnswer(
        _ checked: Checked,
        lifetime: Duration
    ) -> (TokenDecision.Action, RequestOutcome) {
        switch checked {
        case .refused(let reply, let outcome): (.reply(reply), outcome)
        case .grant(let grant) where ledger.isRevoked(grant): (.reply(TokenRoute.grantRevoked), .invalidGrant)
        case .grant(let grant): (.issue(grant, id: nextID(), lifetime: lifetime), .issued)
        }
    }

    private mutating func draw(_ range: ClosedRange<Duration>) -> Duration {
        let nanoseconds = range.lowerBound.nanoseconds...range.upperBound.nanoseconds
        return .nanoseconds(Int64.random(in: nanoseconds, using: &random))
    }
}
