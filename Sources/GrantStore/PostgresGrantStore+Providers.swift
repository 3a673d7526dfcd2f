// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What all daemons on a database have to know of an OAuth client's provider.
extension PostgresGrantStore {
    private static let noteRotation = Statement(
        "note rotation",
        "INSERT INTO tastytokend.providers (client, rotates_since) VALUES ($1, now()) ON CONFLICT (client) DO NOTHING"
    )

    private static let rotates = Statement("rotation", "SELECT true FROM tastytokend.providers WHERE client = $1")

    /// Whether some daemon saw the client's provider rotate refresh tokens; false where there is no schema to remember it.
    package func sawRotation(of client: String) async throws(StoreFailure) -> Bool {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return false }
            return try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                try connection.run(Self.rotates, [client], until: deadline).rows { $0.flag(0) }.first ?? false
            }
        }
    }

    /// Writes down that it does; nothing where there is no schema to remember it.
    package func noteRotation(of client: String) async throws(StoreFailure) {
        try await withPlan { plan async throws(StoreFailure) in
            guard plan.report.ownSchema.isPresent else { return }
            try await self.reads.run(within: self.configuration.statementDeadline) {
                connection,
                deadline throws(StoreError) in
                _ = try connection.run(Self.noteRotation, [client], until: deadline)
            }
        }
    }
}
