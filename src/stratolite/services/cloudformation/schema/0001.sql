-- Stacks, what they are made of, and what is still to be done for them.
CREATE TABLE cloudformation_stack (
    key              INTEGER PRIMARY KEY,
    id               TEXT NOT NULL UNIQUE,       -- the ARN
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    name             TEXT NOT NULL,
    status           TEXT NOT NULL,
    reason           TEXT,
    phase            TEXT NOT NULL DEFAULT '',   -- what the steps at hand are for; '' when nothing is under way
    created_at       REAL NOT NULL,
    updated_at       REAL,
    deleted_at       REAL,
    event_at         REAL NOT NULL DEFAULT 0,    -- of the newest event: each one has an instant of its own
    asked            TEXT NOT NULL,              -- JSON: template, parameters, tags... (see desire.Desire)
    before           TEXT,                       -- the same of before the update under way
    outputs          TEXT NOT NULL DEFAULT '[]',
    on_failure       TEXT NOT NULL DEFAULT 'ROLLBACK',
    is_protected     INTEGER NOT NULL DEFAULT 0,
    change_set       TEXT,                       -- the id of the one executed last
    policy           TEXT,
    parent           TEXT,                       -- id of the stack that nests this one
    root             TEXT
);
CREATE UNIQUE INDEX cloudformation_stack_name ON cloudformation_stack (account, region, name)
    WHERE status <> 'DELETE_COMPLETE';

-- One row per physical resource; during a replacement a logical id has two.
CREATE TABLE cloudformation_resource (
    key              INTEGER PRIMARY KEY,
    stack            INTEGER NOT NULL,
    logical_id       TEXT NOT NULL,
    type             TEXT NOT NULL,
    physical_id      TEXT,
    properties       TEXT NOT NULL,              -- JSON, resolved, dynamic references as written
    attributes       TEXT NOT NULL DEFAULT '{}',
    needs            TEXT NOT NULL DEFAULT '[]', -- logical ids that must outlive it
    deletion_policy  TEXT NOT NULL DEFAULT 'Delete',
    replace_policy   TEXT NOT NULL DEFAULT 'Delete',
    metadata         TEXT,
    role             TEXT NOT NULL DEFAULT 'live', -- live; doomed: removed in the clean-up; gone
    status           TEXT NOT NULL,
    reason           TEXT,
    changed_at       REAL NOT NULL,
    change           TEXT NOT NULL DEFAULT '',   -- what the operation under way did: created, updated, replaced
    before           TEXT                        -- JSON: the row's own values before an update in place
);
CREATE INDEX cloudformation_resource_stack ON cloudformation_resource (stack, logical_id);

CREATE TABLE cloudformation_step (
    key              INTEGER PRIMARY KEY,
    stack            INTEGER NOT NULL,
    verb             TEXT NOT NULL,              -- make, remove, restore
    logical_id       TEXT NOT NULL,
    resource         INTEGER,
    needs            TEXT NOT NULL,              -- JSON: the steps that come first
    state            TEXT NOT NULL DEFAULT 'waiting', -- waiting, running, done, failed
    token            TEXT NOT NULL,
    made             TEXT                        -- JSON: what exists already and has to settle
);
CREATE INDEX cloudformation_step_stack ON cloudformation_step (stack);

CREATE TABLE cloudformation_event (
    key              INTEGER PRIMARY KEY,
    stack            INTEGER NOT NULL,
    id               TEXT NOT NULL,
    at               REAL NOT NULL,
    logical_id       TEXT NOT NULL,
    physical_id      TEXT NOT NULL,
    type             TEXT NOT NULL,
    status           TEXT NOT NULL,
    reason           TEXT,
    properties       TEXT,
    token            TEXT
);
CREATE INDEX cloudformation_event_stack ON cloudformation_event (stack);

CREATE TABLE cloudformation_change_set (
    key              INTEGER PRIMARY KEY,
    id               TEXT NOT NULL UNIQUE,
    stack            INTEGER NOT NULL,
    name             TEXT NOT NULL,
    type             TEXT NOT NULL,
    status           TEXT NOT NULL,
    reason           TEXT,
    execution        TEXT NOT NULL,
    description      TEXT,
    created_at       REAL NOT NULL,
    asked            TEXT NOT NULL,
    changes          TEXT NOT NULL,
    on_failure       TEXT
);
CREATE INDEX cloudformation_change_set_stack ON cloudformation_change_set (stack, name);

CREATE TABLE cloudformation_export (
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    name             TEXT NOT NULL,
    value            TEXT NOT NULL,
    stack            INTEGER NOT NULL,
    PRIMARY KEY (account, region, name)
) WITHOUT ROWID;

CREATE TABLE cloudformation_import (
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    name             TEXT NOT NULL,
    stack            INTEGER NOT NULL,
    PRIMARY KEY (account, region, name, stack)
) WITHOUT ROWID;
