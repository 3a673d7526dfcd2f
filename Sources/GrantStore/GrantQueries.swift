// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Every statement that is run on the application's table and on the account states, for one table and one set of
/// types.
///
/// Nothing here depends on the session: no prepared statements, no `SET`, times as microseconds since 1970 whatever the
/// `TimeZone`, names with their schema whatever the `search_path`. So a transaction pooler may stand in between.
struct GrantQueries: Sendable {
    /// The longest token, in bytes.
    static let longestToken = 16384

    let columns: GrantColumns
    let hasOwnSchema: Bool
    /// The longest value that is read, in bytes.
    let longestValue: Int
    /// Whether a load reads the refresh tokens.
    let loadsRefreshTokens: Bool

    /// Fits the statements to a table and to what its values may be, with the daemon's own state where its schema is there.
    init(columns: GrantColumns, hasOwnSchema: Bool, _ tokens: TokenColumns) {
        self.columns = columns
        self.hasOwnSchema = hasOwnSchema
        self.longestValue = tokens.longestValue
        self.loadsRefreshTokens = tokens.areSealed
    }

    /// For the transaction only: more memory for the join of a whole table with its states, and no limit of the role's to
    /// a statement that takes as long as the table is large; its progress has a deadline of ours. Any role may ask.
    static let roomToLoad = Statement("room to load", "SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = 0")

    /// One snapshot for all statements of a pass, so that no row is missed because it moved.
    static let beginPass = Statement("begin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    /// The server's time, in microseconds since 1970.
    static let serverTime = Statement("server time", "SELECT (date_part('epoch', clock_timestamp()) * 1000000)::bigint")

    /// How long one row's write waits for whoever holds the row, an application's transactions being short, how long it
    /// may take with whatever the application's triggers do, and how long the row stays locked if this host is gone before
    /// the transaction's end.
    static let oneRowsTime = Statement(
        "one row's time",
        """
        SET LOCAL lock_timeout = '250ms'; SET LOCAL statement_timeout = '1s'; \
        SET LOCAL idle_in_transaction_session_timeout = '5s'
        """
    )

    /// Every row, as ``RowField`` numbers the fields. One whose id cannot be told comes without it.
    var load: Statement {
        let fields = rowFields(withRefreshToken: loadsRefreshTokens)
        return Statement(
            "load",
            "COPY (SELECT \(fields) FROM \(rowSource) WHERE t.\(columns.id) IS NOT NULL) TO STDOUT"
        )
    }

    /// Every row's id, refresh token's version and expiry, for a table that cannot be read by ranges of pages. A row whose
    /// id cannot be told comes without it.
    var digests: Statement {
        Statement(
            "digests",
            "COPY (SELECT \(digestFields) FROM \(columns.table) t WHERE t.\(columns.id) IS NOT NULL) TO STDOUT"
        )
    }

    /// Where a pass over table `$1` stands: which server, since when, and which table; the oldest transaction that is not
    /// over; the next one; how many pages the largest part of the table has.
    static let position = Statement(
        "position",
        """
        WITH RECURSIVE parts (oid) AS (
            SELECT $1::regclass::oid
            UNION SELECT i.inhrelid FROM pg_inherits i JOIN parts ON i.inhparent = parts.oid
        )
        SELECT concat_ws('/', (date_part('epoch', pg_postmaster_start_time()) * 1000000)::bigint,
                (SELECT oid FROM pg_database WHERE datname = current_database()), $1::regclass::oid),
            txid_snapshot_xmin(txid_current_snapshot()), txid_snapshot_xmax(txid_current_snapshot()),
            (SELECT max(pg_relation_size(oid)) / current_setting('block_size')::bigint FROM parts)
        """
    )

    /// The digests of the rows in the pages from `$1` to before `$2` that transaction `$3` or a later one made; of all
    /// where `$3` is NULL. One row more, whose id is NULL, says how many rows there are in these pages, and how many of
    /// others, whose ids cannot be told.
    ///
    /// `age` counts back from the same transaction for both, in the circle that transactions' numbers go round in: an
    /// old row may seem young once in four thousand million transactions, and a young one never seems old.
    var changes: Statement {
        let range = "t.ctid >= $1::tid AND t.ctid < $2::tid AND t.\(columns.id) IS NOT NULL"
        let legible = columns.legibleID
        let counts =
            legible.map { "count(*) FILTER (WHERE \($0)), count(*) FILTER (WHERE NOT \($0))" } ?? "count(*), NULL"
        return Statement(
            "changes",
            """
            SELECT NULL, \(counts) FROM \(columns.table) t WHERE \(range)
            UNION ALL
            SELECT \(digestFields) FROM \(columns.table) t
            WHERE \(range)\(legible.map { " AND \($0)" } ?? "") AND ($3::xid IS NULL OR age(t.xmin) <= age($3::xid))
            """
        )
    }

    private var digestFields: String {
        """
        \(shownID), CASE WHEN \(isBlank(refreshToken)) THEN NULL ELSE \(version) END,
            CASE WHEN \(isBlank(accessToken)) THEN NULL ELSE \(expiry) END
        """
    }

    /// The rows of the ids in `$1`, in ``load``'s form, with the refresh tokens.
    var rows: Statement {
        let fields = rowFields(withRefreshToken: true)
        return Statement(
            "rows",
            "SELECT \(fields) FROM \(rowSource) WHERE t.\(columns.id) = ANY ($1::\(columns.idType.cast)[])"
        )
    }

    /// The refresh tokens of the ids in `$1`, with verdicts on both tokens' columns; those that are no token
    /// for their length, or cannot be told, stay where they are.
    var grants: Statement {
        Statement(
            "grants",
            """
            SELECT t.\(columns.id)::text, \(version), \(verdict(refreshToken)), \(verdict(accessToken)),
                \(shipped(refreshToken))
            FROM \(columns.table) t
            WHERE t.\(columns.id) = ANY ($1::\(columns.idType.cast)[]) AND NOT \(isBlank(refreshToken))
            """
        )
    }

    /// Writes down how accounts stand: ids, statuses, versions, failures, errors. Who does not know yet that the refresh token
    /// was sealed anew speaks of it by the version before.
    static let remember = Statement(
        "remember",
        """
        INSERT INTO tastytokend.grants AS g
            (user_id, status, grant_version, generation, consecutive_failures, last_error, changed_at)
        SELECT n.user_id, n.status, n.grant_version, 1, n.failures, n.last_error, now()
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::integer[], $5::text[])
            AS n (user_id, status, grant_version, failures, last_error)
        ORDER BY n.user_id
        ON CONFLICT (user_id) DO UPDATE SET
            status = excluded.status,
            grant_version = CASE WHEN excluded.grant_version = ANY (g.sealed_from) THEN g.sealed_as ELSE excluded.grant_version END,
            generation = g.generation + 1,
            consecutive_failures = excluded.consecutive_failures, last_error = excluded.last_error, changed_at = now()
        """
    )
}
