-- A table as it is described. Keys are never reused: items of a deleted table linger until swept.
CREATE TABLE dynamodb_table (
    key        INTEGER PRIMARY KEY AUTOINCREMENT,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    definition TEXT NOT NULL,
    UNIQUE (account, region, name)
);

CREATE TABLE dynamodb_index (
    key         INTEGER PRIMARY KEY AUTOINCREMENT,
    "table"     INTEGER NOT NULL,
    name        TEXT NOT NULL
);

-- Items, as wire JSON. `hash` (of the partition key) first: AWS's order of a scan, and segments are ranges of it.
CREATE TABLE dynamodb_item (
    id      INTEGER PRIMARY KEY,
    t       INTEGER NOT NULL,
    hash    INTEGER NOT NULL,
    pk      BLOB NOT NULL,
    sk      BLOB NOT NULL,
    bytes   INTEGER NOT NULL,
    expires REAL,
    item    BLOB NOT NULL,
    UNIQUE (t, hash, pk, sk)
);
CREATE INDEX dynamodb_item_expires ON dynamodb_item (t, expires) WHERE expires IS NOT NULL;

-- What of an item an index shows. `tie` is the item's encoded primary key: it orders equal index keys, and a page can go on
-- behind an item that is gone. `item` is NULL where the index projects everything.
CREATE TABLE dynamodb_index_item (
    id      INTEGER PRIMARY KEY,
    i       INTEGER NOT NULL,
    hash    INTEGER NOT NULL,
    pk      BLOB NOT NULL,
    sk      BLOB NOT NULL,
    tie     BLOB NOT NULL,
    base    INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    item    BLOB,
    UNIQUE (i, hash, pk, sk, tie)
);

CREATE TABLE dynamodb_stream (
    key         INTEGER PRIMARY KEY AUTOINCREMENT,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    table_name  TEXT NOT NULL,
    label       TEXT NOT NULL,
    view_type   TEXT NOT NULL,
    key_schema  TEXT NOT NULL,
    shard       TEXT NOT NULL,
    created_at  REAL NOT NULL,
    disabled_at REAL,
    first       INTEGER NOT NULL,
    next        INTEGER NOT NULL,
    trimming    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, region, table_name, label)
);

-- `record` is the whole record as GetRecords answers it and as a function sees it.
CREATE TABLE dynamodb_stream_record (
    stream INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    at     REAL NOT NULL,
    trace  TEXT NOT NULL,        -- of the request that changed the item
    record BLOB NOT NULL,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;

CREATE TABLE dynamodb_tag (
    "table" INTEGER NOT NULL,
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY ("table", name)
) WITHOUT ROWID;

-- The tokens of transactions, for ten minutes; `request` is what the token was sent with.
CREATE TABLE dynamodb_token (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    token   TEXT NOT NULL,
    request BLOB NOT NULL,
    until   REAL NOT NULL,
    PRIMARY KEY (account, region, token)
) WITHOUT ROWID;

-- When the expiry job of a table is due.
CREATE TABLE dynamodb_expiry (
    "table" INTEGER PRIMARY KEY,
    due     REAL NOT NULL
);

-- What a large table held when it was last counted.
CREATE TABLE dynamodb_count (
    "table"    INTEGER PRIMARY KEY,
    items      INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    counted_at REAL NOT NULL
);
