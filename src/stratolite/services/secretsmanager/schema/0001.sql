CREATE TABLE secretsmanager_secret (
    key              INTEGER PRIMARY KEY,
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    name             TEXT NOT NULL,
    suffix           TEXT NOT NULL,              -- the six characters that end the ARN
    description      TEXT,
    kms_key          TEXT,                       -- as given; absent: aws/secretsmanager
    tags             TEXT,                       -- JSON list; absent until the first tag, then [] when none is left
    policy           TEXT,
    created_at       REAL NOT NULL,
    changed_at       REAL NOT NULL,
    accessed_on      REAL,                       -- a day, as AWS tells it
    delete_at        REAL,                       -- in its recovery window until then
    rotation_enabled INTEGER,                    -- absent: never was
    rotation_lambda  TEXT,
    rotation_rules   TEXT,                       -- JSON object
    rotated_at       REAL,
    rotate_at        REAL,                       -- the next rotation
    UNIQUE (account, region, name)
);

CREATE TABLE secretsmanager_version (
    seq         INTEGER PRIMARY KEY,
    secret      INTEGER NOT NULL,
    id          TEXT NOT NULL,                   -- the ClientRequestToken it was made with
    string      TEXT,                            -- string and binary absent: a rotation's version that has no value yet
    binary      BLOB,
    kms_key     TEXT,
    created_at  REAL NOT NULL,
    accessed_on REAL,
    UNIQUE (secret, id)
);

-- A label is attached to at most one version: the key says so.
CREATE TABLE secretsmanager_stage (
    secret  INTEGER NOT NULL,
    label   TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (secret, label)
) WITHOUT ROWID;

CREATE TABLE secretsmanager_replica (
    secret INTEGER NOT NULL,
    region TEXT NOT NULL,
    kms_key TEXT,
    PRIMARY KEY (secret, region)
) WITHOUT ROWID;
