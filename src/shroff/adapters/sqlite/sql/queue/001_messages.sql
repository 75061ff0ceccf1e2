-- 'Shrq': this file is a Shroff queue.
PRAGMA application_id = 1399353969;

-- No row is ever removed, so seq has no gaps and its highest is how many were accepted.
CREATE TABLE messages (
    seq            INTEGER PRIMARY KEY,
    transaction_id TEXT    NOT NULL UNIQUE,
    body           BLOB    NOT NULL,
    received_at    INTEGER NOT NULL
);
