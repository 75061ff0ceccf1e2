-- name: after
SELECT number, seq, transaction_id, body, received_at, failures, died_at, discarded
FROM dead_letters WHERE number > ? ORDER BY number LIMIT ?

-- name: get
SELECT number, seq, transaction_id, body, received_at, failures, died_at, discarded
FROM dead_letters WHERE transaction_id = ?

-- name: edit
UPDATE dead_letters SET body = ? WHERE transaction_id = ? AND NOT discarded

-- name: retry
INSERT INTO retries (seq, transaction_id, body, received_at, failures, due_at)
SELECT seq, transaction_id, body, received_at, CAST('[]' AS BLOB), ?
FROM dead_letters WHERE transaction_id = ? AND NOT discarded
ON CONFLICT (transaction_id) DO NOTHING

-- name: remove
DELETE FROM dead_letters WHERE transaction_id = ? AND NOT discarded

-- name: discard
UPDATE dead_letters SET discarded = 1 WHERE transaction_id = ? AND NOT discarded
