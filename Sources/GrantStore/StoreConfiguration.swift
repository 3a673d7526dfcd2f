// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What the store needs to know (product.md, Configuration, `database.…`).
package struct StoreConfiguration: Sendable {
    /// `database.url`; nil leaves it to libpq's own `PG…` variables.
    package var url: Secret?
    /// `database.listenUrl`: a direct connection where `url` leads to a pooler; nil: as `url`.
    package var listenURL: Secret?
    /// `database.table` and `database.columns.…`.
    package var table: GrantTable
    /// How the tokens' columns are read and written (`encryption.…`).
    package var tokens: TokenColumns
    /// Where it is written down whose tokens are read or written.
    package var hands: any AccountsInHand
    /// How long one statement may take before it is cancelled.
    package var statementDeadline: Duration
    /// How long each of the named servers may take to accept a connection.
    package var connectDeadline: Duration
    /// How long a pass over the whole table may stand still: until its first row, and between two batches.
    package var streamDeadline: Duration
    /// Between two looks at whether notifications of changes arrive; as often as there is a pass without them.
    package var listenCheckEvery: Duration
    /// How long a notification to oneself may take to arrive.
    package var proofDeadline: Duration
    /// Who makes this daemon's claims: the id in its state folder, which no other process has.
    package var owner: String
    /// The host's name, for people.
    package var host: String
    /// How long a claim holds (`refresh.claimFor`).
    package var claimFor: Duration
    /// Whether schema `tastytokend` is brought up to date at start, where the role may.
    package var migratesAtStart: Bool

    /// The contract's defaults, each of which can be replaced.
    package init(
        owner: String,
        host: String = "",
        url: Secret? = nil,
        listenURL: Secret? = nil,
        table: GrantTable = GrantTable(),
        tokens: TokenColumns = .asTheyStand,
        hands: any AccountsInHand = NobodyInHand(),
        statementDeadline: Duration = .seconds(10),
        connectDeadline: Duration = .seconds(5),
        streamDeadline: Duration = .seconds(60),
        listenCheckEvery: Duration = .seconds(60),
        proofDeadline: Duration = .seconds(5),
        claimFor: Duration = .seconds(90),
        migratesAtStart: Bool = true
    ) {
        self.url = url
        self.listenURL = listenURL
        self.table = table
        self.tokens = tokens
        self.hands = hands
        self.statementDeadline = statementDeadline
        self.connectDeadline = connectDeadline
        self.streamDeadline = streamDeadline
        self.listenCheckEvery = listenCheckEvery
        self.proofDeadline = proofDeadline
        self.owner = owner
        self.host = host
        self.claimFor = claimFor
        self.migratesAtStart = migratesAtStart
    }
}
