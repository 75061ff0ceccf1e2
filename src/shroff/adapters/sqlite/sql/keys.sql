-- name: add
INSERT INTO keys (key_id, name, digest, scopes, rate, created_at, revoked) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: revoke
UPDATE keys SET revoked = 1 WHERE key_id = ? AND NOT revoked

-- name: all
SELECT key_id, name, digest, scopes, rate, created_at, revoked FROM keys ORDER BY created_at, key_id
