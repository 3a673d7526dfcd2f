// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The statements on authorizations and links. What expired is kept for an hour more, so that whoever comes back late is told so.
///
/// What is purged is locked first and skipped where another daemon has it in hand: two that purge at once do not wait for each other.
enum AuthorizationQueries {
    /// Parameters: hash of the state, user, client, origin, hash of the browser's secret, redirect URI, seconds that it is good for, and how
    /// many of the user's earlier ones may stay.
    static let begin = Statement(
        "begin authorization",
        """
        WITH surplus AS (
            SELECT state_hash FROM tastytokend.authorizations WHERE user_id = $2
            ORDER BY begun_at DESC, state_hash OFFSET $8::bigint
        ), old AS MATERIALIZED (
            SELECT state_hash FROM tastytokend.authorizations
            WHERE expires_at < now() - interval '1 hour' OR state_hash IN (SELECT state_hash FROM surplus)
            FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM tastytokend.authorizations WHERE state_hash IN (SELECT state_hash FROM old)
        )
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
        WITH surplus AS (
            SELECT link_hash FROM tastytokend.authorization_links WHERE user_id = $2
            ORDER BY made_at DESC, link_hash OFFSET $5::bigint
        ), old AS MATERIALIZED (
            SELECT link_hash FROM tastytokend.authorization_links
            WHERE expires_at < now() - interval '1 hour' OR link_hash IN (SELECT link_hash FROM surplus)
            FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM tastytokend.authorization_links WHERE link_hash IN (SELECT link_hash FROM old)
        )
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
