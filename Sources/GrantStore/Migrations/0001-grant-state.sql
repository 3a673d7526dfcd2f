-- How accounts stand: remembered across restarts, shared by all daemons on this database. No token is kept here.
CREATE TABLE tastytokend.grants (
    user_id              text        PRIMARY KEY,
    status               text        NOT NULL CHECK (status IN (
        'active', 'degraded', 'expired', 'reauthorization_required', 'unknown_outcome', 'unreadable', 'no_grant')),
    grant_version        bigint,
    generation           bigint      NOT NULL CHECK (generation > 0),
    consecutive_failures integer     NOT NULL CHECK (consecutive_failures >= 0),
    last_error           text,
    last_refreshed_at    timestamptz,
    lifetime_ms          bigint      CHECK (lifetime_ms > 0),
    changed_at           timestamptz NOT NULL
) WITH (fillfactor = 70);

COMMENT ON TABLE tastytokend.grants IS 'How each account stands. Written by tastytokend.';
COMMENT ON COLUMN tastytokend.grants.user_id IS 'The id in the application''s table, as text.';
COMMENT ON COLUMN tastytokend.grants.grant_version IS 'hashtextextended(refresh token, 0) that the status speaks of.';
COMMENT ON COLUMN tastytokend.grants.generation IS 'Goes up with every write of this row.';
COMMENT ON COLUMN tastytokend.grants.last_refreshed_at IS 'When the last refresh that gave a token was sent.';
COMMENT ON COLUMN tastytokend.grants.lifetime_ms IS 'How long the token of that refresh lives.';
