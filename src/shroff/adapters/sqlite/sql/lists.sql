-- name: add
INSERT INTO list_entries (name, value, expires_at) VALUES (?, ?, ?)
ON CONFLICT (name, value) DO UPDATE SET expires_at = excluded.expires_at

-- name: remove
DELETE FROM list_entries WHERE name = ? AND value = ?

-- name: any
SELECT 1 FROM list_entries WHERE name = ? LIMIT 1

-- name: members
SELECT value FROM list_entries
WHERE name = ? AND (expires_at IS NULL OR expires_at > ?) AND value IN (:values)

-- name: first
SELECT value, expires_at FROM list_entries WHERE name = ? AND value >= ? ORDER BY value LIMIT ?

-- name: after
SELECT value, expires_at FROM list_entries WHERE name = ? AND value > ? ORDER BY value LIMIT ?

-- name: counts
SELECT name, count(*) FROM list_entries GROUP BY name
