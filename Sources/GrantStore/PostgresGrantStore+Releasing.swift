// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What a daemon that stops leaves behind for the others.
extension PostgresGrantStore {
    /// So many claims are given back by one statement, and told of in one go.
    private static let releaseBatchSize = 1000
    /// All of it together, for a stop must not hang on the database: what is not given back runs out by itself.
    private static let longestRelease: Duration = .seconds(3)

    /// Gives back every claim of this daemon, those that were to be kept for a while too, and tells the other daemons. A call that is
    /// not accounted for stays known to whoever claims the account next.
    ///
    /// - Throws: as every call of the database; what was given back until then is.
    package func releaseClaims() async throws(StoreFailure) {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return }
            let owner = self.configuration.owner
            try await self.waits.run(within: min(self.configuration.statementDeadline, Self.longestRelease)) {
                connection,
                deadline throws(StoreError) in
                var count: Int64
                repeat {
                    let statement = plan.queries.releaseClaims(atMost: Self.releaseBatchSize)
                    count = try connection.run(statement, [owner], until: deadline).rows { $0.integer(0) }.first ?? 0
                } while count == Self.releaseBatchSize
            }
        }
    }
}
