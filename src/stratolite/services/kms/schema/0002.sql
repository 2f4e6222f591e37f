-- Imported material: pending until a rotation takes it up, and gone when its time is over.
ALTER TABLE kms_material ADD COLUMN is_pending INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kms_key ADD COLUMN expiration TEXT;
ALTER TABLE kms_key ADD COLUMN valid_to REAL;

CREATE TABLE kms_import (
    token     TEXT PRIMARY KEY,                  -- its hash
    key_id    TEXT NOT NULL,
    wrapping  TEXT NOT NULL,                     -- the algorithm
    private   BLOB NOT NULL,
    expire_at REAL NOT NULL
) WITHOUT ROWID;
