// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Why the database took a write to one row amiss, told without what that row holds: a trigger of the application's may quote it,
/// and a token that it quotes may live for years.
struct RowSecrets {
    private let queries: GrantQueries
    private let connection: PostgresConnection
    private let deadline: Deadline

    /// Looks at rows by that connection, which must not be in a transaction that failed.
    init(_ queries: GrantQueries, on connection: PostgresConnection, until deadline: Deadline) {
        (self.queries, self.connection, self.deadline) = (queries, connection, deadline)
    }

    /// The error's words without the tokens in the row; its code alone where the row cannot be read.
    func reason(of error: StoreError, for user: UserID) -> String {
        // A look that overran its deadline would cost the connection, and with it what else was written by it.
        guard deadline.remaining > .seconds(1) else { return Self.reason(error) }
        do throws(StoreError) {
            let held = try connection.run(queries.heldValues, [user.text], until: deadline).rows { row in
                [row.text(0), row.text(1)].compactMap(\.self).map { Secret($0) }
            }
            return Secret.strike(held.flatMap(\.self), from: error.failure.description)
        } catch _ {
            return Self.reason(error)
        }
    }

    private static func reason(_ error: StoreError) -> String {
        "the database refused the write" + (error.failure.sqlState.map { " (SQLSTATE \($0))" } ?? "")
    }
}

extension GrantQueries {
    /// The two tokens' columns of the row with id `$1`, as they are stored.
    fileprivate var heldValues: Statement {
        Statement(
            "held values",
            """
            SELECT \(shipped(accessToken)), \(shipped(refreshToken)) FROM \(columns.table) t
            WHERE t.\(columns.id) = $1::\(columns.idType.cast)
            """
        )
    }
}
