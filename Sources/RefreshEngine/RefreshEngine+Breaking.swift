// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// What stops the calls of all accounts of a client, and lets them come back: see ``Breaker``.
extension RefreshEngine {
    /// What comes from elsewhere brings about a probe no more often than this: the other daemon may have a way that this one has not.
    private static let kickedAtMost: Duration = .seconds(5)

    /// The account's turn has come; while its client's breaker is open, it is the next probe.
    func noteBreakerCall(for slot: AccountSlot, in lane: LaneNumber, at now: Moment) {
        lanes[lane].breaker.called(
            lifeLeft: lifeLeft(of: slot, at: now),
            perSecond: configuration.maxPerSecond,
            at: now
        )
        if lanes[lane].breaker.probeAt != nil { showStandstill(of: lane) }
    }

    /// The account that was taken out of the line has no call made after all.
    func putBackProbe(in lane: LaneNumber) {
        guard lanes[lane].breaker.cause != nil else { return }
        lanes[lane].breaker.putBack()
        showStandstill(of: lane)
    }

    /// Who waits for an account of that client learns whether calls are made.
    private func showStandstill(of lane: LaneNumber) {
        let isHopeless = lanes[lane].obstacle != nil
        board.standStill(lane, until: isHopeless ? clock() + configuration.reconcileEvery : lanes[lane].breaker.probeAt)
    }

    /// What is left of the account's token, less than zero since it died; zero if it never had one.
    func lifeLeft(of slot: AccountSlot, at now: Moment) -> Duration {
        table[slot]?.machine.life?.remaining(at: now) ?? .zero
    }

    /// Something changed that may have been what kept it open.
    func kickBreaker(of lane: LaneNumber, at now: Moment) {
        lanes[lane].breaker.kick(at: now)
        showStandstill(of: lane)
    }

    /// Another daemon had a token for an account of that client: whatever stops its calls here may be over.
    func noteTokenElsewhere(in lane: LaneNumber) {
        let now = clock()
        guard let probeAt = lanes[lane].breaker.probeAt, probeAt.remaining(at: now) > Self.kickedAtMost else { return }
        kickBreaker(of: lane, at: now)
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
        let lane = attempt.lane
        let outcome: CallOutcome
        switch result {
        case .success: outcome = .granted
        case .failure(let failure):
            guard !wasRefused, let told = CallOutcome(failure.kind) else { return }
            outcome = told
            if outcome != .answered { lanes[lane].victims.insert(user) }
        }
        heed(outcome, result.failure, of: user, in: lane, begunAt: attempt.begunAt)
        // Whatever it is open for, nobody is held to what was said meanwhile.
        if lanes[lane].breaker.cause != nil, outcome == .grantRefused { pardon([user]) }
    }

    /// The same for a call of whomever, by how it ended.
    func heed(
        _ outcome: CallOutcome,
        _ failure: RefreshFailure?,
        of user: UserID,
        in lane: LaneNumber,
        begunAt: Moment
    ) {
        if let failure, lanes[lane].breaker.cause?.outcome == outcome { lanes[lane].breakerFailure = failure }
        let change = lanes[lane].breaker.ended(
            outcome,
            of: user,
            begunAt: begunAt,
            perSecond: configuration.maxPerSecond,
            at: clock()
        )
        switch (change, failure) {
        case (.opened(let cause), .some(let failure)): opened(lane, for: cause, failure)
        case (.closed, _): closed(lane)
        case (.opened, nil), (nil, _):
            if outcome == .granted, lanes[lane].breaker.cause == nil { lanes[lane].victims = [] }
        }
    }

    private func opened(_ lane: LaneNumber, for cause: Breaker.Cause, _ failure: RefreshFailure) {
        lanes[lane].breakerFailure = failure
        showStandstill(of: lane)
        if cause == .grantsRefused {
            let users = lanes[lane].breaker.refusedUsers
            lanes[lane].victims.formUnion(users)
            pardon(users)
        }
        reorder(lanes[lane].victims)
        logger.error(
            "no refreshes are made but for a probe now and then",
            metadata: [
                LogKey.client: "\(lanes[lane].client.name)", LogKey.event: "breaker.opened",
                LogKey.cause: "\(cause.words(for: lanes[lane].client))",
                LogKey.errorCode: "\(failure.kind.rawValue)",
                LogKey.error: "\(failure)",
            ]
        )
    }

    /// Gives those in line the place that they have while the breaker stands as it does.
    private func reorder(_ users: Set<UserID>) {
        let now = clock()
        for user in users {
            if let slot = table.slot(of: user), let account = table[slot], lanes[account.lane].ready.contains(slot) {
                lanes[account.lane].ready.arm(slot, at: urgency(of: account, now))
            }
        }
    }

    /// Nobody is held to a refusal that came with those of most others.
    private func pardon(_ users: [UserID]) {
        for user in users {
            if let slot = table.slot(of: user) { apply(slot) { $0.pardoned($1) } }
        }
    }

    private func closed(_ lane: LaneNumber) {
        lanes[lane].breakerFailure = nil
        showStandstill(of: lane)
        let victims = lanes[lane].victims
        lanes[lane].victims = []
        reorder(victims)
        for user in victims {
            if let slot = table.slot(of: user) { apply(slot) { $0.clientRecovered($1) } }
        }
        logger.notice(
            "refreshes are made again",
            metadata: [
                LogKey.client: "\(lanes[lane].client.name)", LogKey.event: "breaker.closed",
                LogKey.accounts: .stringConvertible(victims.count),
            ]
        )
    }
}

extension Result where Failure == RefreshFailure {
    /// Why there is no token; nil if there is one.
    fileprivate var failure: RefreshFailure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
