// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import CoreMetrics
package import TokenCore

/// What the engine tells in numbers (product.md, Metrics). Labels come from enumerations, never from accounts.
package struct RefreshMetrics: Sendable {
    private static let accounts = "tastytokend_accounts"
    private static let refreshes = "tastytokend_refreshes_total"
    private static let duration = "tastytokend_refresh_duration_seconds"
    private static let lateness = "tastytokend_refresh_lateness_seconds"
    private static let leastRemaining = "tastytokend_token_remaining_seconds_min"
    private static let capacity = "tastytokend_capacity_accounts"
    private static let journalEntries = "tastytokend_journal_entries"
    private static let breakerOpen = "tastytokend_breaker_open"

    /// What the metrics mean.
    package static let descriptions = [
        MetricDescription(accounts, .gauge, help: "Accounts by status."),
        MetricDescription(
            refreshes,
            .counter,
            help:
                "Refreshes that ended, by outcome: success, or the kind of failure; store_unavailable, journal_unavailable and call_under_way were not sent."
        ),
        MetricDescription(
            duration,
            // The longest call that is allowed by default takes 30 s.
            .histogram(bounds: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
            help: "How long calls of the token endpoint took, failed ones too."
        ),
        MetricDescription(
            lateness,
            // From a moment in line to a token's whole life.
            .histogram(bounds: [0.1, 0.5, 1, 5, 15, 60, 150, 300, 900]),
            help: "How long after a refresh was due its call was made; probes of refused grants are left out."
        ),
        MetricDescription(
            leastRemaining,
            .gauge,
            help:
                "Life left to the token that dies first among grants in good standing; 0 if one has none, NaN without any."
        ),
        MetricDescription(
            capacity,
            .gauge,
            help: "Accounts that refresh.maxPerSecond can keep fresh: the rate times refresh.at times a token's life."
        ),
        MetricDescription(
            journalEntries,
            .gauge,
            help:
                "Accounts whose refresh is written down on this host because the database does not have its outcome yet."
        ),
        MetricDescription(
            breakerOpen,
            .gauge,
            help:
                "1 while calls for the client stand still but for probes, because client or endpoint are at fault; else 0."
        ),
    ]

    private let byStatus: [GrantStatus: Meter]
    private let successes: Counter
    private let failures: [RefreshFailure.Kind: Counter]
    private let durations: Timer
    private let latenesses: Timer
    private let least: Meter
    private let capacities: Meter
    private let journals: Meter
    private let factory: any MetricsFactory

    /// Records into what the factory makes. Every series is there from the start, so that a first failure is a step from zero.
    ///
    /// - Parameter factory: makes them.
    package init(_ factory: any MetricsFactory) {
        self.factory = factory
        byStatus = Dictionary(
            uniqueKeysWithValues: GrantStatus.allCases.map {
                ($0, Meter(label: Self.accounts, dimensions: [("status", $0.rawValue)], factory: factory))
            }
        )
        func counter(_ outcome: String) -> Counter {
            Counter(label: Self.refreshes, dimensions: [("outcome", outcome)], factory: factory)
        }
        successes = counter("success")
        failures = Dictionary(uniqueKeysWithValues: RefreshFailure.Kind.allCases.map { ($0, counter($0.rawValue)) })
        durations = Timer(label: Self.duration, factory: factory)
        latenesses = Timer(label: Self.lateness, factory: factory)
        least = Meter(label: Self.leastRemaining, factory: factory)
        capacities = Meter(label: Self.capacity, factory: factory)
        journals = Meter(label: Self.journalEntries, factory: factory)
        least.set(Double.nan)
    }

    /// Tells whether the calls for a client stand still.
    func breaker(of client: String) -> Meter {
        Meter(label: Self.breakerOpen, dimensions: [("client", client)], factory: factory)
    }

    /// A call was made so long after it was due.
    func began(after lateness: Duration) {
        latenesses.recordNanoseconds(lateness.nanoseconds)
    }

    /// A call ended after so long a time, by a failure of that kind, or well.
    func ended(_ failure: RefreshFailure.Kind?, after duration: Duration) {
        ended(failure)
        durations.recordNanoseconds(duration.nanoseconds)
    }

    /// A refresh ended that made no call, or well.
    func ended(_ failure: RefreshFailure.Kind?) {
        (failure.map { failures[$0] } ?? successes)?.increment()
    }

    /// Accounts stand like this.
    func stand(
        _ count: (GrantStatus) -> Int,
        leastRemaining: Duration?,
        capacity: Int,
        journalEntries: Int
    ) {
        for (status, meter) in byStatus { meter.set(count(status)) }
        least.set(leastRemaining.map { Double($0.nanoseconds) / 1e9 } ?? .nan)
        capacities.set(capacity)
        journals.set(journalEntries)
    }
}
