// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The statements on authorizations and links. What expired is kept for an hour more, so that whoever comes back late is told so.
///
/// Each can be repeated by whoever heard nothing of it: what is noted is known again by its hash, and what is taken by who took it.
///
/// What is purged is locked first and skipped where another daemon has it in hand: two that purge at once do not wait for each other.
enum AuthorizationQueries {
    /// So many rows are purged at a time: whoever begins waits for it.
    private static let mostPurged = 1000

    /// What goes before one more is put in: those of the user in `$2` that are too many, and whatever is long past.
    private static func purge(
        _ table: String,
        _ key: String,
        by age: String,
        keeping most: String,
        where condition: String = "TRUE"
    ) -> String {
        """
        WITH surplus AS (
            SELECT \(key) FROM \(table) WHERE user_id = $2 AND \(condition) ORDER BY \(age) DESC, \(key) OFFSET \(most)::bigint
        ), old AS MATERIALIZED (
            SELECT \(key) FROM \(table)
            WHERE expires_at < now() - interval '1 hour' OR \(key) IN (SELECT \(key) FROM surplus)
            LIMIT \(mostPurged) FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM \(table) WHERE \(key) IN (SELECT \(key) FROM old)
        )
        """
    }

    private static let purgeAuthorizations = purge(
        "tastytokend.authorizations",
        "state_hash",
        by: "begun_at",
        keeping: "$8",
        where: "taken_by IS NULL"
    )

    private static let insert = """
        INSERT INTO tastytokend.authorizations
            (state_hash, user_id, client, origin, browser_hash, redirect_uri, begun_at, expires_at)
        SELECT $1, $2, $3, $4, $5, $6, now(), now() + make_interval(secs => $7::double precision)
        """

    /// Parameters: hash of the state, user, client, origin, hash of the browser's secret, redirect URI, seconds that it is good for, and how
    /// many of the user's earlier ones may stay.
    static let begin = Statement(
        "begin authorization",
        "\(purgeAuthorizations) \(insert) ON CONFLICT (state_hash) DO NOTHING"
    )

    /// Spends a link by it. Parameters: as those of ``begin``, and the link's hash. Field: whether it was begun, be it by the same statement
    /// of which nothing was heard.
    static let beginByLink = Statement(
        "begin authorization by link",
        """
        \(purgeAuthorizations), link AS (
            DELETE FROM tastytokend.authorization_links WHERE link_hash = $9 AND expires_at > clock_timestamp() RETURNING 1
        ), begun AS (
            \(insert) FROM link RETURNING 1
        )
        SELECT EXISTS (SELECT FROM begun) OR EXISTS (SELECT FROM tastytokend.authorizations WHERE state_hash = $1)
        """
    )

    private static let authorizationFields =
        "state_hash, user_id, client, browser_hash, redirect_uri, expires_at <= clock_timestamp()"

    /// Fields: hash of the state, user, client, hash of the browser's secret, redirect URI, and whether it has expired.
    static let peek = Statement(
        "look up authorization",
        "SELECT \(authorizationFields) FROM tastytokend.authorizations WHERE state_hash = $1 AND taken_by IS NULL"
    )

    /// Parameters: hash of the state, and what only the one has who takes it. Fields: as those of ``peek``.
    static let take = Statement(
        "take authorization",
        """
        UPDATE tastytokend.authorizations SET taken_by = $2 WHERE state_hash = $1 AND (taken_by IS NULL OR taken_by = $2)
        RETURNING \(authorizationFields)
        """
    )

    /// Parameters: hash, user, client, seconds that it is good for, and how many of the user's earlier ones may stay.
    static let putLink = Statement(
        "put link",
        """
        \(purge("tastytokend.authorization_links", "link_hash", by: "made_at", keeping: "$5"))
        INSERT INTO tastytokend.authorization_links (link_hash, user_id, client, made_at, expires_at)
        VALUES ($1, $2, $3, now(), now() + make_interval(secs => $4::double precision))
        ON CONFLICT (link_hash) DO NOTHING
        """
    )

    /// Fields: hash, user, client, and whether it has expired.
    static let peekLink = Statement(
        "look up link",
        """
        SELECT link_hash, user_id, client, expires_at <= clock_timestamp()
        FROM tastytokend.authorization_links WHERE link_hash = $1
        """
    )
}
