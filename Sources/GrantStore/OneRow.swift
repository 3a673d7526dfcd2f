// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Why one row was not changed, though there is nothing wrong with database or statement.
enum RowRefusal: Error {
    /// Another session holds it, and did after a short wait.
    case locked
    /// The database did not take it (a constraint, a trigger of the application), or not in time; the reason quotes nothing of the row.
    case rejected(StoreError, reason: String)
}

extension StorePlan {
    /// Changes one row in a transaction of its own, and waits for whoever holds it only as long as ``GrantQueries/oneRowsTime`` says.
    ///
    /// - Parameters:
    ///   - user: whose row.
    ///   - connection: where.
    ///   - deadline: when it is to be over.
    ///   - body: runs the statement.
    /// - Returns: what it returns, or why the row is as it was.
    /// - Throws: what concerns more than the row.
    func changingOneRow<Value>(
        of user: UserID,
        on connection: PostgresConnection,
        until deadline: Deadline,
        _ body: () throws(StoreError) -> Value
    ) throws(StoreError) -> Result<Value, RowRefusal> {
        do throws(StoreError) {
            return .success(
                try connection.transaction(until: deadline) { () throws(StoreError) in
                    try connection.run(GrantQueries.oneRowsTime, until: deadline)
                    return try body()
                }
            )
        } catch  where error.isLockWait {
            return .failure(.locked)
        } catch  where error.reach == .row || error.isOverrun {
            let secrets = RowSecrets(queries, on: connection, until: deadline)
            return .failure(.rejected(error, reason: secrets.reason(of: error, for: user)))
        }
    }
}

extension RowRefusal {
    /// What it means for a write.
    var outcome: WriteOutcome {
        switch self {
        case .locked: .locked
        case .rejected(_, let reason): .rejected(reason: reason)
        }
    }
}
