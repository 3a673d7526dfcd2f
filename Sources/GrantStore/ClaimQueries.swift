// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

// The statements around claims. Each names the rows of `tastytokend.claims` in the order of their key, so that two daemons
// that want the same accounts cannot wait for each other for good.

/// The fields after those of ``RowField`` in ``GrantQueries/claimed``.
enum ClaimField {
    static let isOurs = 19
    static let epoch = 20
    static let millisecondsLeft = 21
    /// Whether others made calls that they did not account for.
    static let isSentByOthers = 22
    /// The version of the refresh token that was sent in them, or is to be under this claim.
    static let sentVersion = 23
    /// Whether the reply to a call with it is lost.
    static let isReplyLost = 24
}

extension GrantQueries {
    /// Claims the ids in `$1` for owner `$2` until `$3` ms from now, except those that another owner has a claim on, and
    /// those whose claim a session is just at work on: one that stands still must not hold up the rest of a batch.
    /// With `sends` each is marked with the owner, beside those who sent the same refresh token before and did not account for it.
    /// Fields: the id claimed and its epoch.
    func claim(sends: Bool) -> Statement {
        let wanted = "t.\(columns.id)::text AS id"
        // An id may stand on two rows.
        let source =
            sends
            ? "SELECT \(wanted), min(\(version)) AS version FROM \(columns.table) t"
            : "SELECT DISTINCT \(wanted) FROM \(columns.table) t"
        return Statement(
            "claim",
            """
            WITH wanted AS (
                \(source) WHERE t.\(columns.id) = ANY ($1::\(columns.idType.cast)[])\(sends ? " GROUP BY 1" : "")
            ), free AS (
                SELECT c.user_id FROM tastytokend.claims c JOIN wanted w ON c.user_id = w.id
                ORDER BY c.user_id COLLATE "C" FOR UPDATE OF c SKIP LOCKED
            )
            INSERT INTO tastytokend.claims AS c (user_id, owner, epoch, until\(sends ? ", sent_by, sent_version" : ""))
            SELECT w.id, $2::text, 1, clock_timestamp() + $3::bigint * interval '1 millisecond'\(sends ? ", ARRAY[$2::text], w.version" : "")
            FROM wanted w
            WHERE w.id IN (SELECT f.user_id FROM free f)
                OR NOT EXISTS (SELECT FROM tastytokend.claims k WHERE k.user_id = w.id)
            ORDER BY w.id COLLATE "C"
            ON CONFLICT (user_id) DO UPDATE SET owner = excluded.owner, epoch = c.epoch + 1, until = excluded.until\(sends ? Self.mark : "")
            WHERE c.owner = excluded.owner OR c.until <= clock_timestamp()
            RETURNING c.user_id, c.epoch
            """
        )
    }

    /// Whether the claim's marks speak of the refresh token that is about to be sent: that very one, or the one that it was sealed anew from.
    private static let speaksOfSame = """
        coalesce(c.sent_version = excluded.sent_version OR EXISTS (
                SELECT FROM tastytokend.grants g
                WHERE g.user_id = c.user_id AND g.sealed_as = excluded.sent_version AND c.sent_version = ANY (g.sealed_from)), false)
        """

    /// Who sent another refresh token has nothing to do with this one.
    private static let mark = """
        ,
            sent_by = CASE WHEN \(speaksOfSame)
                THEN array_append(array_remove(c.sent_by, excluded.owner), excluded.owner) ELSE excluded.sent_by END,
            is_reply_lost = c.is_reply_lost AND \(speaksOfSame),
            sent_version = excluded.sent_version
        """

    /// The rows of the ids in `$1` as ``rows`` gives them, with refresh token and claim; `$2` is the owner. A statement of
    /// its own, since only one that begins after the claim is made sees what another daemon stored before that.
    var claimed: Statement {
        let claim =
            hasOwnSchema
            ? """
            c.owner = $2 AND c.until > clock_timestamp(), c.epoch,
                (date_part('epoch', c.until - clock_timestamp()) * 1000)::bigint,
                array_remove(c.sent_by, $2) <> '{}', c.sent_version, c.is_reply_lost
            """ : "NULL, $2::text, NULL, NULL, NULL, NULL"
        return Statement(
            "claimed rows",
            """
            SELECT \(rowFields(withRefreshToken: true)), \(claim)
            FROM \(rowSource)\(hasOwnSchema ? " LEFT JOIN tastytokend.claims c ON c.user_id = t.\(columns.id)::text" : "")
            WHERE t.\(columns.id) = ANY ($1::\(columns.idType.cast)[])
            """
        )
    }

    /// Ends claims of owner `$4`: users `$1`, epochs `$2`, each `$3` ms from now; `$5` is what is known of the
    /// owner's calls, a ``ClaimEnd/Outcome``.
    static let endClaims = Statement(
        "end claims",
        """
        WITH input AS (
            SELECT i.* FROM unnest($1::text[], $2::bigint[], $3::bigint[], $5::text[]) AS i (id, epoch, kept, outcome)
        ), held AS (
            SELECT c.user_id, i.kept, i.outcome FROM tastytokend.claims c JOIN input i ON i.id = c.user_id AND i.epoch = c.epoch
            WHERE c.owner = $4::text ORDER BY c.user_id COLLATE "C" FOR UPDATE OF c
        )
        UPDATE tastytokend.claims c SET until = clock_timestamp() + h.kept * interval '1 millisecond',
            sent_by = CASE h.outcome WHEN '\(ClaimEnd.Outcome.open.rawValue)' THEN c.sent_by ELSE nullif(array_remove(c.sent_by, $4::text), '{}') END,
            is_reply_lost = c.is_reply_lost OR h.outcome = '\(ClaimEnd.Outcome.lost.rawValue)'
        FROM held h WHERE c.user_id = h.user_id
        """
    )

    /// Gives back claims of owner `$1` that have not run out, and tells of them. A claim that a session is just at work on is left to it.
    /// Field: how many were given back.
    func releaseClaims(atMost count: Int) -> Statement {
        Statement(
            "release claims",
            """
            WITH mine AS (
                SELECT c.user_id FROM tastytokend.claims c WHERE c.owner = $1::text AND c.until > clock_timestamp()
                ORDER BY c.user_id COLLATE "C" LIMIT \(count) FOR UPDATE SKIP LOCKED
            ), freed AS (
                UPDATE tastytokend.claims c SET until = clock_timestamp() FROM mine m WHERE c.user_id = m.user_id
                RETURNING c.user_id AS id
            ), \(DaemonNews.telling(.released, by: "$1::text", of: "freed", columns))
            SELECT count(*) FROM freed WHERE \(DaemonNews.isTold)
            """
        )
    }
}
