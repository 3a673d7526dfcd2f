-- A client's first secret has replaced none.
ALTER TABLE tastytokend.clients ALTER COLUMN secret_changed_at DROP NOT NULL;

COMMENT ON COLUMN tastytokend.clients.secret_changed_at IS 'When it was last another secret than before; NULL of the first.';

-- Who takes an authorization and hears nothing of it, since the connection was lost, must be able to ask again and get it.
ALTER TABLE tastytokend.authorizations ADD COLUMN taken_by text CHECK (taken_by ~ '^[0-9a-f]{64}$');

COMMENT ON COLUMN tastytokend.authorizations.taken_by IS 'What only the one has who took it; NULL while nobody has.';
