// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension PostgresGrantStore {
    /// Stores refresh tokens alone, one row at a time: they are rare, and none holds up another. A row that another
    /// session keeps locked is `locked` after a short wait.
    package func salvage(_ salvages: [GrantSalvage]) async throws(StoreFailure) -> [UserID: WriteOutcome] {
        try await withPlan { plan async throws(StoreFailure) in
            var outcomes: [UserID: WriteOutcome] = [:]
            for salvage in salvages {
                outcomes[salvage.user] = try await self.store(salvage, plan)
            }
            return outcomes
        }
    }

    private func store(_ salvage: GrantSalvage, _ plan: StorePlan) async throws(StoreFailure) -> WriteOutcome {
        guard plan.columns.idType.canPrint(salvage.user) else { return .superseded }
        return try await waits.run(within: configuration.statementDeadline) {
            connection,
            deadline throws(StoreError) in
            try self.tellKeyBeforeWriting(plan, on: connection, until: deadline)
            return try salvage.write(plan, by: self.configuration.owner, on: connection, until: deadline)
        }
    }
}

extension GrantSalvage {
    /// Writes the new refresh token as it is to be stored. A row that was being sealed anew when it was looked at is looked at
    /// once more: then it shows what it is.
    fileprivate func write(
        _ plan: StorePlan,
        by owner: String,
        on connection: PostgresConnection,
        until deadline: Deadline
    ) throws(StoreError) -> WriteOutcome {
        let stored: String
        do throws(TokenRejection) {
            stored = try plan.hands.holding(user, usedVersion, .salvaging) { () throws(TokenRejection) in
                try plan.tokens.stored(newRefreshToken, in: .refreshToken, of: user)
            }
        } catch {
            return .rejected(reason: error.reason)
        }
        let first = try write(stored, plan, by: owner, on: connection, until: deadline)
        return first == .superseded ? try write(stored, plan, by: owner, on: connection, until: deadline) : first
    }

    private func write(
        _ stored: String,
        _ plan: StorePlan,
        by owner: String,
        on connection: PostgresConnection,
        until deadline: Deadline
    ) throws(StoreError) -> WriteOutcome {
        let arguments = [user.text, stored, "\(usedVersion)"] + (plan.queries.hasOwnSchema ? [owner] : [])
        let statement = plan.queries.salvage.hiding([newRefreshToken, Secret(stored)])
        let versions = try plan.changingOneRow(of: user, on: connection, until: deadline) { () throws(StoreError) in
            try connection.run(statement, arguments, until: deadline).rows { $0.integer(0) }
        }
        return switch versions {
        case .success(let versions): versions.first.map { .stored(grantVersion: $0) } ?? .superseded
        case .failure(let refusal): refusal.outcome
        }
    }
}

extension GrantQueries {
    private static let spent = """
        spent AS (
            UPDATE tastytokend.grants g
            SET spent_versions = (ARRAY[$3::bigint] || array_remove(g.spent_versions, $3::bigint))[1:8]
            FROM stored s WHERE g.user_id = s.id::text AND s.version <> $3::bigint
        )
        """

    private var told: String { DaemonNews.telling(.stored, by: "$4::text", of: "stored", columns) }

    /// Writes one refresh token into a row that still holds the one that was used, be it sealed anew since; or this one already,
    /// stored in the same manner: one that was sealed by an earlier attempt is found when the row is read again. The setting, for this
    /// transaction only, keeps the trigger from telling of a daemon's write: the daemon itself tells the others.
    ///
    /// Parameters: `$1` id, `$2` new refresh token, `$3` version used, `$4` the daemon's id where it has its own schema. Field: the
    /// version stored.
    fileprivate var salvage: Statement {
        let sealedAnew = """
            EXISTS (SELECT FROM tastytokend.grants g WHERE g.user_id = t.\(columns.id)::text
                    AND $3::bigint = ANY (g.sealed_from) AND g.sealed_as = \(version))
            """
        return Statement(
            "salvage",
            """
            WITH own AS (
                SELECT set_config('\(ChangeTrigger.ownWrite)', 'on', true)
            ), stored AS (
                UPDATE \(columns.table) t SET \(columns.refreshToken) = $2 FROM own
                WHERE t.\(columns.id) = $1::\(columns.idType.cast)
                    AND (\(version) = $3::bigint OR \(refreshToken) COLLATE "C" = $2 COLLATE "C"
                        \(hasOwnSchema ? "OR \(sealedAnew)" : ""))
                RETURNING t.\(columns.id) AS id, \(version) AS version
            )\(hasOwnSchema ? ", \(Self.spent), \(told)" : "")
            SELECT s.version FROM stored s\(hasOwnSchema ? " WHERE \(DaemonNews.isTold)" : "")
            """
        )
    }
}
