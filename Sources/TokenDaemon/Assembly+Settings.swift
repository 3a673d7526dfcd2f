// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import RefreshEngine
import SocketServer
import TokenCore

// The settings of store, engine and socket, as the configuration has them.

extension StoreConfiguration {
    /// Takes what the configuration says of the database.
    init(
        _ configuration: Configuration,
        owner: String,
        _ tokens: TokenColumns,
        _ hands: any AccountsInHand = NobodyInHand()
    ) {
        self.init(configuration.database, owner: owner)
        self.tokens = tokens
        self.hands = hands
        host = HostName.current
        claimFor = configuration.refresh.claimFor
        // Where one is not answered at all, the answer of a refresh must still get into its row while the claim holds.
        statementDeadline = min(statementDeadline, max(claimFor / 4, .seconds(1)))
    }

    /// As much of it as a migration needs.
    init(_ settings: Configuration.Database, owner: String = "migration") {
        let table = GrantTable(
            table: settings.table,
            id: settings.columns.id,
            accessToken: settings.columns.accessToken,
            refreshToken: settings.columns.refreshToken,
            expiresAt: settings.columns.expiresAt
        )
        self.init(
            owner: owner,
            url: settings.url,
            listenURL: settings.listenURL,
            table: table,
            listenCheckEvery: settings.reconcileEvery
        )
    }
}

extension SocketLimits {
    /// The usual ones, but for those that have to hold whatever they bound.
    ///
    /// - Parameters:
    ///   - refresh: what the configuration says of calls.
    ///   - store: what it says of the database.
    init(_ refresh: Configuration.Refresh, _ store: StoreConfiguration) {
        self.init()
        allowEnrollment(forCalls: refresh.timeout, store.connectDeadline + store.statementDeadline)
    }
}

extension EngineConfiguration {
    /// Takes what the configuration says of refreshing, with so many calls in flight at most.
    init(_ configuration: Configuration, calls: Int = .max) {
        let refresh = configuration.refresh
        self.init(
            policy: RefreshPolicy(
                at: refresh.at,
                jitter: refresh.jitter,
                backoff: Backoff(initial: refresh.backoffInitial, maximum: refresh.backoffMax),
                dailyBudget: refresh.dailyBudgetPerUser
            ),
            maxInFlight: min(refresh.maxInFlight, calls),
            maxPerSecond: refresh.maxPerSecond,
            refreshesWithoutDatabase: refresh.withoutDatabase == .auto,
            keptGrants: refresh.keepGrants,
            claimGoodFor: refresh.claimFor - refresh.timeout,
            reconcileEvery: configuration.database.reconcileEvery,
            // A call may take all of its deadline; then its answer is to be stored, perhaps on a new connection.
            drainWithin: refresh.timeout + .seconds(30)
        )
    }
}
