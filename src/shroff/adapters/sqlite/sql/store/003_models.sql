-- The registry of models. No row is ever removed: decisions were made by them.
CREATE TABLE models (
    version    TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    document   BLOB    NOT NULL,  -- canonical JSON
    added_at   INTEGER NOT NULL,
    retired_at INTEGER
);
