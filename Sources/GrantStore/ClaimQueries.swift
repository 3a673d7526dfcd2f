// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// The statements around claims. Each names the rows of `tastytokend.claims` in the order of their key, so that two daemons
// that want the same accounts cannot wait for each other for good.

/// The fields after those of ``RowField`` in ``GrantQueries/claimed``.
enum ClaimField {
    static let isOurs = 16
    static let epoch = 17
    static let millisecondsLeft = 18
}

extension GrantQueries {
    /// Claims the ids in `$1` for owner `$2` until `$3` ms from now, except those that another owner has a claim on, and
    /// those whose claim a session is just at work on: one that stands still must not hold up the rest of a batch.
    /// Fields: the id claimed and its epoch.
    var claim: Statement {
        Statement(
            "claim",
            """
            WITH wanted AS (
                SELECT DISTINCT t.\(columns.id)::text AS id
                FROM \(columns.table) t WHERE t.\(columns.id) = ANY ($1::\(columns.idType.cast)[])
            ), free AS (
                SELECT c.user_id FROM tastytokend.claims c JOIN wanted w ON c.user_id = w.id
                ORDER BY c.user_id COLLATE "C" FOR UPDATE OF c SKIP LOCKED
            )
            INSERT INTO tastytokend.claims AS c (user_id, owner, epoch, until)
            SELECT w.id, $2, 1, clock_timestamp() + $3::bigint * interval '1 millisecond'
            FROM wanted w
            WHERE w.id IN (SELECT f.user_id FROM free f)
                OR NOT EXISTS (SELECT FROM tastytokend.claims k WHERE k.user_id = w.id)
            ORDER BY w.id COLLATE "C"
            ON CONFLICT (user_id) DO UPDATE SET owner = excluded.owner, epoch = c.epoch + 1, until = excluded.until
            WHERE c.owner = excluded.owner OR c.until <= clock_timestamp()
            RETURNING c.user_id, c.epoch
            """
        )
    }

    /// The rows of the ids in `$1` as ``rows`` gives them, with refresh token and claim; `$2` is the owner. A statement of
    /// its own, since only one that begins after the claim is made sees what another daemon stored before that.
    var claimed: Statement {
        let claim =
            hasOwnSchema
            ? """
            c.owner = $2 AND c.until > clock_timestamp(), c.epoch,
                (date_part('epoch', c.until - clock_timestamp()) * 1000)::bigint
            """ : "NULL, $2::text, NULL"
        return Statement(
            "claimed rows",
            """
            SELECT \(rowFields(withRefreshToken: true)), \(claim)
            FROM \(rowSource)\(hasOwnSchema ? " LEFT JOIN tastytokend.claims c ON c.user_id = t.\(columns.id)::text" : "")
            WHERE t.\(columns.id) = ANY ($1::\(columns.idType.cast)[])
            """
        )
    }

    /// Ends claims of owner `$4`: users `$1`, epochs `$2`, each `$3` ms from now.
    static let endClaims = Statement(
        "end claims",
        """
        WITH input AS (
            SELECT i.* FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS i (id, epoch, kept)
        ), held AS (
            SELECT c.user_id, i.kept FROM tastytokend.claims c JOIN input i ON i.id = c.user_id AND i.epoch = c.epoch
            WHERE c.owner = $4 ORDER BY c.user_id COLLATE "C" FOR UPDATE OF c
        )
        UPDATE tastytokend.claims c SET until = clock_timestamp() + h.kept * interval '1 millisecond'
        FROM held h WHERE c.user_id = h.user_id
        """
    )
}
