-- Every label that ever came, in the order of arrival. No row is ever removed or changed.
CREATE TABLE labels (
    number         INTEGER PRIMARY KEY,
    transaction_id TEXT    NOT NULL,
    fraud          INTEGER NOT NULL,
    source         TEXT    NOT NULL,
    known_at       INTEGER NOT NULL,
    received_at    INTEGER NOT NULL,
    stated         INTEGER NOT NULL  -- 0: known_at is when it came
);
CREATE INDEX labels_by_transaction ON labels (transaction_id);

-- Of decided transactions, and not learned yet.
CREATE TABLE labels_to_learn (
    known_at INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    PRIMARY KEY (known_at, number)
) WITHOUT ROWID;

-- Learned just before the record of this seq. No row is ever removed, so place has no gaps.
CREATE TABLE labels_learned (
    place      INTEGER PRIMARY KEY,
    number     INTEGER NOT NULL UNIQUE,
    before_seq INTEGER NOT NULL
);

CREATE TABLE label_counters (
    name  TEXT    PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO label_counters VALUES ('fraud', 0), ('legitimate', 0), ('learned', 0), ('passed', 0);
