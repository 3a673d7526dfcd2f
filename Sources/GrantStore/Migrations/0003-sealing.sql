-- That a refresh token was only sealed anew, by another key: its stored text differs, the grant is the same. True for as long as
-- the row holds that text; of any other text it says nothing.
ALTER TABLE tastytokend.grants ADD COLUMN sealed_from bigint[], ADD COLUMN sealed_as bigint;

COMMENT ON COLUMN tastytokend.grants.sealed_from IS 'grant_version of each text that was sealed anew, the last one first.';
COMMENT ON COLUMN tastytokend.grants.sealed_as IS 'grant_version of the text that it was sealed anew as.';

-- Which daemon seals by which key: a key that one of them seals by is in use, whatever stands in the table now.
CREATE TABLE tastytokend.sealers (
    owner   text        NOT NULL,
    key_id  text        NOT NULL,
    host    text        NOT NULL,
    environment text    NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (owner, key_id)
);

COMMENT ON TABLE tastytokend.sealers IS 'Which daemon seals tokens by which key. Written by tastytokend.';
COMMENT ON COLUMN tastytokend.sealers.key_id IS 'The key''s id; empty where tokens are written in clear.';
COMMENT ON COLUMN tastytokend.sealers.seen_at IS 'When the daemon last said so; -infinity once it seals by another.';
