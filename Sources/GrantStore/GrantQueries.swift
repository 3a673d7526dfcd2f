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

    private let columns: GrantColumns
    private let hasOwnSchema: Bool

    /// Fits the statements to a table, with the daemon's own state where its schema is there.
    init(columns: GrantColumns, hasOwnSchema: Bool) {
        self.columns = columns
        self.hasOwnSchema = hasOwnSchema
    }

    /// More memory for the join of a whole table with its states, for the transaction only. Any role may ask for it.
    static let roomToJoin = Statement("room to join", "SET LOCAL work_mem = '64MB'")

    /// How long one row's write waits for whoever holds the row; an application's transactions are short.
    static let shortLockWait = Statement("lock timeout", "SET LOCAL lock_timeout = '250ms'")

    /// Every row, as ``RowField`` numbers the fields.
    var load: Statement {
        Statement("load", "COPY (SELECT \(rowFields) FROM \(rowSource) WHERE t.\(columns.id) IS NOT NULL) TO STDOUT")
    }

    /// Every row's id, refresh token's version and expiry.
    var digests: Statement {
        Statement(
            "digests",
            """
            COPY (
                SELECT t.\(columns.id), CASE WHEN \(isBlank(refreshToken)) THEN NULL ELSE \(version) END,
                    CASE WHEN \(isBlank(accessToken)) THEN NULL ELSE \(expiry) END
                FROM \(columns.table) t WHERE t.\(columns.id) IS NOT NULL
            ) TO STDOUT
            """
        )
    }

    /// The rows of the ids in `$1`, in ``load``'s form.
    var rows: Statement {
        Statement(
            "rows",
            "SELECT \(rowFields) FROM \(rowSource) WHERE t.\(columns.id) = ANY ($1::\(columns.idType.cast)[])"
        )
    }

    /// The refresh tokens of the ids in `$1`, with verdicts on both tokens' columns; those too long to be a token stay
    /// where they are.
    var grants: Statement {
        Statement(
            "grants",
            """
            SELECT t.\(columns.id)::text, \(version), \(verdict(refreshToken)), \(verdict(accessToken)),
                CASE WHEN octet_length(\(refreshToken)) <= \(Self.longestToken) THEN \(refreshToken) END
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
    static let accessIsTooLong = 3
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
    private var rowSource: String {
        hasOwnSchema
            ? "\(columns.table) t LEFT JOIN tastytokend.grants s ON s.user_id = t.\(columns.id)::text"
            : "\(columns.table) t"
    }

    private var rowFields: String {
        let state =
            hasOwnSchema
            ? """
            s.status, s.grant_version, s.generation, s.consecutive_failures, s.last_error,
                \(Self.microseconds("s.last_refreshed_at")), s.lifetime_ms
            """ : "NULL, NULL, NULL, NULL, NULL, NULL, NULL"
        return """
            t.\(columns.id)::text, \(version), \(verdict(refreshToken)),
                octet_length(\(accessToken)) > \(Self.longestToken),
                CASE WHEN octet_length(\(accessToken)) <= \(Self.longestToken) THEN \(accessToken) END,
                \(expiry), \(state)
            """
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
    /// would not escape, has one byte per character and no DEL is found good by linear scans; the regular expression,
    /// many times as slow, is left for the rest.
    func verdict(_ text: String) -> String {
        """
        CASE WHEN \(isBlank(text)) THEN 0 \
        WHEN octet_length(\(text)) > \(Self.longestToken) THEN 2 \
        WHEN octet_length(to_json(\(text))::text) = octet_length(\(text)) + 2 \
        AND octet_length(\(text)) = length(\(text)) AND strpos(\(text) COLLATE "C", E'\\x7f') = 0 THEN 1 \
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
        /// Waits as long as ``shortLockWait`` says.
        case wait
    }

    /// Writes tokens into rows that still hold the refresh token that was used, and the state beside them, in one go.
    ///
    /// Parameters: `$1` ids, `$2` access tokens, `$3` expiries, `$4` versions used, `$5` times of refresh, `$6`
    /// lifetimes in ms, `$7` new refresh tokens, where `rotates`. Fields: id; version stored, NULL if nothing was;
    /// whether the row matched; whether it could be locked. A row that holds the new refresh token already was written
    /// by an attempt whose answer was lost, and matches too.
    func write(rotates: Bool, locked: LockedRows) -> Statement {
        let matches =
            "(\(version) = i.used" + (rotates ? " OR \(refreshToken) COLLATE \"C\" = i.refresh COLLATE \"C\")" : ")")
        return Statement(
            "write",
            """
            WITH input AS (
                SELECT * FROM unnest($1::\(columns.idType.cast)[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],
                    $6::bigint[]\(rotates ? ", $7::text[]" : ""))
                    AS i (id, access, expires, used, refreshed, lifetime\(rotates ? ", refresh" : ""))
            ), matching AS (
                SELECT i.id FROM \(columns.table) t JOIN input i ON t.\(columns.id) = i.id WHERE \(matches)
            ), locked AS (
                SELECT i.id FROM \(columns.table) t JOIN input i ON t.\(columns.id) = i.id WHERE \(matches)
                FOR NO KEY UPDATE OF t\(locked == .skip ? " SKIP LOCKED" : "")
            ), stored AS (
                UPDATE \(columns.table) t SET \(assignments(rotates: rotates))
                FROM input i JOIN locked l ON l.id = i.id
                WHERE t.\(columns.id) = i.id AND \(matches)
                RETURNING i.id, \(version) AS version
            )\(hasOwnSchema ? ", \(noted)" : "")
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
