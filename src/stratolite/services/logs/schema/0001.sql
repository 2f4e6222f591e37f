-- The lines themselves live with the telemetry; see docs/decisions.

CREATE TABLE logs_group (
    key            INTEGER PRIMARY KEY,
    account        TEXT NOT NULL,
    region         TEXT NOT NULL,
    name           TEXT NOT NULL,
    created_at     REAL NOT NULL,
    retention_days INTEGER,
    expire_at      REAL,                       -- when old lines are dropped next
    kms_key        TEXT,
    class          TEXT NOT NULL,
    tags           TEXT NOT NULL DEFAULT '{}',
    UNIQUE (account, region, name)
);

CREATE TABLE logs_stream (
    log_group  INTEGER NOT NULL,
    name       TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (log_group, name)
) WITHOUT ROWID;

-- Subscription filters and metric filters: what follows a group's lines.
CREATE TABLE logs_filter (
    key         INTEGER PRIMARY KEY,
    log_group   INTEGER NOT NULL,
    kind        TEXT NOT NULL,                 -- subscription or metric
    name        TEXT NOT NULL,
    pattern     TEXT NOT NULL,
    created_at  REAL NOT NULL,
    block       INTEGER NOT NULL,              -- lines up to here were followed
    destination TEXT,                          -- of a subscription
    role        TEXT,
    distribution TEXT,
    transformations TEXT,                      -- of a metric filter: JSON list
    UNIQUE (log_group, kind, name)
);

CREATE TABLE logs_resource_policy (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    document   TEXT NOT NULL,
    updated_at REAL NOT NULL,
    PRIMARY KEY (account, region, name)
) WITHOUT ROWID;

CREATE TABLE logs_destination (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    target     TEXT NOT NULL,
    role       TEXT NOT NULL,
    policy     TEXT,
    created_at REAL NOT NULL,
    tags       TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (account, region, name)
) WITHOUT ROWID;
