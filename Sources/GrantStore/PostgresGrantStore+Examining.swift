// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What `tastytokend check` asks of the database. Nothing is changed by any of it.
extension PostgresGrantStore {
    /// Where one is connected to, as whom.
    package struct Place: Hashable, Sendable {
        /// The server's version, as `15.18`.
        package let serverVersion: String
        /// The role that the statements run as.
        package let role: String
        /// The database's name.
        package let database: String
    }

    private static let place = Statement(
        "look where this is",
        "SELECT split_part(current_setting('server_version'), ' ', 1), current_user, current_database()"
    )

    /// Connects and says where to.
    package func whereConnected() async throws(StoreFailure) -> Place {
        try await writes.run(within: configuration.statementDeadline) { connection, deadline throws(StoreError) in
            let answers = try connection.run(Self.place, until: deadline).rows { row in
                (0..<3).map { SafeText(foreign: row.text($0) ?? "").text }
            }
            guard let answer = answers.first, answer.count == 3 else {
                throw StoreError(.refused, reach: .statement, text: "The database does not say which one it is.")
            }
            return Place(serverVersion: answer[0], role: answer[1], database: answer[2])
        }
    }

    /// Counts the rows that have a refresh token, by reading all of the table.
    package func countGrants() async throws(StoreFailure) -> Int {
        try await withPlan { plan async throws(StoreFailure) in
            let columns = plan.columns
            let count = Statement(
                "count grants",
                "SELECT count(*) FROM \(columns.table) WHERE btrim(\(columns.refreshToken)) <> ''"
            )
            return try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(count, until: deadline).rows { $0.integer(0) }.first.flatMap { $0 }.map(Int.init)
                    ?? 0
            }
        }
    }

    /// Some users whose rows have a refresh token, the first by their ids.
    ///
    /// - Parameter most: how many at most.
    /// - Returns: whose rows; no order.
    /// - Throws: as every call of the database.
    package func usersWithGrants(atMost most: Int) async throws(StoreFailure) -> [UserID] {
        try await withPlan { plan async throws(StoreFailure) in
            let (columns, queries) = (plan.columns, plan.queries)
            let sample = Statement(
                "users with grants",
                """
                SELECT t.\(columns.id)::text FROM \(columns.table) t
                WHERE t.\(columns.id) IS NOT NULL AND NOT \(queries.isBlank(queries.refreshToken))
                    \(columns.legibleID.map { "AND \($0)" } ?? "")
                ORDER BY t.\(columns.id) LIMIT $1::integer
                """
            )
            return try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(sample, ["\(most)"], until: deadline).rows { $0.text(0).map { UserID($0) } }
            }
        }
    }

    /// Tries whether notifications arrive, by one to itself on the channel that daemons listen to, who take no notice of it.
    /// Gives why not; nil if they do.
    package func reasonNotificationsFail() async -> String? {
        await listener.tryOnce()
    }
}
