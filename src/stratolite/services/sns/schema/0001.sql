CREATE TABLE sns_topic (
    key             INTEGER PRIMARY KEY AUTOINCREMENT,
    account         TEXT NOT NULL,
    region          TEXT NOT NULL,
    name            TEXT NOT NULL,
    attributes      TEXT NOT NULL,              -- JSON: what was set, by AWS's names, as text
    tags            TEXT NOT NULL DEFAULT '{}', -- JSON
    data_protection TEXT,
    UNIQUE (account, region, name)
);

CREATE TABLE sns_subscription (
    key           INTEGER PRIMARY KEY AUTOINCREMENT,
    arn           TEXT NOT NULL UNIQUE,
    topic         INTEGER NOT NULL,
    topic_arn     TEXT NOT NULL,
    owner         TEXT NOT NULL,               -- the account that subscribed
    principal     TEXT NOT NULL,
    protocol      TEXT NOT NULL,
    endpoint      TEXT NOT NULL,
    attributes    TEXT NOT NULL,               -- JSON: what was set, as text
    state         TEXT NOT NULL,               -- pending, confirmed, or cancelled: by a link, and may be taken back
    token         TEXT UNIQUE,                 -- confirms it
    authenticated INTEGER NOT NULL DEFAULT 0   -- whether it was confirmed by its owner's own credentials
);
CREATE INDEX sns_subscription_topic ON sns_subscription (topic, state);
CREATE INDEX sns_subscription_endpoint ON sns_subscription (endpoint);
CREATE INDEX sns_subscription_owner ON sns_subscription (owner, arn);

-- How many subscriptions a topic lost; apart from the topic, which is read for every message.
CREATE TABLE sns_lost (
    topic INTEGER PRIMARY KEY,
    count INTEGER NOT NULL
);

-- What FIFO topics took in the last five minutes.
CREATE TABLE sns_dedup (
    topic      INTEGER NOT NULL,
    scope      TEXT NOT NULL,
    dedup_id   TEXT NOT NULL,
    expires_at REAL NOT NULL,
    id         TEXT NOT NULL,
    sequence   TEXT NOT NULL,
    PRIMARY KEY (topic, scope, dedup_id)
) WITHOUT ROWID;
CREATE INDEX sns_dedup_expiry ON sns_dedup (expires_at);

CREATE TABLE sns_sequence (
    topic INTEGER PRIMARY KEY,
    last  INTEGER NOT NULL
);

CREATE TABLE sns_application (
    arn        TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    attributes TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sns_endpoint (
    arn         TEXT PRIMARY KEY,
    application TEXT NOT NULL,
    token       TEXT NOT NULL,
    attributes  TEXT NOT NULL,
    UNIQUE (application, token)
) WITHOUT ROWID;

-- What an account says of text messages, region by region, and the numbers that do not want any.
CREATE TABLE sns_sms (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    attributes TEXT NOT NULL,
    PRIMARY KEY (account, region)
) WITHOUT ROWID;
CREATE TABLE sns_opted_out (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    number  TEXT NOT NULL,
    PRIMARY KEY (account, region, number)
) WITHOUT ROWID;

-- What would have left the cloud: e-mails, text messages, notifications on phones.
CREATE TABLE sns_outbox (
    key        INTEGER PRIMARY KEY AUTOINCREMENT,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    protocol   TEXT NOT NULL,
    endpoint   TEXT NOT NULL,
    topic_arn  TEXT,
    message_id TEXT NOT NULL,
    subject    TEXT,
    message    TEXT NOT NULL,
    attributes TEXT NOT NULL,                  -- JSON
    sent_at    REAL NOT NULL
);
