CREATE TABLE ssm_parameter (
    key       INTEGER PRIMARY KEY,
    account   TEXT NOT NULL,
    region    TEXT NOT NULL,
    name      TEXT NOT NULL,
    version   INTEGER NOT NULL,        -- the latest
    expire_at REAL,                    -- by an Expiration policy
    tags      TEXT NOT NULL DEFAULT '{}',
    UNIQUE (account, region, name)
);

CREATE TABLE ssm_version (
    parameter       INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    type            TEXT NOT NULL,
    value           TEXT NOT NULL,     -- of a SecureString: what KMS made of it
    kms_key         TEXT,
    description     TEXT,
    allowed_pattern TEXT,
    tier            TEXT NOT NULL,
    data_type       TEXT NOT NULL,
    policies        TEXT NOT NULL DEFAULT '[]',
    modified_at     REAL NOT NULL,
    modified_by     TEXT NOT NULL,
    PRIMARY KEY (parameter, version)
) WITHOUT ROWID;

-- A label is on at most one version: the key says so.
CREATE TABLE ssm_label (
    parameter INTEGER NOT NULL,
    label     TEXT NOT NULL,
    version   INTEGER NOT NULL,
    PRIMARY KEY (parameter, label)
) WITHOUT ROWID;
