// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Every statement that is run on the application's table and on the account states, for one table and one set of
/// types.
///
/// Nothing here depends on the session: no prepared statements, no `SET`, times as microseconds since 1970 whatever the
/// `TimeZone`, names with their schema whatever the `search_path`. So a transaction pooler may stand in between.
struct GrantQueries: Sendable {
    /// The longest value that is taken for a token, in bytes.
    static let longestToken = 16384

    let columns: GrantColumns
    let hasOwnSchema: Bool

    /// Fits the statements to a table, with the daemon's own state where its schema is there.
    init(columns: GrantColumns, hasOwnSchema: Bool) {
        self.columns = columns
        self.hasOwnSchema = hasOwnSchema
    }

    /// For the transaction only: more memory for the join of a whole table with its states, and no limit of the role's to
    /// a statement that takes as long as the table is large; its progress has a deadline of ours. Any role may ask.
    static let roomToLoad = Statement("room to load", "SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = 0")

    /// One snapshot for all statements of a pass, so that no row is missed because it moved.
    static let beginPass = Statement("begin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

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
        Statement("load", "COPY (SELECT \(rowFields) FROM \(rowSource) WHERE t.\(columns.id) IS NOT NULL) TO STDOUT")
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

    /// The rows of the ids in `$1`, in ``load``'s form.
    var rows: Statement {
        Statement(
            "rows",
            "SELECT \(rowFields) FROM \(rowSource) WHERE t.\(columns.id) = ANY ($1::\(columns.idType.cast)[])"
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

    /// Writes down how accounts stand: ids, statuses, versions, failures, errors.
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
            status = excluded.status, grant_version = excluded.grant_version, generation = g.generation + 1,
            consecutive_failures = excluded.consecutive_failures, last_error = excluded.last_error, changed_at = now()
        """
    )
}

// MARK: - Parts of the reading statements

/// The fields of a row in `load` and `rows`.
enum RowField {
    static let id = 0
    static let version = 1
    static let refreshVerdict = 2
    static let accessFault = 3
    static let accessToken = 4
    static let expiresAt = 5
    static let status = 6
    static let grantVersion = 7
    static let generation = 8
    static let failures = 9
    static let lastError = 10
    static let lastRefreshedAt = 11
    static let lifetime = 12
}

extension GrantQueries {
    /// The id's cast is what makes the join with the states possible, whatever the id's type.
    var rowSource: String {
        hasOwnSchema
            ? "\(columns.table) t LEFT JOIN tastytokend.grants s ON s.user_id = t.\(columns.id)::text"
            : "\(columns.table) t"
    }

    var rowFields: String {
        let state =
            hasOwnSchema
            ? """
            s.status, s.grant_version, s.generation, s.consecutive_failures, \(columns.encoding.ifASCII("s.last_error")),
                \(Self.microseconds("s.last_refreshed_at")), s.lifetime_ms
            """ : "NULL, NULL, NULL, NULL, NULL, NULL, NULL"
        return """
            \(shownID), \(version), \(verdict(refreshToken)), \(fault(accessToken)), \(shipped(accessToken)),
                \(expiry), \(state)
            """
    }

    /// The id, or NULL if it cannot be told.
    private var shownID: String {
        let id = "t.\(columns.id)::text"
        return columns.legibleID.map { "CASE WHEN \($0) THEN \(id) END" } ?? id
    }

    /// A column's value, unless it is too long to be a token, or cannot be told.
    func shipped(_ text: String) -> String {
        let isToken =
            "octet_length(\(text)) <= \(Self.longestToken)" + orNothing(" AND ", columns.encoding.isASCII(text))
        return "CASE WHEN \(isToken) THEN \(text) END"
    }

    /// The verdict on a column's value that is not ``shipped(_:)``; NULL of one that is, which is judged where it comes.
    private func fault(_ text: String) -> String {
        let notASCII = orNothing(" WHEN NOT ", "(\(columns.encoding.isASCII(text))) THEN 3")
        return "CASE WHEN octet_length(\(text)) > \(Self.longestToken) THEN 2\(notASCII) END"
    }

    /// What is to be looked at only where not every text can be told.
    private func orNothing(_ link: String, _ condition: String) -> String {
        columns.encoding.isUTF8 ? "" : link + condition
    }

    var refreshToken: String { "t.\(columns.refreshToken)::text" }
    var accessToken: String { "t.\(columns.accessToken)::text" }

    /// Differs when the stored text differs. The collation is named because some let different texts be equal.
    var version: String { "hashtextextended(\(refreshToken) COLLATE \"C\", 0)" }

    private var expiry: String { Self.microseconds("t.\(columns.expiresAt)") }

    /// Whole microseconds since 1970, NULL for what no token's expiry can be, such as `infinity`. `date_part` counts in
    /// doubles, which hold microseconds exactly until the year 2242, and is twice as fast as `extract`.
    private static func microseconds(_ column: String) -> String {
        """
        CASE WHEN \(column) >= '1970-01-01 00:00:00Z' AND \(column) < '2200-01-01 00:00:00Z' \
        THEN (date_part('epoch', \(column)) * 1000000)::bigint END
        """
    }

    /// Whether there is nothing but white space. The first character decides nearly always, which spares a slow trim.
    func isBlank(_ text: String) -> String {
        "(CASE WHEN \(text) COLLATE \"C\" >= '!' THEN false "
            + "ELSE coalesce(btrim(\(text), E' \\t\\n\\r\\f\\x0b'), '') = '' END)"
    }

    /// Tells tokens (RFC 6749 appendix A: visible ASCII and space) from what else may stand in a column. What JSON
    /// would not escape, is ASCII and has no DEL is found good by linear scans; the regular expression,
    /// many times as slow, is left for the rest.
    func verdict(_ text: String) -> String {
        """
        CASE WHEN \(isBlank(text)) THEN 0 \
        WHEN octet_length(\(text)) > \(Self.longestToken) THEN 2 \
        WHEN octet_length(to_json(\(text))::text) = octet_length(\(text)) + 2 \
        AND \(columns.encoding.isASCII(text)) AND strpos(\(text) COLLATE "C", E'\\x7f') = 0 THEN 1 \
        WHEN \(text) COLLATE "C" ~ '[^ -~]' THEN 3 ELSE 1 END
        """
    }
}

// MARK: - The write

extension GrantQueries {
    /// What a write does when somebody else holds one of its rows.
    enum LockedRows: Sendable {
        /// Leaves those rows alone and does the others.
        case skip
        /// Waits as long as ``oneRowsTime`` says.
        case wait
    }

    /// Writes tokens into rows that still hold the refresh token that was used, and the state beside them, in one go.
    /// The setting, for this transaction only, keeps the trigger from telling of a daemon's write: this one knows of it, and others
    /// learn of it when they come to that account.
    ///
    /// Parameters: `$1` ids, `$2` access tokens, `$3` expiries, `$4` versions used, `$5` times of refresh, `$6`
    /// lifetimes in ms, `$7` the epochs of claims, NULL for a write without one, `$8` their owner, `$9` new refresh tokens,
    /// where `rotates`. Fields: id; version stored, NULL if nothing was; whether the row matched; whether it could be
    /// locked. A claim is locked before its row is looked at, and ends when the row is written. A row that holds the new
    /// refresh token already was written by an attempt whose answer was lost, and matches too.
    func write(rotates: Bool, locked: LockedRows) -> Statement {
        let matches =
            "(\(version) = i.used" + (rotates ? " OR \(refreshToken) COLLATE \"C\" = i.refresh COLLATE \"C\")" : ")")
            + (hasOwnSchema ? " AND (i.epoch IS NULL OR i.id IN (SELECT h.id FROM held h))" : "")
        return Statement(
            "write",
            """
            WITH own AS (
                SELECT set_config('\(ChangeTrigger.ownWrite)', 'on', true)
            ), input AS (
                SELECT i.*, $8::text AS owner
                FROM own, unnest($1::\(columns.idType.cast)[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],
                    $6::bigint[], $7::bigint[]\(rotates ? ", $9::text[]" : ""))
                    AS i (id, access, expires, used, refreshed, lifetime, epoch\(rotates ? ", refresh" : ""))
            ), \(hasOwnSchema ? Self.held : "")matching AS (
                SELECT i.id FROM \(columns.table) t JOIN input i ON t.\(columns.id) = i.id WHERE \(matches)
            ), locked AS (
                SELECT i.id FROM \(columns.table) t JOIN input i ON t.\(columns.id) = i.id WHERE \(matches)
                FOR NO KEY UPDATE OF t\(locked == .skip ? " SKIP LOCKED" : "")
            ), stored AS (
                UPDATE \(columns.table) t SET \(assignments(rotates: rotates))
                FROM input i JOIN locked l ON l.id = i.id
                WHERE t.\(columns.id) = i.id AND \(matches)
                RETURNING i.id, \(version) AS version
            )\(hasOwnSchema ? ", \(Self.released), \(noted)" : "")
            SELECT i.id::text, s.version, m.id IS NOT NULL, l.id IS NOT NULL
            FROM input i LEFT JOIN stored s ON s.id = i.id LEFT JOIN matching m ON m.id = i.id
                LEFT JOIN locked l ON l.id = i.id
            """
        )
    }

    private func assignments(rotates: Bool) -> String {
        let expires = "\(columns.expiryType.name) 'epoch' + i.expires * interval '1 microsecond'"
        return "\(columns.accessToken) = i.access, \(columns.expiresAt) = \(expires)"
            + (rotates ? ", \(columns.refreshToken) = i.refresh" : "")
    }

    /// The claims among the input that still stand, kept from being taken over until the row is written.
    private static let held = """
        held AS (
            SELECT i.id FROM tastytokend.claims c JOIN input i ON c.user_id = i.id::text
            WHERE c.owner = i.owner AND c.epoch = i.epoch
            ORDER BY c.user_id COLLATE "C" FOR UPDATE OF c
        ),

        """

    private static let released = """
        released AS (
            UPDATE tastytokend.claims c SET until = clock_timestamp()
            FROM stored s JOIN input i ON i.id = s.id
            WHERE c.user_id = i.id::text AND c.owner = i.owner AND c.epoch = i.epoch
        )
        """

    /// Sorted, so that two daemons that write the same accounts cannot wait for each other.
    private var noted: String {
        """
        noted AS (
            INSERT INTO tastytokend.grants AS g (user_id, status, grant_version, generation, consecutive_failures,
                last_error, last_refreshed_at, lifetime_ms, changed_at)
            SELECT i.id::text, 'active', s.version, 1, 0, NULL,
                timestamptz 'epoch' + i.refreshed * interval '1 microsecond', i.lifetime, now()
            FROM stored s JOIN input i ON i.id = s.id
            ORDER BY 1
            ON CONFLICT (user_id) DO UPDATE SET
                status = excluded.status, grant_version = excluded.grant_version, generation = g.generation + 1,
                consecutive_failures = 0, last_error = NULL, last_refreshed_at = excluded.last_refreshed_at,
                lifetime_ms = excluded.lifetime_ms, changed_at = now()
        )
        """
    }
}
