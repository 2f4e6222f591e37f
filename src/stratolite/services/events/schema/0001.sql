CREATE TABLE events_bus (
    key         INTEGER PRIMARY KEY,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT,
    kms_key     TEXT,
    dead_letter TEXT,               -- JSON, as given
    log_config  TEXT,               -- JSON, as given
    policy      TEXT,               -- JSON document, or NULL
    rules       TEXT NOT NULL,      -- digest of every change of rules, targets and archives: names a compiled index
    created_at  REAL NOT NULL,
    modified_at REAL NOT NULL,
    UNIQUE (account, region, name)
);

CREATE TABLE events_rule (
    key         INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used twice: ticks and digests name it
    bus         INTEGER NOT NULL REFERENCES events_bus (key),
    name        TEXT NOT NULL,
    pattern     TEXT,
    schedule    TEXT,
    state       TEXT NOT NULL,
    description TEXT,
    role        TEXT,
    created_by  TEXT NOT NULL,
    anchor      REAL NOT NULL,      -- where a rate counts from: when the schedule was set
    tick        INTEGER,            -- the job that is its next tick
    UNIQUE (bus, name)
);

CREATE TABLE events_target (
    rule     INTEGER NOT NULL REFERENCES events_rule (key),
    id       TEXT NOT NULL,
    arn      TEXT NOT NULL,
    document TEXT NOT NULL,         -- JSON, as given
    PRIMARY KEY (rule, id)
) WITHOUT ROWID;

CREATE INDEX events_target_arn ON events_target (arn);

CREATE TABLE events_tag (
    arn   TEXT NOT NULL,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
) WITHOUT ROWID;

CREATE TABLE events_archive (
    key            INTEGER PRIMARY KEY AUTOINCREMENT,
    account        TEXT NOT NULL,
    region         TEXT NOT NULL,
    name           TEXT NOT NULL,
    bus            INTEGER NOT NULL REFERENCES events_bus (key),
    bus_arn        TEXT NOT NULL,
    description    TEXT,
    pattern        TEXT,
    retention_days INTEGER NOT NULL,
    kms_key        TEXT,
    event_count    INTEGER NOT NULL DEFAULT 0,
    size_bytes     INTEGER NOT NULL DEFAULT 0,
    created_at     REAL NOT NULL,
    UNIQUE (account, region, name)
);

CREATE TABLE events_archived (
    seq     INTEGER PRIMARY KEY,
    archive INTEGER NOT NULL,
    at      REAL NOT NULL,          -- when the bus took it
    event   TEXT NOT NULL
);

CREATE INDEX events_archived_at ON events_archived (archive, at, seq);

CREATE TABLE events_replay (
    key              INTEGER PRIMARY KEY AUTOINCREMENT,
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    name             TEXT NOT NULL,
    archive          INTEGER NOT NULL,
    archive_arn      TEXT NOT NULL,
    description      TEXT,
    destination      TEXT NOT NULL, -- JSON, as given
    state            TEXT NOT NULL,
    first_at         REAL NOT NULL, -- the span of archived events
    last_at          REAL NOT NULL,
    replayed_at      REAL,          -- archived time and place of the last event replayed
    replayed_seq     INTEGER NOT NULL DEFAULT 0,
    started_at       REAL NOT NULL,
    ended_at         REAL,
    UNIQUE (account, region, name)
);

CREATE TABLE events_connection (
    key           INTEGER PRIMARY KEY,
    account       TEXT NOT NULL,
    region        TEXT NOT NULL,
    name          TEXT NOT NULL,
    id            TEXT NOT NULL,
    description   TEXT,
    kind          TEXT NOT NULL,    -- BASIC, API_KEY, OAUTH_CLIENT_CREDENTIALS
    parameters    TEXT NOT NULL,    -- JSON without the secrets, which Secrets Manager keeps
    secret        TEXT NOT NULL,
    kms_key       TEXT,
    state         TEXT NOT NULL,
    token         TEXT,             -- OAuth's current access token
    token_until   REAL,
    created_at    REAL NOT NULL,
    modified_at   REAL NOT NULL,
    authorized_at REAL NOT NULL,
    UNIQUE (account, region, name)
);

CREATE TABLE events_destination (
    key         INTEGER PRIMARY KEY,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    id          TEXT NOT NULL,
    description TEXT,
    connection  TEXT NOT NULL,
    endpoint    TEXT NOT NULL,
    method      TEXT NOT NULL,
    rate_limit  INTEGER NOT NULL,
    created_at  REAL NOT NULL,
    modified_at REAL NOT NULL,
    UNIQUE (account, region, name)
);
