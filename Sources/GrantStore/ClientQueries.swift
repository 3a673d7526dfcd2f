// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The statements on OAuth clients.
enum ClientQueries {
    /// Fields: name, environment, client id, sealed secret, redirect URI, scopes, and when the secret was replaced.
    static let all = Statement(
        "clients",
        """
        SELECT name, environment, client_id, client_secret, redirect_uri, scopes,
            (date_part('epoch', secret_changed_at) * 1000000)::bigint
        FROM tastytokend.clients ORDER BY name COLLATE "C"
        """
    )

    /// A client's environment, whether accounts have grants of it or are to get one at TastyTrade, and its sealed secret; the row stays locked.
    static let held = Statement(
        "client held",
        """
        SELECT c.environment, EXISTS (SELECT FROM tastytokend.grants g WHERE g.client = c.name) OR EXISTS (
                SELECT FROM tastytokend.authorizations a WHERE a.client = c.name AND a.expires_at > now()
            ), c.client_secret
        FROM tastytokend.clients c WHERE c.name = $1 FOR UPDATE
        """
    )

    /// Parameters: as the fields of ``all``, without the time; `$7` whether the secret is another one than before.
    static let put = Statement(
        "put client",
        """
        INSERT INTO tastytokend.clients AS c
            (name, environment, client_id, client_secret, redirect_uri, scopes, secret_changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, NULL)
        ON CONFLICT (name) DO UPDATE SET
            environment = excluded.environment, client_id = excluded.client_id, client_secret = excluded.client_secret,
            redirect_uri = excluded.redirect_uri, scopes = excluded.scopes,
            secret_changed_at = CASE WHEN $7::boolean THEN now() ELSE c.secret_changed_at END
        """
    )

    /// Fields: name, and sealed secret; the rows stay locked.
    static let secrets = Statement(
        "clients' secrets",
        "SELECT name, client_secret FROM tastytokend.clients ORDER BY name COLLATE \"C\" FOR NO KEY UPDATE"
    )

    /// Puts the same secret in, sealed otherwise. Parameters: name, what stood there, what is to stand there.
    static let resealed = Statement(
        "reseal client",
        "UPDATE tastytokend.clients SET client_secret = $3 WHERE name = $1 AND client_secret = $2"
    )

    /// Fields: the name of a client of which accounts have grants, and how many.
    static let accounts = Statement(
        "accounts by client",
        "SELECT client, count(*) FROM tastytokend.grants WHERE client IS NOT NULL GROUP BY client"
    )

    /// Removes a client without grants. Fields: how many were removed, and how many accounts have grants of it.
    static let remove = Statement(
        "remove client",
        """
        WITH gone AS (
            DELETE FROM tastytokend.clients c
            WHERE c.name = $1 AND NOT EXISTS (SELECT FROM tastytokend.grants g WHERE g.client = c.name)
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM tastytokend.grants g WHERE g.client = $1)
        """
    )
}
