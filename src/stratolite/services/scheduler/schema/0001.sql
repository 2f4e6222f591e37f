CREATE TABLE scheduler_group (
    key         INTEGER PRIMARY KEY AUTOINCREMENT,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    token       TEXT,               -- the client's, so that a repeated request is the same one
    created_at  REAL NOT NULL,
    modified_at REAL NOT NULL,
    UNIQUE (account, region, name)
);

CREATE TABLE scheduler_schedule (
    key         INTEGER PRIMARY KEY AUTOINCREMENT,
    grp         INTEGER NOT NULL REFERENCES scheduler_group (key),
    name        TEXT NOT NULL,
    document    TEXT NOT NULL,      -- JSON: what the client gave, with AWS's defaults
    state       TEXT NOT NULL,
    token       TEXT,
    job         INTEGER,            -- its next invocation
    created_at  REAL NOT NULL,
    modified_at REAL NOT NULL,
    UNIQUE (grp, name)
);

CREATE TABLE scheduler_tag (
    grp   INTEGER NOT NULL REFERENCES scheduler_group (key),
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (grp, key)
) WITHOUT ROWID;
