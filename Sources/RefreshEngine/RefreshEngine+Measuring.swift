// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CoreMetrics
package import TokenCore

/// What is counted of accounts and refreshes.
extension RefreshEngine {
    /// Brings the metrics up to date that tell how accounts stand; the others are always. Takes the same time for however many
    /// accounts.
    package func measure() {
        let now = clock().boot
        let least = statuses.leastRemaining(at: now)
        metrics.stand(
            { statuses.count(of: $0) },
            leastRemaining: least,
            capacity: capacity,
            journalEntries: journal.standing.entries
        )
        lanes.forEach { $0.breakerMeter.set($0.breaker.cause == nil ? 0 : 1) }
    }

    /// How many accounts the rate can keep fresh.
    var capacity: Int {
        configuration.policy.capacity(perSecond: configuration.maxPerSecond, lifetime: usualLifetime)
    }

    /// How many accounts stand how.
    package var tally: AccountTally {
        var tally = statuses.groups
        tally.stoppedFor = lanes.standstill
        return tally
    }

    /// Remembers since when an account that goes in line was due: a caller's demand may come before that.
    func noteInLine(_ slot: AccountSlot, dueAt deadline: Moment?, _ now: Moment) {
        let lateness = deadline.map { max(.zero - $0.remaining(at: now), .zero) } ?? .zero
        table.markInLine(slot, since: now.boot + (.zero - lateness))
    }

    /// A call for the account is made now.
    func measureLateness(of user: UserID, at now: Moment) {
        guard let slot = table.slot(of: user), case .good? = table[slot]?.machine.standing else { return }
        metrics.began(after: table.timeInLine(slot, at: now.boot))
    }

    /// Counts a call that ended, after the account's machine has learnt of it.
    func measure(_ result: Result<TokenAnswer, RefreshFailure>, of user: UserID, _ attempt: Attempt) {
        metrics.ended(failure(in: result, of: user), after: clock().boot - attempt.begunAt.boot)
    }

    /// What was wrong with an answer; an answer that is no failure may still be the token that was at hand.
    private func failure(in result: Result<TokenAnswer, RefreshFailure>, of user: UserID) -> RefreshFailure.Kind? {
        switch result {
        case .failure(let failure): return failure.kind
        case .success:
            let machine = table.slot(of: user).flatMap { table[$0]?.machine }
            // In any other phase the machine had no use for the answer, and its failures are older than that.
            guard case .storing? = machine?.phase, machine?.streak?.last.kind == .noProgress else { return nil }
            return .noProgress
        }
    }
}
