// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension GrantQueries {
    /// What a write does when somebody else holds one of its rows.
    enum LockedRows: Sendable {
        /// Leaves those rows alone and does the others.
        case skip
        /// Waits as long as ``oneRowsTime`` says.
        case wait
    }

    /// Writes tokens into rows that still hold the refresh token that was used, and the state beside them, in one go.
    /// The setting, for this transaction only, keeps the trigger from telling of a daemon's write row by row: this one knows of it, and
    /// the others are told of the batch.
    ///
    /// Parameters: `$1` ids, `$2` access tokens, `$3` expiries, `$4` versions used, `$5` times of refresh, `$6`
    /// lifetimes in ms, `$7` the epochs of claims, NULL for a write without one, `$8` their owner, `$9` by how many microseconds
    /// the clock of the expiries was ahead of the server's, NULL where that is not known, `$10` new refresh tokens, where
    /// `rotates`. Fields: id; version stored, NULL if nothing was; whether the row matched; whether it could be locked. A claim is locked before its row is looked at, and ends when the row is written. A row that holds the new
    /// refresh token already was written by an attempt whose answer was lost (hard case H6), and matches too; where all of it
    /// stands there, the row counts as stored and is not written again.
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
                    $6::bigint[], $7::bigint[], $9::bigint[]\(rotates ? ", $10::text[]" : ""))
                    AS i (id, access, expires, used, refreshed, lifetime, epoch, ahead\(rotates ? ", refresh" : ""))
            ), \(hasOwnSchema ? Self.held : "")matching AS (
                SELECT i.id, \(version) AS version, \(isWritten(rotates: rotates)) AS is_written
                FROM \(columns.table) t JOIN input i ON t.\(columns.id) = i.id WHERE \(matches)
            ), locked AS (
                SELECT i.id FROM \(columns.table) t JOIN input i ON t.\(columns.id) = i.id
                WHERE \(matches) AND NOT \(isWritten(rotates: rotates))
                FOR NO KEY UPDATE OF t\(locked == .skip ? " SKIP LOCKED" : "")
            ), written AS (
                UPDATE \(columns.table) t SET \(assignments(rotates: rotates))
                FROM input i JOIN locked l ON l.id = i.id
                WHERE t.\(columns.id) = i.id AND \(matches)
                RETURNING i.id, \(version) AS version
            ), stored AS (
                SELECT w.id, w.version FROM written w UNION ALL SELECT m.id, m.version FROM matching m WHERE m.is_written
            )\(hasOwnSchema ? ", \(Self.released), \(noted(rotates: rotates)), \(told)" : "")
            SELECT i.id::text, s.version, m.id IS NOT NULL, l.id IS NOT NULL
            FROM input i LEFT JOIN stored s ON s.id = i.id LEFT JOIN matching m ON m.id = i.id
                LEFT JOIN locked l ON l.id = i.id\(hasOwnSchema ? " WHERE \(DaemonNews.isTold)" : "")
            """
        )
    }

    private var expires: String { "\(columns.expiryType.name) 'epoch' + i.expires * interval '1 microsecond'" }

    private func assignments(rotates: Bool) -> String {
        "\(columns.accessToken) = i.access, \(columns.expiresAt) = \(expires)"
            + (rotates ? ", \(columns.refreshToken) = i.refresh" : "")
    }

    /// Whether the row holds what is to be written, letter by letter; never NULL.
    private func isWritten(rotates: Bool) -> String {
        let same =
            "\(accessToken) COLLATE \"C\" = i.access COLLATE \"C\" AND t.\(columns.expiresAt) = \(expires)"
            + (rotates ? " AND \(refreshToken) COLLATE \"C\" = i.refresh COLLATE \"C\"" : "")
        return "coalesce(\(same), false)"
    }

    /// The claims among the input that still stand, kept from being taken over until the row is written.
    static let held = """
        held AS (
            SELECT i.id FROM tastytokend.claims c JOIN input i ON c.user_id = i.id::text
            WHERE c.owner = i.owner AND c.epoch = i.epoch
            ORDER BY c.user_id COLLATE "C" FOR UPDATE OF c
        ),

        """

    private static let released = """
        released AS (
            UPDATE tastytokend.claims c SET until = clock_timestamp(), sent_by = NULL, sent_version = NULL,
                is_reply_lost = false
            FROM stored s JOIN input i ON i.id = s.id
            WHERE c.user_id = i.id::text AND c.owner = i.owner AND c.epoch = i.epoch
        )
        """

    /// The last one first, each once.
    private static let spent = """
        ,
                spent_versions = (excluded.spent_versions || array_remove(g.spent_versions, excluded.spent_versions[1]))[1:8]
        """

    private var told: String { DaemonNews.telling(.stored, by: "$8::text", of: "stored", columns) }

    /// Sorted, so that two daemons that write the same accounts cannot wait for each other.
    /// Where refresh tokens are replaced, those that were are written down too: one that stands in its row again is not sent.
    private func noted(rotates: Bool) -> String {
        """
        noted AS (
            INSERT INTO tastytokend.grants AS g (user_id, status, grant_version, generation, consecutive_failures,
                last_error, last_refreshed_at, lifetime_ms, microseconds_ahead, changed_at\(rotates ? ", spent_versions" : ""))
            SELECT i.id::text, 'active', s.version, 1, 0, NULL,
                timestamptz 'epoch' + i.refreshed * interval '1 microsecond', i.lifetime, i.ahead, now()\(rotates ? ", CASE WHEN s.version <> i.used THEN ARRAY[i.used] END" : "")
            FROM stored s JOIN input i ON i.id = s.id
            ORDER BY 1
            ON CONFLICT (user_id) DO UPDATE SET
                status = excluded.status, grant_version = excluded.grant_version, generation = g.generation + 1,
                consecutive_failures = 0, last_error = NULL, last_refreshed_at = excluded.last_refreshed_at,
                lifetime_ms = excluded.lifetime_ms, microseconds_ahead = excluded.microseconds_ahead, changed_at = now()\(rotates ? Self.spent : "")
        )
        """
    }
}
