-- What functions and scripts tell a stack that waits for them.
CREATE TABLE cloudformation_answer (
    token    TEXT NOT NULL,      -- of the step that asked, or of the handle
    id       TEXT NOT NULL,      -- of the signal; a custom resource sends one, without
    body     TEXT NOT NULL,
    PRIMARY KEY (token, id)
) WITHOUT ROWID;

CREATE TABLE cloudformation_question (
    token    TEXT PRIMARY KEY,
    asked_at REAL NOT NULL
) WITHOUT ROWID;
