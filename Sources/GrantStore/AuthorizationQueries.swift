// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The statements on authorizations and links. What expired is kept for an hour more, so that whoever comes back late is told so.
///
/// What is purged is locked first and skipped where another daemon has it in hand: two that purge at once do not wait for each other.
enum AuthorizationQueries {
    /// What goes before one more is put in: those of the user in `$2` that are too many, and whatever is long past.
    private static func purge(_ table: String, _ key: String, by age: String, keeping most: String) -> String {
        """
        WITH surplus AS (
            SELECT \(key) FROM \(table) WHERE user_id = $2 ORDER BY \(age) DESC, \(key) OFFSET \(most)::bigint
        ), old AS MATERIALIZED (
            SELECT \(key) FROM \(table)
            WHERE expires_at < now() - interval '1 hour' OR \(key) IN (SELECT \(key) FROM surplus)
            FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM \(table) WHERE \(key) IN (SELECT \(key) FROM old)
        )
        """
    }

    /// Parameters: hash of the state, user, client, origin, hash of the browser's secret, redirect URI, seconds that it is good for, and how
    /// many of the user's earlier ones may stay.
    static let begin = Statement(
        "begin authorization",
        """
        \(purge("tastytokend.authorizations", "state_hash", by: "begun_at", keeping: "$8"))
        INSERT INTO tastytokend.authorizations
            (state_hash, user_id, client, origin, browser_hash, redirect_uri, begun_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, now(), now() + make_interval(secs => $7::double precision))
        """
    )

    private static let authorizationFields =
        "state_hash, user_id, client, browser_hash, redirect_uri, expires_at <= clock_timestamp()"

    /// Fields: hash of the state, user, client, hash of the browser's secret, redirect URI, and whether it has expired.
    static let peek = Statement(
        "look up authorization",
        "SELECT \(authorizationFields) FROM tastytokend.authorizations WHERE state_hash = $1"
    )

    /// Fields: as those of ``peek``.
    static let take = Statement(
        "take authorization",
        "DELETE FROM tastytokend.authorizations WHERE state_hash = $1 RETURNING \(authorizationFields)"
    )

    /// Parameters: hash, user, client, seconds that it is good for, and how many of the user's earlier ones may stay.
    static let putLink = Statement(
        "put link",
        """
        \(purge("tastytokend.authorization_links", "link_hash", by: "made_at", keeping: "$5"))
        INSERT INTO tastytokend.authorization_links (link_hash, user_id, client, made_at, expires_at)
        VALUES ($1, $2, $3, now(), now() + make_interval(secs => $4::double precision))
        """
    )

    private static let linkFields = "link_hash, user_id, client, expires_at <= clock_timestamp()"

    /// Fields: hash, user, client, and whether it has expired.
    static let peekLink = Statement(
        "look up link",
        "SELECT \(linkFields) FROM tastytokend.authorization_links WHERE link_hash = $1"
    )

    /// Fields: as those of ``peekLink``.
    static let takeLink = Statement(
        "take link",
        "DELETE FROM tastytokend.authorization_links WHERE link_hash = $1 RETURNING \(linkFields)"
    )
}
