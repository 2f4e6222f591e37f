-- Roles, users, groups and instance profiles: names in an account, told apart by kind and never by case.
CREATE TABLE iam_entity (
    key           INTEGER PRIMARY KEY,
    kind          TEXT NOT NULL,              -- role, user, group, instance-profile
    account       TEXT NOT NULL,
    name          TEXT NOT NULL COLLATE NOCASE,
    path          TEXT NOT NULL,
    id            TEXT NOT NULL,
    created_at    REAL NOT NULL,
    tags          TEXT NOT NULL DEFAULT '{}',
    boundary      TEXT,                       -- of a role or user
    trust         TEXT,                       -- of a role: who may assume it
    description   TEXT,
    max_session_s INTEGER,
    UNIQUE (account, kind, name)
);

CREATE TABLE iam_inline (
    entity   INTEGER NOT NULL,
    name     TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (entity, name)
) WITHOUT ROWID;

CREATE TABLE iam_attachment (
    entity INTEGER NOT NULL,
    policy TEXT NOT NULL,                     -- an ARN: AWS's own policies have no row
    name   TEXT NOT NULL,
    PRIMARY KEY (entity, policy)
) WITHOUT ROWID;
CREATE INDEX iam_attachment_of_policy ON iam_attachment (policy);

-- A user in a group, a role in an instance profile.
CREATE TABLE iam_member (
    holder INTEGER NOT NULL,
    member INTEGER NOT NULL,
    PRIMARY KEY (holder, member)
) WITHOUT ROWID;
CREATE INDEX iam_member_of ON iam_member (member);

CREATE TABLE iam_policy (
    key             INTEGER PRIMARY KEY,
    account         TEXT NOT NULL,
    name            TEXT NOT NULL COLLATE NOCASE,
    path            TEXT NOT NULL,
    id              TEXT NOT NULL,
    description     TEXT,
    default_version INTEGER NOT NULL,
    last_version    INTEGER NOT NULL,         -- numbers are not used twice
    created_at      REAL NOT NULL,
    updated_at      REAL NOT NULL,
    tags            TEXT NOT NULL DEFAULT '{}',
    UNIQUE (account, name)
);

CREATE TABLE iam_policy_version (
    policy     INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    document   TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (policy, number)
) WITHOUT ROWID;

CREATE TABLE iam_access_key (
    id         TEXT PRIMARY KEY,
    entity     INTEGER NOT NULL,
    secret     TEXT NOT NULL,
    status     TEXT NOT NULL,
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX iam_access_key_of ON iam_access_key (entity);

CREATE TABLE iam_login_profile (
    entity         INTEGER PRIMARY KEY,
    created_at     REAL NOT NULL,
    reset_required INTEGER NOT NULL
);

-- Passwords of users for single services (CodeCommit, Keyspaces, Bedrock).
CREATE TABLE iam_service_credential (
    id         TEXT PRIMARY KEY,
    entity     INTEGER NOT NULL,
    service    TEXT NOT NULL,
    user_name  TEXT NOT NULL,
    status     TEXT NOT NULL,
    created_at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE iam_account_alias (
    account TEXT PRIMARY KEY,
    alias   TEXT NOT NULL
) WITHOUT ROWID;
