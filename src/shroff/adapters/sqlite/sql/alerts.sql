-- name: last
SELECT coalesce(max(position), 0) FROM alerts

-- name: hit
INSERT INTO alerts
    (alert_id, rule, entity, key, outcome, score, reason, transaction_id, occurred_at, raised_at, hits)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (alert_id) DO UPDATE SET hits = hits + excluded.hits, score = max(score, excluded.score)

-- name: keep
INSERT INTO alerts
    (alert_id, rule, entity, key, outcome, score, reason, transaction_id, occurred_at, raised_at, hits)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (alert_id) DO NOTHING

-- name: after
SELECT
    position, alert_id, rule, entity, key, outcome, score, reason, transaction_id, occurred_at, raised_at, hits
FROM alerts WHERE position > ? ORDER BY position LIMIT ?

-- name: between
SELECT alert_id, rule, entity, key, outcome, score, reason, transaction_id, occurred_at, raised_at, hits
FROM alerts WHERE occurred_at >= ? AND occurred_at < ? ORDER BY occurred_at, alert_id
