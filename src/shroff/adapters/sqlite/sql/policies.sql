-- name: publish
INSERT INTO publications (version, document, published_at) VALUES (?, ?, ?)

-- name: active
SELECT number, version, document, published_at FROM publications ORDER BY number DESC LIMIT 1

-- name: get
SELECT number, version, document, published_at FROM publications
WHERE version = ? ORDER BY number DESC LIMIT 1

-- name: history
SELECT number, version, document, published_at FROM publications ORDER BY number
