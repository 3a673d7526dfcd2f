// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The questions put to the catalogue at start, before the application's table is trusted.
enum CatalogueQueries {
    /// Which table the name in `$1` (quoted SQL text) means: oid, schema, name, kind, whether row security applies, the
    /// role, whether it is stored in pages (all of its parts are, and the role may see a row's place and its maker); the
    /// database's encoding and the bytes of its longest character.
    static let table = Statement(
        "find the table",
        """
        WITH RECURSIVE parts (oid) AS (
            SELECT to_regclass($1)::oid
            UNION SELECT i.inhrelid FROM pg_inherits i JOIN parts ON i.inhparent = parts.oid
        )
        SELECT c.oid, n.nspname, c.relname, c.relkind, row_security_active(c.oid), current_user, (
                SELECT bool_and(p.relkind = 'p' OR (p.relkind = 'r' AND a.amname = 'heap'))
                FROM parts JOIN pg_class p ON p.oid = parts.oid LEFT JOIN pg_am a ON a.oid = p.relam
            ) AND has_column_privilege(c.oid, (-1)::smallint, 'SELECT')
            AND has_column_privilege(c.oid, (-2)::smallint, 'SELECT'),
            getdatabaseencoding(), pg_encoding_max_length(pg_char_to_encoding(getdatabaseencoding()))
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass($1)
        """
    )

    /// Where else a table of the name in `$1` (as the catalogue has it) stands, for a hint: three places at most; and
    /// the role, its `search_path` and its database.
    static let elsewhere = Statement(
        "look for the table elsewhere",
        """
        SELECT current_user, current_setting('search_path'), current_database(), (
            SELECT string_agg(place, ', ') FROM (
                SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS place
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE lower(c.relname) = lower($1) AND c.relkind IN ('r', 'p', 'v')
                ORDER BY 1 LIMIT 3
            ) places
        )
        """
    )

    /// The columns in `$2` of the table whose oid is `$1`: name, type (a domain's base type), type modifier, whether
    /// the role may read it, whether it may write it, whether it is generated, whether it is unique by itself.
    static let columns = Statement(
        "look at the columns",
        """
        SELECT a.attname, replace(format_type(coalesce(nullif(y.typbasetype, 0), a.atttypid), NULL), '"', ''), a.atttypmod,
            has_column_privilege(a.attrelid, a.attnum, 'SELECT'), has_column_privilege(a.attrelid, a.attnum, 'UPDATE'),
            a.attgenerated <> '', EXISTS (
                SELECT FROM pg_index x WHERE x.indrelid = a.attrelid AND x.indisunique AND x.indpred IS NULL
                    AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum
            )
        FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
        WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY ($2::text[])
        """
    )
}
