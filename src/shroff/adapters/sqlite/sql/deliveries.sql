-- name: position
SELECT position FROM channel_positions WHERE channel = ?

-- name: advance
INSERT INTO channel_positions (channel, position) VALUES (?, ?)
ON CONFLICT (channel) DO UPDATE SET position = excluded.position WHERE excluded.position >= position

-- name: failures
SELECT failures FROM deliveries WHERE channel = ? AND alert_id = ?

-- name: fail
INSERT OR REPLACE INTO deliveries (channel, alert_id, failures, due_at) VALUES (?, ?, ?, ?)

-- name: delivered
DELETE FROM deliveries WHERE channel = ? AND alert_id = ?

-- name: due
SELECT
    deliveries.failures,
    alert_id, rule, entity, key, outcome, score, reason, transaction_id, occurred_at, raised_at, hits
FROM deliveries JOIN alerts USING (alert_id)
WHERE channel = ? AND due_at <= ? ORDER BY due_at, alerts.position

-- name: dead
SELECT
    deliveries.channel, deliveries.failures,
    alert_id, rule, entity, key, outcome, score, reason, transaction_id, occurred_at, raised_at, hits
FROM deliveries JOIN alerts USING (alert_id)
WHERE due_at IS NULL ORDER BY channel, alerts.position

-- name: redrive
UPDATE deliveries SET failures = CAST('[]' AS BLOB), due_at = ?
WHERE channel = ? AND alert_id = ? AND due_at IS NULL
