// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What the store needs to know (product.md, Configuration, `database.…`).
package struct StoreConfiguration: Sendable {
    /// `database.url`; nil leaves it to libpq's own `PG…` variables.
    package var url: Secret?
    /// `database.table` and `database.columns.…`.
    package var table: GrantTable
    /// How long one statement may take before it is cancelled.
    package var statementDeadline: Duration
    /// How long each of the named servers may take to accept a connection.
    package var connectDeadline: Duration
    /// How long a pass over the whole table may stand still: until its first row, and between two batches.
    package var streamDeadline: Duration
    /// Whether schema `tastytokend` is brought up to date at start, where the role may.
    package var migratesAtStart: Bool

    /// The contract's defaults, each of which can be replaced.
    package init(
        url: Secret? = nil,
        table: GrantTable = GrantTable(),
        statementDeadline: Duration = .seconds(10),
        connectDeadline: Duration = .seconds(5),
        streamDeadline: Duration = .seconds(60),
        migratesAtStart: Bool = true
    ) {
        self.url = url
        self.table = table
        self.statementDeadline = statementDeadline
        self.connectDeadline = connectDeadline
        self.streamDeadline = streamDeadline
        self.migratesAtStart = migratesAtStart
    }
}
