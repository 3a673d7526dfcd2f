// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// When to refresh: pure rules, with the random number handed in (architecture.md, decision 4).
package struct RefreshPolicy: Hashable, Sendable {
    /// The share of a token's life after which it is refreshed (`refresh.at`).
    package let at: Double
    /// The share of a token's life by which that is moved forth or back (`refresh.jitter`).
    package let jitter: Double
    /// How failures are waited out.
    package let backoff: Backoff
    /// Refreshes of one account in a day; beyond it only when its token is about to die (`refresh.dailyBudgetPerUser`).
    package let dailyBudget: Int

    /// The contract's defaults: between 0.5 and 0.7 of the life, 300 a day.
    package init(at: Double = 0.6, jitter: Double = 0.1, backoff: Backoff = Backoff(), dailyBudget: Int = 300) {
        self.at = at
        self.jitter = jitter
        self.backoff = backoff
        self.dailyBudget = dailyBudget
    }

    /// The life supposed of a token whose length of life nobody told: TastyTrade's (fact sheet section 6).
    package static let supposedLifetime: Duration = .seconds(900)

    /// When a token is to be refreshed: after `at ± jitter` of its life, yet no sooner than ``floor(of:)`` allows.
    ///
    /// A token of 900 s asked for at 12:00:00 is due at 12:07:30 with a draw of 0, at 12:10:30 with a draw of 1.
    package func due(_ life: TokenLife, draw: Double) -> Moment {
        let share = min(max(at + jitter * (2 * draw - 1), 0), 1)
        let wait = max(life.lifetime.scaled(by: share), floor(of: life.lifetime))
        return life.beganAt + wait
    }

    /// The least time between two refreshes of one account: a tenth of the life, at most 10 s, at least 250 ms, so that
    /// an endpoint that hands out absurdly short lives is not hammered for it.
    package func floor(of lifetime: Duration) -> Duration {
        max(min(lifetime / 10, .seconds(10)), .milliseconds(250))
    }

    /// The least time between two refreshes of one account that callers order (product.md, `POST refresh`).
    package var orderSpacing: Duration { .seconds(5) }

    /// How long after a first refusal of a grant it is tried once more before it counts as refused (hard case H7):
    /// 10 s, or a quarter of the life left if that is sooner, at least 1 s.
    package func confirmationDelay(lifeLeft: Duration) -> Duration {
        lifeLeft > .zero ? max(min(.seconds(10), lifeLeft / 4), .seconds(1)) : .seconds(10)
    }

    /// When a token is about to die: a tenth of its life before its end, at most 30 s and at least 1 s before.
    package func lastMoment(of life: TokenLife) -> Moment {
        life.expiresAt + (.zero - max(min(life.lifetime / 10, .seconds(30)), .seconds(1)))
    }

    /// How far apart the tries of an account without a live token are once the day's budget is spent: so far that a day of
    /// them is another budget. 288 s with the default.
    package var spacingBeyondBudget: Duration { .seconds(86_400) / max(dailyBudget, 1) }

    /// How long to leave an account alone that another daemon has claimed: until the claim ends, yet no longer than a
    /// quarter of the life left, so that a result that nobody told of is found in time. Between 1 s and 10 s.
    package func lookAfter(claimEndsIn time: Duration, lifeLeft: Duration) -> Duration {
        let patience = lifeLeft > .zero ? min(lifeLeft / 4, .seconds(10)) : .seconds(1)
        return max(min(time, patience), .seconds(1))
    }

    /// How long to leave an account alone of which another daemon may have an answer that is not in its row yet: looking costs a
    /// claim each time. A quarter of the life left, between 1 s and 10 s.
    package func lookAfterDoubt(lifeLeft: Duration) -> Duration {
        lookAfter(claimEndsIn: .seconds(10), lifeLeft: lifeLeft)
    }

    /// How many accounts can be kept fresh at that rate: each is refreshed once in `at` of its token's life
    /// (`tastytokend_capacity_accounts`).
    package func capacity(perSecond: Double, lifetime: Duration) -> Int {
        Int(min(perSecond * at * (Double(lifetime.nanoseconds) / 1e9), Double(Int32.max)))
    }

    /// How long an answer without a new refresh token waits to be stored before it is handed out all the same.
    package var storePatience: Duration { .seconds(1) }

    /// The longest wait for a database that is away. Asking it again costs the endpoint nothing.
    package var longestStoreBackoff: Duration { min(backoff.maximum, .seconds(5)) }

    /// How much of a `Retry-After` is granted (hard case H14): a quarter of the life left while there is any; then five
    /// minutes to an endpoint that says we are too many (429), and the longest backoff to one that is broken.
    package func longestRetryAfter(_ kind: RefreshFailure.Kind, lifeLeft: Duration) -> Duration {
        if lifeLeft > .zero { return lifeLeft / 4 }
        return kind == .throttled ? .seconds(300) : backoff.maximum
    }

    /// How long to wait before probing a refused grant again (hard case H33): hourly for a day, then daily, with a
    /// tenth of jitter so that a mass of refused grants does not come back at once.
    ///
    /// - Parameters:
    ///   - probes: how many probes were made since the grant was refused.
    ///   - draw: a random number from 0 to 1.
    /// - Returns: the time until the next probe.
    package func probeDelay(afterProbes probes: Int, draw: Double) -> Duration {
        let interval: Duration = probes < 24 ? .seconds(3600) : .seconds(86_400)
        return interval.scaled(by: 0.9 + 0.2 * draw)
    }
}

/// What the outside gives to one input of a machine: the time, a random number, and the rules in force.
package struct Occasion: Sendable {
    /// The time by both clocks.
    package let now: Moment
    /// A random number from 0 to 1.
    package let draw: Double
    /// The rules in force.
    package let policy: RefreshPolicy
    /// Whether the provider was ever seen to rotate refresh tokens.
    package let rotates: Bool

    /// Puts together what one input needs.
    package init(now: Moment, draw: Double, policy: RefreshPolicy, rotates: Bool = false) {
        self.now = now
        self.draw = draw
        self.policy = policy
        self.rotates = rotates
    }
}
