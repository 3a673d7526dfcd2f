-- Who was sent to TastyTrade's page and is expected back, for every daemon to finish; what is good once is kept as a hash only.
CREATE TABLE tastytokend.authorizations (
    state_hash   text        PRIMARY KEY CHECK (state_hash ~ '^[0-9a-f]{64}$'),
    user_id      text        NOT NULL,
    client       text        REFERENCES tastytokend.clients (name) ON DELETE CASCADE,
    origin       text        NOT NULL CHECK (origin IN ('socket', 'browser')),
    browser_hash text        CHECK (browser_hash ~ '^[0-9a-f]{64}$'),
    redirect_uri text        NOT NULL,
    begun_at     timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    CHECK ((origin = 'browser') = (browser_hash IS NOT NULL))
);
CREATE INDEX authorizations_user ON tastytokend.authorizations (user_id, begun_at);
CREATE INDEX authorizations_client ON tastytokend.authorizations (client) WHERE client IS NOT NULL;
CREATE INDEX authorizations_expiry ON tastytokend.authorizations (expires_at);

COMMENT ON TABLE tastytokend.authorizations IS 'People who were sent to TastyTrade and are not back. Written by tastytokend.';
COMMENT ON COLUMN tastytokend.authorizations.state_hash IS 'SHA-256 of the state that TastyTrade brings back.';
COMMENT ON COLUMN tastytokend.authorizations.client IS 'The OAuth client that a grant is asked for; NULL is the configuration''s.';
COMMENT ON COLUMN tastytokend.authorizations.origin IS 'Where it was begun, and must end: the socket, or a browser.';
COMMENT ON COLUMN tastytokend.authorizations.browser_hash IS 'SHA-256 of what only the browser that began has, in a cookie.';
COMMENT ON COLUMN tastytokend.authorizations.redirect_uri IS 'Where TastyTrade was told to send the person back to.';

-- Links that begin an authorization in a browser, once.
CREATE TABLE tastytokend.authorization_links (
    link_hash  text        PRIMARY KEY CHECK (link_hash ~ '^[0-9a-f]{64}$'),
    user_id    text        NOT NULL,
    client     text        REFERENCES tastytokend.clients (name) ON DELETE CASCADE,
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX authorization_links_user ON tastytokend.authorization_links (user_id, made_at);
CREATE INDEX authorization_links_client ON tastytokend.authorization_links (client) WHERE client IS NOT NULL;
CREATE INDEX authorization_links_expiry ON tastytokend.authorization_links (expires_at);

COMMENT ON TABLE tastytokend.authorization_links IS 'Links that are good once. Written by tastytokend.';
COMMENT ON COLUMN tastytokend.authorization_links.link_hash IS 'SHA-256 of what makes the link secret.';
COMMENT ON COLUMN tastytokend.authorization_links.client IS 'The OAuth client that a grant is to be asked for; NULL is the configuration''s.';
