CREATE TABLE kms_key (
    key               INTEGER PRIMARY KEY,
    account           TEXT NOT NULL,
    region            TEXT NOT NULL,
    id                TEXT NOT NULL,             -- a UUID, or mrk- and 32 digits, then the same in every region
    description       TEXT NOT NULL,
    usage             TEXT NOT NULL,
    spec              TEXT NOT NULL,
    state             TEXT NOT NULL,             -- Enabled, Disabled, PendingDeletion, PendingImport
    manager           TEXT NOT NULL,             -- CUSTOMER, or AWS for the keys behind alias/aws/...
    origin            TEXT NOT NULL,
    policy            TEXT NOT NULL,
    tags              TEXT NOT NULL DEFAULT '{}',
    primary_region    TEXT,                      -- of a multi-region key
    created_at        REAL NOT NULL,
    delete_at         REAL,
    rotation_days     INTEGER,                   -- absent: not rotated by itself
    rotate_at         REAL,
    UNIQUE (account, region, id)
);

-- What a key is made of, newest last. Replicas of a multi-region key share it, so it hangs on the id.
CREATE TABLE kms_material (
    seq        INTEGER PRIMARY KEY,
    key_id     TEXT NOT NULL,
    id         TEXT NOT NULL,
    secret     BLOB NOT NULL,
    created_at REAL NOT NULL,
    cause      TEXT                              -- ON_DEMAND, AUTOMATIC; absent: the first
);
CREATE INDEX kms_material_of_key ON kms_material (key_id, seq);

CREATE TABLE kms_alias (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    PRIMARY KEY (account, region, name)
) WITHOUT ROWID;

CREATE TABLE kms_grant (
    id                 TEXT PRIMARY KEY,
    token              TEXT NOT NULL,
    key                INTEGER NOT NULL,
    grantee            TEXT NOT NULL,
    retiring_principal TEXT,
    operations         TEXT NOT NULL,            -- JSON list
    constraints        TEXT,                     -- JSON object
    name               TEXT,
    issuer             TEXT NOT NULL,
    created_at         REAL NOT NULL
);
CREATE INDEX kms_grant_of_key ON kms_grant (key);
