-- name: keep version
INSERT OR IGNORE INTO policy_versions (version) VALUES (?)

-- name: versions
SELECT version, id FROM policy_versions

-- name: decide
INSERT INTO records
    (transaction_id, occurred_at, received_at, decided_at, outcome, score, policy, body, reasons, snapshot)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: count
INSERT INTO counters (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = value + excluded.value

-- name: retry
INSERT INTO retries (seq, transaction_id, body, received_at, failures, due_at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (transaction_id) DO UPDATE
SET body = excluded.body, failures = excluded.failures, due_at = excluded.due_at

-- name: bury
INSERT INTO dead_letters (seq, transaction_id, body, received_at, failures, died_at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (transaction_id) DO UPDATE
SET body = excluded.body, failures = excluded.failures, died_at = excluded.died_at

-- name: waiting
SELECT EXISTS (SELECT 1 FROM retries) OR EXISTS (SELECT 1 FROM dead_letters)

-- name: forget retry
DELETE FROM retries WHERE transaction_id = ?

-- name: forget letter
DELETE FROM dead_letters WHERE transaction_id = ?

-- name: position
SELECT position FROM ledger_position

-- name: advance
UPDATE ledger_position SET position = ?1 WHERE position <= ?1

-- name: any decided
SELECT EXISTS (SELECT 1 FROM records)

-- name: any retrying
SELECT EXISTS (SELECT 1 FROM retries)

-- name: any dead_lettered
SELECT EXISTS (SELECT 1 FROM dead_letters)

-- name: decided among
SELECT transaction_id FROM records WHERE transaction_id IN (:values)

-- name: retrying among
SELECT transaction_id FROM retries WHERE transaction_id IN (:values)

-- name: dead_lettered among
SELECT transaction_id FROM dead_letters WHERE transaction_id IN (:values)

-- name: due
SELECT seq, transaction_id, body, received_at, failures
FROM retries WHERE due_at <= ? ORDER BY due_at, seq LIMIT ?

-- name: find
SELECT
    records.seq, transaction_id, received_at, decided_at, outcome, score, version, body, reasons, snapshot
FROM records JOIN policy_versions ON policy_versions.id = records.policy
WHERE transaction_id = ?

-- name: between
SELECT
    records.seq, transaction_id, received_at, decided_at, outcome, score, version, body, reasons, snapshot
FROM records CROSS JOIN policy_versions ON policy_versions.id = records.policy
WHERE (occurred_at, transaction_id) > (?, ?) AND occurred_at < ?
ORDER BY occurred_at, transaction_id LIMIT ?

-- name: history
SELECT
    records.seq, transaction_id, received_at, decided_at, outcome, score, version, body, reasons, snapshot
FROM records CROSS JOIN policy_versions ON policy_versions.id = records.policy
WHERE records.seq > ? ORDER BY records.seq LIMIT ?

-- name: newest
SELECT occurred_at FROM records WHERE occurred_at >= 0 ORDER BY occurred_at DESC LIMIT 1 OFFSET 3

-- name: totals
SELECT 'decided', coalesce(max(seq), 0) FROM records
UNION ALL SELECT 'retrying', count(*) FROM retries
UNION ALL SELECT 'dead_lettered', count(*) FROM dead_letters
UNION ALL SELECT 'alerts', coalesce(max(position), 0) FROM alerts
UNION ALL SELECT name, value FROM counters
