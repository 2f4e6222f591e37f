CREATE TABLE s3_bucket (
  key         INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT    NOT NULL UNIQUE,
  account     TEXT    NOT NULL,
  region      TEXT    NOT NULL,
  created_at  REAL    NOT NULL,
  versioning  TEXT    NOT NULL DEFAULT '',
  settings    TEXT    NOT NULL DEFAULT '{}'
);

-- Every version of every object. version: '' is the null version. A small body lives in the row, others in blobs.
CREATE TABLE s3_object (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  bucket       INTEGER NOT NULL,
  name         TEXT    NOT NULL,
  version      TEXT    NOT NULL,
  is_latest    INTEGER NOT NULL,
  is_marker    INTEGER NOT NULL DEFAULT 0,
  size         INTEGER NOT NULL DEFAULT 0,
  etag         TEXT    NOT NULL DEFAULT '',
  modified_at  REAL    NOT NULL,
  about        TEXT    NOT NULL DEFAULT '{}',
  checksum     TEXT    NOT NULL DEFAULT '{}',
  tags         TEXT    NOT NULL DEFAULT '{}',
  acl          TEXT    NOT NULL DEFAULT '',
  parts        TEXT    NOT NULL DEFAULT '[]',
  blobs        TEXT    NOT NULL DEFAULT '[]',
  body         BLOB
);
CREATE UNIQUE INDEX s3_object_version ON s3_object (bucket, name, version);
CREATE INDEX s3_object_newest ON s3_object (bucket, name, id DESC);
CREATE INDEX s3_object_latest ON s3_object (bucket, name) WHERE is_latest = 1;

CREATE TABLE s3_upload (
  id           TEXT    PRIMARY KEY,
  bucket       INTEGER NOT NULL,
  name         TEXT    NOT NULL,
  started_at   REAL    NOT NULL,
  about        TEXT    NOT NULL,
  tags         TEXT    NOT NULL,
  acl          TEXT    NOT NULL,
  algorithm    TEXT    NOT NULL,
  kind         TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX s3_upload_name ON s3_upload (bucket, name);

CREATE TABLE s3_part (
  upload       TEXT    NOT NULL,
  number       INTEGER NOT NULL,
  size         INTEGER NOT NULL,
  etag         TEXT    NOT NULL,
  modified_at  REAL    NOT NULL,
  checksums    TEXT    NOT NULL,
  blob         TEXT    NOT NULL,
  PRIMARY KEY (upload, number)
) WITHOUT ROWID;

-- What the order of events of one key is told by.
CREATE TABLE s3_sequence (
  bucket  INTEGER PRIMARY KEY,
  number  INTEGER NOT NULL
);
