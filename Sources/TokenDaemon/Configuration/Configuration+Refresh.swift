// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension Configuration {
    /// When and how fast tokens are refreshed.
    package struct Refresh: Hashable, Sendable {
        /// The share of a token's life after which it is refreshed.
        package let at: Double
        /// The share of the life by which that moves, up or down.
        package let jitter: Double
        /// How many calls may be in flight, per client.
        package let maxInFlight: Int
        /// How many calls may begin in a second, per client.
        package let maxPerSecond: Double
        /// How long a connection may take to be made.
        package let connectTimeout: Duration
        /// How long a call may take in all.
        package let timeout: Duration
        /// What the first pause after a failure is chosen from.
        package let backoffInitial: Duration
        /// What the longest pause is chosen from.
        package let backoffMax: Duration
        /// How long a daemon's claim on a refresh holds.
        package let claimFor: Duration
        /// What may be done while the database is away.
        package let withoutDatabase: WithoutDatabase
        /// How many refresh tokens are kept in memory for that.
        package let keepGrants: Int
        /// How many refreshes an account may have in a day.
        package let dailyBudgetPerUser: Int
    }

    /// What may be done while the database is away.
    package enum WithoutDatabase: String, Hashable, Sendable, CaseIterable {
        /// Refresh unclaimed, as long as the provider was never seen to rotate refresh tokens.
        case auto
        /// Refresh nothing.
        case never
    }
}

extension Configuration.Refresh {
    /// More calls may never be in flight, whatever is configured.
    static let mostInFlight = 10_000

    /// Reads `refresh.*`.
    init(reading reader: inout SettingReader) {
        at = reader.value("refresh.at", .share(orZero: false))
        jitter = reader.value("refresh.jitter", .share(orZero: true))
        maxInFlight = reader.value("refresh.maxInFlight", .whole(1...Self.mostInFlight))
        maxPerSecond = reader.value("refresh.maxPerSecond", .positive(upTo: 100_000))
        connectTimeout = reader.value("refresh.connectTimeout", .duration(.milliseconds(10)...(.seconds(60))))
        timeout = reader.value("refresh.timeout", .duration(.milliseconds(100)...(.seconds(600))))
        backoffInitial = reader.value("refresh.backoffInitial", .duration(.milliseconds(10)...(.seconds(600))))
        backoffMax = reader.value("refresh.backoffMax", .duration(.milliseconds(10)...(.seconds(3600))))
        claimFor = reader.value("refresh.claimFor", .duration(.milliseconds(200)...(.seconds(3600))))
        withoutDatabase = reader.value("refresh.withoutDatabase", .choice())
        keepGrants = reader.value("refresh.keepGrants", .whole(0...10_000_000))
        dailyBudgetPerUser = reader.value("refresh.dailyBudgetPerUser", .whole(1...100_000))
        checkTogether(&reader)
    }

    private func checkTogether(_ reader: inout SettingReader) {
        reader.require(
            at - jitter > 0 && at + jitter < 1,
            ["refresh.jitter", "refresh.at"],
            "refresh.at plus or minus refresh.jitter leaves the token's life",
            "keep both sums between 0 and 1"
        )
        reader.require(
            connectTimeout <= timeout,
            ["refresh.connectTimeout", "refresh.timeout"],
            "refresh.connectTimeout is longer than refresh.timeout",
            "make it shorter, or refresh.timeout longer"
        )
        reader.require(
            backoffInitial <= backoffMax,
            ["refresh.backoffInitial", "refresh.backoffMax"],
            "refresh.backoffInitial is longer than refresh.backoffMax",
            "make it shorter, or refresh.backoffMax longer"
        )
        reader.require(
            claimFor >= timeout * 2,
            ["refresh.claimFor", "refresh.timeout"],
            "refresh.claimFor is shorter than twice refresh.timeout",
            "make it at least \((timeout * 2).settingText), or refresh.timeout shorter"
        )
    }
}
