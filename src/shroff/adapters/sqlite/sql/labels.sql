-- name: any
SELECT EXISTS (SELECT 1 FROM labels)

-- name: same
SELECT EXISTS (
    SELECT 1 FROM labels WHERE transaction_id = ? AND fraud = ? AND source = ? AND known_at = ?
)

-- name: newest word
SELECT fraud FROM labels WHERE transaction_id = ? AND source = ? ORDER BY number DESC LIMIT 1

-- name: add
INSERT INTO labels (transaction_id, fraud, source, known_at, received_at, stated) VALUES (?, ?, ?, ?, ?, ?)

-- name: to learn if decided
INSERT INTO labels_to_learn (known_at, number)
SELECT ?, ? WHERE EXISTS (SELECT 1 FROM records WHERE transaction_id = ?)

-- name: count
UPDATE label_counters SET value = value + ? WHERE name = ?

-- name: counts
SELECT name, value FROM label_counters

-- name: after
SELECT number, transaction_id, fraud, source, known_at, received_at, stated
FROM labels WHERE number > ? ORDER BY number LIMIT ?

-- name: of
SELECT number, transaction_id, fraud, source, known_at, received_at, stated
FROM labels WHERE transaction_id IN (:values)

-- name: due
SELECT
    labels.number, labels.transaction_id, fraud, source, labels.known_at, labels.received_at, stated, body
FROM labels_to_learn
    CROSS JOIN labels ON labels.number = labels_to_learn.number
    CROSS JOIN records ON records.transaction_id = labels.transaction_id
WHERE labels_to_learn.known_at <= ? ORDER BY labels_to_learn.known_at, labels_to_learn.number LIMIT ?

-- name: words
-- Of decided transactions: what is not to be learned any more.
SELECT labels.number, labels.transaction_id, fraud, source, known_at, received_at, stated
FROM labels
WHERE
    NOT EXISTS (
        SELECT 1 FROM labels_to_learn
        WHERE labels_to_learn.known_at = labels.known_at AND labels_to_learn.number = labels.number
    )
    AND transaction_id IN (:values)

-- name: learned
SELECT
    labels.number, labels.transaction_id, fraud, source, labels.known_at, labels.received_at, stated, body,
    place, before_seq
FROM labels_learned
    CROSS JOIN labels ON labels.number = labels_learned.number
    CROSS JOIN records ON records.transaction_id = labels.transaction_id
WHERE place > ? ORDER BY place LIMIT ?

-- name: newest record
SELECT coalesce(max(seq), 0) FROM records

-- name: learn
INSERT INTO labels_learned (number, before_seq) VALUES (?, ?)

-- name: to learn of decided
INSERT OR IGNORE INTO labels_to_learn (known_at, number)
SELECT known_at, number FROM labels WHERE transaction_id = ?

-- name: done
DELETE FROM labels_to_learn
WHERE number = ?1 AND known_at = (SELECT known_at FROM labels WHERE number = ?1)
