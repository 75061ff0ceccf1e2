-- 'Shrs': this file is a Shroff store.
PRAGMA application_id = 1399353971;

-- Decided transactions, in the order in which they were observed. No row is ever removed, so seq has no gaps.
CREATE TABLE records (
    seq            INTEGER PRIMARY KEY,
    transaction_id TEXT    NOT NULL UNIQUE,
    occurred_at    INTEGER NOT NULL,
    received_at    INTEGER NOT NULL,
    decided_at     INTEGER NOT NULL,
    outcome        INTEGER NOT NULL,  -- position in OUTCOMES
    score          REAL    NOT NULL,
    policy         INTEGER NOT NULL,  -- policy_versions.id
    body           BLOB    NOT NULL,  -- canonical JSON of the transaction
    reasons        BLOB,              -- JSON, NULL for none
    snapshot       BLOB    NOT NULL   -- float64, little-endian
);
CREATE INDEX records_by_time ON records (occurred_at, transaction_id);

CREATE TABLE policy_versions (
    id      INTEGER PRIMARY KEY,
    version TEXT    NOT NULL UNIQUE
);

CREATE TABLE counters (
    name  TEXT    PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE retries (
    transaction_id TEXT    PRIMARY KEY,
    seq            INTEGER NOT NULL,
    body           BLOB    NOT NULL,
    received_at    INTEGER NOT NULL,
    failures       BLOB    NOT NULL,  -- JSON [[at, cause], ...]
    due_at         INTEGER NOT NULL
);
CREATE INDEX retries_by_due ON retries (due_at, seq);

-- AUTOINCREMENT: a number freed by a redrive is not used again, so paging by number meets every letter.
CREATE TABLE dead_letters (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    transaction_id TEXT    NOT NULL UNIQUE,
    seq            INTEGER NOT NULL,
    body           BLOB    NOT NULL,
    received_at    INTEGER NOT NULL,
    failures       BLOB    NOT NULL,
    died_at        INTEGER NOT NULL,
    discarded      INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE publications (
    number       INTEGER PRIMARY KEY,
    version      TEXT    NOT NULL,
    document     TEXT    NOT NULL,
    published_at INTEGER NOT NULL
);
CREATE INDEX publications_by_version ON publications (version);

CREATE TABLE list_entries (
    name       TEXT NOT NULL,
    value      TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (name, value)
) WITHOUT ROWID;

-- No row is ever removed: position has no gaps and its highest is how many were raised.
CREATE TABLE alerts (
    position       INTEGER PRIMARY KEY,
    alert_id       TEXT    NOT NULL UNIQUE,
    rule           TEXT    NOT NULL,
    entity         TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    outcome        TEXT    NOT NULL,
    score          REAL    NOT NULL,
    reason         TEXT    NOT NULL,
    transaction_id TEXT    NOT NULL,
    occurred_at    INTEGER NOT NULL,
    raised_at      INTEGER NOT NULL,
    hits           INTEGER NOT NULL
);
CREATE INDEX alerts_by_time ON alerts (occurred_at, alert_id);

CREATE TABLE channel_positions (
    channel  TEXT    PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE deliveries (
    channel  TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    failures BLOB NOT NULL,
    due_at   INTEGER,  -- NULL: given up
    PRIMARY KEY (channel, alert_id)
) WITHOUT ROWID;

CREATE TABLE keys (
    key_id     TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,  -- JSON array, sorted
    rate       REAL,
    created_at INTEGER NOT NULL,
    revoked    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE ledger_position (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL
);
INSERT INTO ledger_position VALUES (1, 0);

CREATE TABLE schedule (
    job  TEXT    PRIMARY KEY,
    tick INTEGER NOT NULL
) WITHOUT ROWID;
