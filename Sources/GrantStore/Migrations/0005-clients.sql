-- OAuth clients besides the one that the configuration names, which is no row here.
CREATE TABLE tastytokend.clients (
    name              text        PRIMARY KEY CHECK (name <> ''),
    environment       text        NOT NULL CHECK (environment IN ('production', 'sandbox')),
    client_id         text        NOT NULL CHECK (client_id <> ''),
    client_secret     text        NOT NULL,
    redirect_uri      text        NOT NULL,
    scopes            text        NOT NULL,
    secret_changed_at timestamptz NOT NULL
);

COMMENT ON TABLE tastytokend.clients IS 'OAuth clients by name. Written by tastytokend.';
COMMENT ON COLUMN tastytokend.clients.client_secret IS 'Sealed, and bound to the name.';
COMMENT ON COLUMN tastytokend.clients.scopes IS 'Separated by spaces.';
COMMENT ON COLUMN tastytokend.clients.secret_changed_at IS 'When it was last another secret than before.';

-- Which client an account's grant was given to; NULL is the configuration's. A client that has grants is not removed.
ALTER TABLE tastytokend.grants ADD COLUMN client text REFERENCES tastytokend.clients (name);
CREATE INDEX grants_client ON tastytokend.grants (client) WHERE client IS NOT NULL;

COMMENT ON COLUMN tastytokend.grants.client IS 'The OAuth client that the grant belongs to; NULL is the configuration''s.';

-- Refresh tokens that were replaced by a refresh are spent. One that stands in its row again, written back by an application or by a
-- failover to an older server, is known by this and not sent.
ALTER TABLE tastytokend.grants ADD COLUMN spent_versions bigint[];

COMMENT ON COLUMN tastytokend.grants.spent_versions IS 'grant_version of each refresh token that was replaced, the last one first.';
