-- What a session carries along, by its access key.
CREATE TABLE sts_session (
    access_key      TEXT PRIMARY KEY,
    tags            TEXT NOT NULL,             -- JSON object
    transitive_tags TEXT NOT NULL,             -- JSON list of keys
    expire_at       REAL NOT NULL
) WITHOUT ROWID;
