// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The statements that put a grant into a row because a person said so, and take it out again. The setting, for the transaction only, keeps
/// the trigger from telling of a daemon's write: the daemon itself tells the others.
extension GrantQueries {
    private var told: String { DaemonNews.telling(.stored, by: "$2::text", of: "changed", columns) }

    private var isTold: String { hasOwnSchema ? " WHERE \(DaemonNews.isTold)" : "" }

    /// Puts a grant in, whatever stands there.
    ///
    /// Parameters: `$1` id, `$2` the daemon's id, `$3` refresh token, `$4` access token, `$5` expiry, and with a schema of its own `$6`
    /// time of refresh, `$7` lifetime in ms, `$8` by how many microseconds the clock of the expiry was ahead of the server's, NULL where
    /// that is not known, `$9` client, `$10` its environment. A client that is another environment's by now is none any more: a grant of
    /// the sandbox's is never sent to production. Field: the id, if there is such a row.
    var connect: Statement {
        Statement(
            "connect",
            """
            WITH own AS (
                SELECT set_config('\(ChangeTrigger.ownWrite)', 'on', true), $2::text AS owner
            ), changed AS (
                UPDATE \(columns.table) t SET \(columns.refreshToken) = $3, \(columns.accessToken) = $4,
                    \(columns.expiresAt) = \(columns.expiryType.name) 'epoch' + $5::bigint * interval '1 microsecond'
                FROM own WHERE t.\(columns.id) = $1::\(columns.idType.cast)
                RETURNING t.\(columns.id) AS id, \(version) AS version
            )\(hasOwnSchema ? ", \(Self.connected), \(told)" : "")
            SELECT c.id::text FROM changed c\(isTold)
            """
        )
    }

    /// One that stands among those that were replaced has just proved that it is not spent.
    private static let connected = """
        noted AS (
            INSERT INTO tastytokend.grants AS g (user_id, status, grant_version, generation, consecutive_failures,
                last_error, last_refreshed_at, lifetime_ms, microseconds_ahead, client, changed_at)
            SELECT c.id::text, 'active', c.version, 1, 0, NULL,
                timestamptz 'epoch' + $6::bigint * interval '1 microsecond', $7::bigint, $8::bigint,
                -- No client has the empty name, so that the row is not taken.
                CASE WHEN $9::text IS NULL THEN NULL ELSE coalesce(
                    (SELECT l.name FROM tastytokend.clients l WHERE l.name = $9::text AND l.environment = $10::text), ''
                ) END, now()
            FROM changed c
            ON CONFLICT (user_id) DO UPDATE SET
                status = excluded.status, grant_version = excluded.grant_version, generation = g.generation + 1,
                consecutive_failures = 0, last_error = NULL, last_refreshed_at = excluded.last_refreshed_at,
                lifetime_ms = excluded.lifetime_ms, microseconds_ahead = excluded.microseconds_ahead,
                client = excluded.client, changed_at = now(),
                spent_versions = array_remove(g.spent_versions, excluded.grant_version)
        )
        """

    /// Takes a grant out, and its token.
    ///
    /// Parameters: `$1` id, `$2` the daemon's id. Field: the id, if there is such a row.
    var disconnect: Statement {
        Statement(
            "disconnect",
            """
            WITH own AS (
                SELECT set_config('\(ChangeTrigger.ownWrite)', 'on', true), $2::text AS owner
            ), changed AS (
                UPDATE \(columns.table) t
                SET \(columns.refreshToken) = NULL, \(columns.accessToken) = NULL, \(columns.expiresAt) = NULL
                FROM own WHERE t.\(columns.id) = $1::\(columns.idType.cast)
                RETURNING t.\(columns.id) AS id
            )\(hasOwnSchema ? ", \(Self.disconnected), \(told)" : "")
            SELECT c.id::text FROM changed c\(isTold)
            """
        )
    }

    private static let disconnected = """
        noted AS (
            UPDATE tastytokend.grants g SET status = 'no_grant', grant_version = NULL, generation = g.generation + 1,
                consecutive_failures = 0, last_error = NULL, lifetime_ms = NULL, microseconds_ahead = NULL, client = NULL,
                changed_at = now()
            FROM changed c WHERE g.user_id = c.id::text
        )
        """
}
