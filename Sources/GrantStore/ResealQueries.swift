// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// The statements by which what is stored is sealed anew. None touches a row that it has not claimed.

extension GrantQueries {
    /// The next `$1` rows that hold anything, in the order of their ids, after id `$2` where `isFirst` is false. Fields: id,
    /// access token, refresh token, and verdicts on both; of a value that is none for its length, or cannot be told, NULL.
    func walk(isFirst: Bool) -> Statement {
        let start = isFirst ? "$2::text IS NULL" : "t.\(columns.id) > $2::\(columns.idType.cast)"
        let legible = columns.legibleID.map { " AND \($0)" } ?? ""
        return Statement(
            "walk",
            """
            SELECT t.\(columns.id)::text, \(shipped(accessToken)), \(shipped(refreshToken)), \(fault(accessToken)),
                \(fault(refreshToken))
            FROM \(columns.table) t WHERE \(start)\(legible) AND (NOT \(isBlank(accessToken)) OR NOT \(isBlank(refreshToken)))
            ORDER BY t.\(columns.id) LIMIT $1::bigint
            """
        )
    }

    /// How many rows ``walk(isFirst:)`` passes over although they hold something: their ids cannot be told.
    var unwalked: Statement {
        let told = columns.legibleID.map { "(t.\(columns.id) IS NOT NULL AND \($0))" } ?? "t.\(columns.id) IS NOT NULL"
        return Statement(
            "unwalked",
            """
            SELECT count(*) FROM \(columns.table) t
            WHERE NOT \(told) AND (NOT \(isBlank(accessToken)) OR NOT \(isBlank(refreshToken)))
            """
        )
    }

    /// The rows of the ids in `$1` whose claims are owner `$2`'s, id and both values, and further: the claim's epoch, the versions
    /// of both values, and verdicts on them.
    var claimedValues: Statement {
        Statement(
            "claimed values",
            """
            SELECT t.\(columns.id)::text, \(shipped(accessToken)), \(shipped(refreshToken)), c.epoch,
                \(version(of: accessToken)), \(version), \(fault(accessToken)), \(fault(refreshToken))
            FROM \(columns.table) t JOIN tastytokend.claims c ON c.user_id = t.\(columns.id)::text
            WHERE t.\(columns.id) = ANY ($1::\(columns.idType.cast)[]) AND c.owner = $2 AND c.until > clock_timestamp()
            """
        )
    }

    /// How many times a row may be sealed anew while a daemon stands still that has its new refresh token in hand.
    private static let sealingsKept = 8

    /// Puts values into rows that still hold the ones that were read, and whose claims still stand; says of each refresh token
    /// that its grant is the same; and ends the claims, of rows that are not written too. The trigger does not tell of it: daemons
    /// find the row when they come to it, or by their next pass. The refresh token's column is not even named where it is to stay as
    /// it is in all rows.
    ///
    /// Parameters: `$1` ids, `$2` epochs, `$3` owner, `$4` and `$5` access tokens and refresh tokens, NULL for what stays, `$6` and
    /// `$7` the versions read. Fields: id; whether the row was written; whether it could be locked. A row that gets neither token only has its claim
    /// ended.
    func reseal(rotates: Bool) -> Statement {
        let matches = """
            \(version(of: accessToken)) IS NOT DISTINCT FROM i.access_version
                    AND \(version) IS NOT DISTINCT FROM i.refresh_version AND i.id IN (SELECT h.id FROM held h)
                    AND (i.access IS NOT NULL OR i.refresh IS NOT NULL)
            """
        let refresh = rotates ? ", \(columns.refreshToken) = coalesce(i.refresh, \(refreshToken))" : ""
        return Statement(
            "reseal",
            """
            WITH own AS (
                SELECT set_config('\(ChangeTrigger.ownWrite)', 'on', true)
            ), input AS (
                SELECT i.*, $3::text AS owner
                FROM own, unnest($1::\(columns.idType.cast)[], $2::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
                    AS i (id, epoch, access, refresh, access_version, refresh_version)
            ), \(Self.held)locked AS (
                SELECT i.id FROM \(columns.table) t JOIN input i ON t.\(columns.id) = i.id WHERE \(matches)
                FOR NO KEY UPDATE OF t SKIP LOCKED
            ), stored AS (
                UPDATE \(columns.table) t SET \(columns.accessToken) = coalesce(i.access, \(accessToken))\(refresh)
                FROM input i JOIN locked l ON l.id = i.id
                WHERE t.\(columns.id) = i.id AND \(matches)
                RETURNING i.id, \(version) AS version
            ), noted AS (\(Self.sameGrant)), released AS (
                UPDATE tastytokend.claims c SET until = clock_timestamp()
                FROM held h JOIN input i ON i.id = h.id
                WHERE c.user_id = i.id::text AND c.owner = i.owner AND c.epoch = i.epoch
            )
            SELECT i.id::text, s.id IS NOT NULL, l.id IS NOT NULL
            FROM input i LEFT JOIN stored s ON s.id = i.id LEFT JOIN locked l ON l.id = i.id
            """
        )
    }

    /// What was remembered of the grant is true of it still. A daemon that stood still while the row was sealed anew several times
    /// finds it by the version that it knows: the last ones are kept.
    private static let sameGrant = """
        INSERT INTO tastytokend.grants AS g
                (user_id, status, grant_version, generation, consecutive_failures, changed_at, sealed_from, sealed_as)
            SELECT i.id::text, 'active', s.version, 1, 0, now(), ARRAY[i.refresh_version], s.version
            FROM stored s JOIN input i ON i.id = s.id WHERE i.refresh IS NOT NULL
            ORDER BY 1
            ON CONFLICT (user_id) DO UPDATE SET
                grant_version = CASE WHEN g.grant_version = ANY (excluded.sealed_from) THEN excluded.sealed_as
                    ELSE g.grant_version END,
                generation = g.generation + 1, sealed_as = excluded.sealed_as,
                sealed_from = CASE WHEN g.sealed_as = ANY (excluded.sealed_from)
                    THEN (excluded.sealed_from || g.sealed_from)[1:\(sealingsKept)] ELSE excluded.sealed_from END
        """
}
