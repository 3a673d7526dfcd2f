// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// How the values of some rows are sealed.
package struct SealCensus: Hashable, Sendable {
    /// Rows that were looked at.
    package private(set) var rows = 0
    /// Values that stand in clear.
    package private(set) var inClear = 0
    /// Values that open, by the key that opens them.
    package private(set) var sealed: [SealingKey: Int] = [:]
    /// Values that do not open.
    package private(set) var closed = 0
    /// Why one of those does not open; nil if there are none.
    package private(set) var reason: String?

    /// Counts one row's values.
    mutating func count(_ states: [SealState]) {
        rows += 1
        for state in states {
            switch state {
            case .nothing: break
            case .inClear: inClear += 1
            case .sealed(let key): sealed[key, default: 0] += 1
            case .closed(let words):
                closed += 1
                reason = reason ?? words
            }
        }
    }
}

/// How one value is sealed.
enum SealState: Hashable, Sendable {
    /// There is no token, sealed or not.
    case nothing
    /// It stands in clear.
    case inClear
    /// That key opens it.
    case sealed(SealingKey)
    /// It does not open; the words say why.
    case closed(String)
}

extension PostgresGrantStore {
    /// Looks at some rows, whichever the table gives first.
    ///
    /// - Parameter most: how many rows to look at.
    /// - Returns: how their tokens' columns are sealed, by the keys that are configured.
    /// - Throws: as every call of the database.
    package func sealCensus(ofRows most: Int) async throws(StoreFailure) -> SealCensus {
        try await withPlan { plan async throws(StoreFailure) in
            try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                let rows = try connection.run(plan.queries.values, ["\(most)"], until: deadline)
                var census = SealCensus()
                for states in rows.rows({ Self.states($0, plan) }) { census.count(states) }
                return census
            }
        }
    }

    private static func states(_ row: PostgresRow, _ plan: StorePlan) -> [SealState]? {
        guard let id = row.text(0) else { return nil }
        let user = UserID(id)
        return [
            plan.tokens.state(row.text(1), of: .accessToken, for: user),
            plan.tokens.state(row.text(2), of: .refreshToken, for: user),
        ]
    }
}

extension GrantQueries {
    /// The ids and both tokens of `$1` rows that have any; of a value that is none for its length, NULL.
    fileprivate var values: Statement {
        Statement(
            "values",
            """
            SELECT \(shownID), \(shipped(accessToken)), \(shipped(refreshToken)) FROM \(columns.table) t
            WHERE NOT \(isBlank(accessToken)) OR NOT \(isBlank(refreshToken)) LIMIT $1::bigint
            """
        )
    }
}
