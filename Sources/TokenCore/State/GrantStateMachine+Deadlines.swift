// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// When a machine is to be looked at again.

extension GrantStateMachine {
    /// When the account is looked at first, by how its grant stands and how long its token lives; nil for never.
    func firstDeadline(_ occasion: Occasion) -> Moment? {
        switch standing {
        case .noGrant, .unreadable, .unknownOutcome:
            nil
        case .refused(let probes):
            occasion.now + occasion.policy.probeDelay(afterProbes: Int(probes), draw: occasion.draw)
        case .good:
            if let life, life.isAlive(at: occasion.now) {
                occasion.policy.due(life, draw: occasion.draw)
            } else {
                occasion.now
            }
        }
    }

    /// When the next refresh is due: by the schedule, or by the backoff while something fails.
    func nextRefresh(_ occasion: Occasion) -> Moment? {
        streak == nil ? firstDeadline(occasion) : occasion.now + backoffDelay(occasion)
    }

    /// When the next try is due after a failure; nil for never. Counts probes, and a second refusal.
    mutating func deadlineAfterFailure(_ failure: RefreshFailure, _ occasion: Occasion) -> Moment? {
        if case .refused(var probes) = standing {
            // A probe that was never sent tells nothing about the grant.
            if failure.wasSent { probes += 1 }
            standing = .refused(probes: probes)
            return occasion.now + occasion.policy.probeDelay(afterProbes: Int(probes), draw: occasion.draw)
        }
        guard failure.kind == .grantRefused, let refusedSince = streak?.refusedSince else {
            return occasion.now + delay(after: failure, occasion)
        }
        let confirmation = refusedSince + occasion.policy.confirmationDelay(lifeLeft: lifeLeft(refusedSince))
        guard refusedSince != occasion.now, confirmation.isReached(at: occasion.now) else { return confirmation }
        standing = standingAfterRefusal
        return firstDeadline(occasion)
    }

    /// The backoff, or what the endpoint asked for if that is longer and the token at hand can bear it.
    func delay(after failure: RefreshFailure, _ occasion: Occasion) -> Duration {
        let backoff = backoffDelay(occasion)
        // Neither says anything of the endpoint, and both may be over soon.
        guard ![.storeUnavailable, .callUnderWay].contains(failure.kind) else {
            return min(backoff, occasion.policy.longestStoreBackoff)
        }
        guard let asked = failure.retryAfter else { return backoff }
        let limit = occasion.policy.longestRetryAfter(failure.kind, lifeLeft: lifeLeft(occasion.now))
        return max(backoff, min(asked, limit))
    }

    /// What is waited after as many failures as there were.
    func backoffDelay(_ occasion: Occasion) -> Duration {
        occasion.policy.backoff.delay(
            afterFailures: streak?.count ?? 1,
            lifeLeft: lifeLeft(occasion.now),
            draw: occasion.draw
        )
    }

    /// What is left of the token at hand; zero if there is none.
    func lifeLeft(_ now: Moment) -> Duration {
        life?.remaining(at: now) ?? .zero
    }
}
