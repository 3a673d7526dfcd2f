-- Which daemon refreshes which account, and until when by this server's clock. A row stays when its claim is over, since
-- its epoch must never be used twice.
CREATE TABLE tastytokend.claims (
    user_id text        PRIMARY KEY,
    owner   text        NOT NULL,
    epoch   bigint      NOT NULL CHECK (epoch > 0),
    until   timestamptz NOT NULL
) WITH (fillfactor = 70);

COMMENT ON TABLE tastytokend.claims IS 'Who refreshes which account. Written by tastytokend.';
COMMENT ON COLUMN tastytokend.claims.owner IS 'The daemon, by the id in its state folder.';
COMMENT ON COLUMN tastytokend.claims.epoch IS 'Goes up with every claim; a write names the one that it was made with.';
COMMENT ON COLUMN tastytokend.claims.until IS 'When another daemon may claim the account.';

-- What daemons found out about the provider of an OAuth client, and must not forget: that it rotates refresh tokens.
CREATE TABLE tastytokend.providers (
    client        text        PRIMARY KEY,
    rotates_since timestamptz NOT NULL
);

COMMENT ON TABLE tastytokend.providers IS 'Whose refresh tokens are rotated. Written by tastytokend.';
COMMENT ON COLUMN tastytokend.providers.client IS 'The name of the OAuth client.';
COMMENT ON COLUMN tastytokend.providers.rotates_since IS 'When a new refresh token was first seen.';
