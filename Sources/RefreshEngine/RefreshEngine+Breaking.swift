// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// What stops the calls of all accounts, and lets them come back: see ``Breaker``.
extension RefreshEngine {
    /// Why no refreshes are made, in words; nil while they are.
    var standstill: String? {
        breaker.cause.map { cause in breakerFailure.map { "\(cause.words): \($0)" } ?? cause.words }
    }

    /// The account's turn has come; while the breaker is open, it is the next probe.
    func noteBreakerCall(for slot: AccountSlot, at now: Moment) {
        breaker.called(lifeLeft: lifeLeft(of: slot, at: now), perSecond: configuration.maxPerSecond, at: now)
        if let probeAt = breaker.probeAt { board.standStill(until: probeAt) }
    }

    /// The account that was taken out of the line has no call made after all.
    func putBackProbe() {
        guard breaker.cause != nil else { return }
        breaker.putBack()
        board.standStill(until: breaker.probeAt)
    }

    /// What is left of the account's token, less than zero since it died; zero if it never had one.
    func lifeLeft(of slot: AccountSlot, at now: Moment) -> Duration {
        table[slot]?.machine.life?.remaining(at: now) ?? .zero
    }

    /// Something changed that may have been what kept it open.
    func kickBreaker(at now: Moment) {
        breaker.kick(at: now)
        board.standStill(until: breaker.probeAt)
    }

    /// Whether the account is known to be refused, so that another refusal says nothing of the client.
    func isRefused(_ user: UserID) -> Bool {
        if case .refused? = table.slot(of: user).flatMap({ table[$0]?.machine.standing }) { true } else { false }
    }

    /// Takes what a call's end tells of client and endpoint, after its account has learnt of it.
    func heed(
        _ result: Result<TokenAnswer, RefreshFailure>,
        of user: UserID,
        _ attempt: Attempt,
        wasRefused: Bool
    ) {
        let outcome: CallOutcome
        switch result {
        case .success: outcome = .granted
        case .failure(let failure):
            guard !wasRefused, let told = CallOutcome(failure.kind) else { return }
            outcome = told
            if outcome != .answered { clientVictims.insert(user) }
            if breaker.cause != nil { breakerFailure = failure }
        }
        let change = breaker.ended(
            outcome,
            of: user,
            begunAt: attempt.begunAt,
            perSecond: configuration.maxPerSecond,
            at: clock()
        )
        switch (change, result) {
        case (.opened(let cause), .failure(let failure)): opened(for: cause, failure)
        case (.closed(let cause), _): closed(after: cause)
        case (.opened, .success), (nil, _):
            if outcome == .granted, breaker.cause == nil { clientVictims = [] }
        }
        // Whatever it is open for, nobody is held to what was said meanwhile.
        if breaker.cause != nil, outcome == .grantRefused { pardon([user]) }
    }

    private func opened(for cause: Breaker.Cause, _ failure: RefreshFailure) {
        breakerFailure = failure
        board.standStill(until: breaker.probeAt)
        if cause == .grantsRefused {
            let users = breaker.refusedUsers
            clientVictims.formUnion(users)
            pardon(users)
        }
        reorder(clientVictims)
        logger.error(
            "no refreshes are made but for a probe now and then",
            metadata: [
                LogKey.client: "\(client.name)", LogKey.event: "breaker.opened", LogKey.cause: "\(cause.words)",
                LogKey.errorCode: "\(failure.kind.rawValue)",
                LogKey.error: "\(failure)",
            ]
        )
    }

    /// Gives those in line the place that they have while the breaker stands as it does.
    private func reorder(_ users: Set<UserID>) {
        let now = clock()
        for user in users {
            if let slot = table.slot(of: user), let machine = table[slot]?.machine, ready.contains(slot) {
                ready.arm(slot, at: urgency(of: machine, now))
            }
        }
    }

    /// Nobody is held to a refusal that came with those of most others.
    private func pardon(_ users: [UserID]) {
        for user in users {
            if let slot = table.slot(of: user) { apply(slot) { $0.pardoned($1) } }
        }
    }

    private func closed(after cause: Breaker.Cause) {
        breakerFailure = nil
        board.standStill(until: nil)
        let victims = clientVictims
        clientVictims = []
        reorder(victims)
        for user in victims {
            if let slot = table.slot(of: user) { apply(slot) { $0.clientRecovered($1) } }
        }
        logger.notice(
            "refreshes are made again",
            metadata: [
                LogKey.client: "\(client.name)", LogKey.event: "breaker.closed",
                LogKey.accounts: .stringConvertible(victims.count),
            ]
        )
    }
}

extension Breaker.Cause {
    /// What is at fault, for people.
    var words: String {
        switch self {
        case .clientRefused: "the OAuth client is refused; check tastytrade.clientSecret and tastytrade.env"
        case .grantsRefused:
            "most grants are refused at once, which is no account's own fault; see whether TastyTrade revoked them, or tastytrade.env is another's"
        case .endpointAway: "the token endpoint does not answer; check network, proxy and tastytrade.apiUrl"
        }
    }
}
