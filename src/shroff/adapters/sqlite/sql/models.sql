-- name: add
INSERT INTO models (version, name, document, added_at) VALUES (?, ?, ?, ?)
ON CONFLICT (version) DO UPDATE SET retired_at = NULL

-- name: get
SELECT version, name, added_at, retired_at FROM models WHERE version = ?

-- name: document
SELECT document FROM models WHERE version = ?

-- name: all
SELECT version, name, added_at, retired_at FROM models ORDER BY added_at, version

-- name: retire
UPDATE models SET retired_at = ? WHERE version = ? AND retired_at IS NULL
