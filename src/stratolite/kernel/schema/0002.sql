-- Access keys that were handed out (users, assumed roles), and who they stand for.
CREATE TABLE credential (
  access_key TEXT PRIMARY KEY,
  account    TEXT NOT NULL,
  arn        TEXT NOT NULL,
  user_id    TEXT NOT NULL
) WITHOUT ROWID;
