CREATE TABLE sqs_queue (
    key         INTEGER PRIMARY KEY AUTOINCREMENT,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    attributes  TEXT NOT NULL,              -- JSON: what was set or defaulted, by AWS's names, as text
    tags        TEXT NOT NULL DEFAULT '{}', -- JSON
    created_at  REAL NOT NULL,
    modified_at REAL NOT NULL,
    purged_at   REAL NOT NULL DEFAULT 0,
    dead_letter TEXT,                       -- the ARN of its redrive policy
    dedup_scope TEXT NOT NULL,              -- as it was when the queue was made
    UNIQUE (account, region, name)
);
CREATE INDEX sqs_queue_dead_letter ON sqs_queue (dead_letter) WHERE dead_letter IS NOT NULL;

-- Names that were in use until a moment ago.
CREATE TABLE sqs_deleted (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    deleted_at REAL NOT NULL,
    PRIMARY KEY (account, region, name)
) WITHOUT ROWID;

-- How many messages a queue holds, counted as they come and go: a queue of a million is not counted by looking.
CREATE TABLE sqs_depth (
    queue    INTEGER PRIMARY KEY,
    messages INTEGER NOT NULL DEFAULT 0
);

-- The job that will look for messages past their retention; apart from the count, which changes with every message.
CREATE TABLE sqs_clock (
    queue INTEGER PRIMARY KEY,
    job   INTEGER NOT NULL
);

CREATE TABLE sqs_message (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    queue        INTEGER NOT NULL,
    hidden_until REAL,                      -- NULL: it can be received
    id           TEXT NOT NULL,
    body         TEXT NOT NULL,              -- empty when it is large: then in `payload`
    payload      INTEGER,
    md5          TEXT NOT NULL,
    attributes   TEXT,                       -- JSON: message attributes, binaries in base64
    system       TEXT,                       -- JSON: AWSTraceHeader, DeadLetterQueueSourceArn
    sent_at      REAL NOT NULL,
    sender       TEXT NOT NULL,
    trace        TEXT NOT NULL,              -- of the request that sent it
    receipt      TEXT,                       -- of the latest receive; NULL until there was one
    receives     INTEGER NOT NULL DEFAULT 0,
    received_at  REAL,                       -- first
    group_id     TEXT,
    dedup_id     TEXT,
    ordered      INTEGER NOT NULL DEFAULT 0  -- 1 in FIFO queues
);
-- SQS hides a message from the whole queue, not from one consumer: a column, not a table of leases.
CREATE INDEX sqs_message_waiting ON sqs_message (queue, seq) WHERE hidden_until IS NULL;
CREATE INDEX sqs_message_hidden ON sqs_message (queue, hidden_until) WHERE hidden_until IS NOT NULL;
CREATE INDEX sqs_message_group ON sqs_message (queue, group_id, seq) WHERE ordered = 1;

-- The groups of FIFO queues that hold messages, and from when on the next message of each may be received.
CREATE TABLE sqs_group (
    queue    INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    ready_at REAL NOT NULL,
    head     INTEGER NOT NULL,
    PRIMARY KEY (queue, group_id)
) WITHOUT ROWID;
CREATE INDEX sqs_group_ready ON sqs_group (queue, ready_at, head);

-- What was sent to FIFO queues in the last five minutes.
CREATE TABLE sqs_dedup (
    queue      INTEGER NOT NULL,
    scope      TEXT NOT NULL,               -- the group where deduplication is by group, else empty
    dedup_id   TEXT NOT NULL,
    expires_at REAL NOT NULL,
    id         TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (queue, scope, dedup_id)
) WITHOUT ROWID;
CREATE INDEX sqs_dedup_expires ON sqs_dedup (expires_at);

-- Receives of FIFO queues that may be asked for again with the same attempt id.
CREATE TABLE sqs_attempt (
    queue      INTEGER NOT NULL,
    attempt    TEXT NOT NULL,
    expires_at REAL NOT NULL,
    messages   TEXT NOT NULL,               -- JSON: seq and receipt of each
    PRIMARY KEY (queue, attempt)
) WITHOUT ROWID;

CREATE TABLE sqs_move (
    id          TEXT PRIMARY KEY,
    queue       INTEGER NOT NULL,
    source      TEXT NOT NULL,
    destination TEXT,
    rate        INTEGER,
    status      TEXT NOT NULL,
    moved       INTEGER NOT NULL DEFAULT 0,
    to_move     INTEGER NOT NULL,
    last        INTEGER NOT NULL,           -- the newest message when it began: what comes later is not moved
    started_at  REAL NOT NULL,
    failure     TEXT
);
CREATE INDEX sqs_move_queue ON sqs_move (queue, started_at);
