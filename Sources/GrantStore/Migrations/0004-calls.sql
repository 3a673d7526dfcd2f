-- Who made calls under claims that may have done away with a refresh token, while nothing is known of what came of them; and
-- whether the reply to one is lost for good. Whoever claims the account next is to know. It speaks of one refresh token: beside
-- another in the row it says nothing.
ALTER TABLE tastytokend.claims ADD COLUMN sent_by text[], ADD COLUMN sent_version bigint,
    ADD COLUMN is_reply_lost boolean NOT NULL DEFAULT false;

-- Expiries are written by the wall clock of the daemon that writes them. The others can tell by how much it was wrong.
ALTER TABLE tastytokend.grants ADD COLUMN microseconds_ahead bigint;

COMMENT ON COLUMN tastytokend.grants.microseconds_ahead IS
    'By how much the clock that gave the token''s expiry was ahead of this server''s.';
COMMENT ON COLUMN tastytokend.claims.sent_by IS 'Daemons whose calls may be under way, or lost.';
COMMENT ON COLUMN tastytokend.claims.sent_version IS 'hashtextextended(refresh token, 0) that they sent.';
COMMENT ON COLUMN tastytokend.claims.is_reply_lost IS 'Whether nobody can have the reply to one of those calls any more.';
