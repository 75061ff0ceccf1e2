-- name: insert
INSERT INTO messages (transaction_id, body, received_at)
VALUES (?, ?, ?)
ON CONFLICT (transaction_id) DO NOTHING

-- name: held
SELECT transaction_id, seq, body FROM messages WHERE transaction_id IN (:values)

-- name: last
SELECT coalesce(max(seq), 0) FROM messages

-- name: read
SELECT seq, transaction_id, body, received_at FROM messages WHERE seq > ? ORDER BY seq LIMIT ?

-- name: find
SELECT seq, transaction_id, body, received_at FROM messages WHERE transaction_id = ?

-- name: ids
SELECT seq, transaction_id FROM messages WHERE seq > ? ORDER BY seq LIMIT ?
