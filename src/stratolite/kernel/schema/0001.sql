-- What the kernel itself must not lose.
CREATE TABLE meta (
  name   TEXT PRIMARY KEY,
  value  TEXT NOT NULL
);

-- state: 0 ready, 1 leased, 2 behind another of its key, 3 parked, 4 of a kind this program does not know
CREATE TABLE job (
  id        INTEGER PRIMARY KEY,
  kind      TEXT    NOT NULL,
  version   INTEGER NOT NULL,
  lane      TEXT    NOT NULL,
  state     INTEGER NOT NULL,
  due       REAL    NOT NULL,
  key       TEXT,
  attempts  INTEGER NOT NULL,
  wake      TEXT,
  account   TEXT    NOT NULL,
  region    TEXT    NOT NULL,
  trace     TEXT    NOT NULL,
  args      TEXT    NOT NULL,
  payload   INTEGER
);
CREATE INDEX job_due ON job (lane, due, id) WHERE state = 0;
CREATE INDEX job_key ON job (key, id) WHERE key IS NOT NULL;
CREATE INDEX job_odd ON job (state) WHERE state IN (1, 3, 4);

-- A payload is stored once, whoever refers to it counts in refs.
CREATE TABLE payload (
  id    INTEGER PRIMARY KEY,
  refs  INTEGER NOT NULL,
  body  BLOB    NOT NULL
);

CREATE TABLE blob (
  name  TEXT PRIMARY KEY,
  size  INTEGER NOT NULL,
  refs  INTEGER NOT NULL
) WITHOUT ROWID;
