// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What the engine must be told: rates and limits in the contract's terms (product.md, Configuration).
package struct EngineConfiguration: Sendable {
    /// When to refresh, and how to back off.
    package var policy: RefreshPolicy
    /// Refresh calls under way at once, at most (`refresh.maxInFlight`).
    package var maxInFlight: Int
    /// Refresh calls begun in a second, at most (`refresh.maxPerSecond`).
    package var maxPerSecond: Double
    /// Whether accounts are refreshed while the database is away, as far as that can cost no grant
    /// (`refresh.withoutDatabase`).
    package var refreshesWithoutDatabase: Bool
    /// Refresh tokens kept in memory for that, at most (`refresh.keepGrants`).
    package var keptGrants: Int
    /// How old a claim may be when its call begins: what is left of it must outlast the call (`refresh.claimFor` less
    /// `refresh.timeout`).
    package var claimGoodFor: Duration
    /// Time between two passes that look for changed rows (`database.reconcileEvery`).
    package var reconcileEvery: Duration
    /// How long a stop may wait for calls in flight and their writes.
    package var drainWithin: Duration

    /// The contract's defaults.
    package init(
        policy: RefreshPolicy = RefreshPolicy(),
        maxInFlight: Int = 64,
        maxPerSecond: Double = 20,
        refreshesWithoutDatabase: Bool = true,
        keptGrants: Int = 50_000,
        claimGoodFor: Duration = .seconds(60),
        reconcileEvery: Duration = .seconds(60),
        drainWithin: Duration = .seconds(45)
    ) {
        self.policy = policy
        self.maxInFlight = maxInFlight
        self.maxPerSecond = maxPerSecond
        self.refreshesWithoutDatabase = refreshesWithoutDatabase
        self.keptGrants = keptGrants
        self.claimGoodFor = claimGoodFor
        self.reconcileEvery = reconcileEvery
        self.drainWithin = drainWithin
    }
}
