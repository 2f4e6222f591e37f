-- A function by name; what runs is a version of it.
CREATE TABLE lambda_function (
  key INTEGER PRIMARY KEY,
  account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
  next_version INTEGER NOT NULL DEFAULT 1,
  reserved INTEGER,                       -- ReservedConcurrentExecutions
  recursion TEXT NOT NULL DEFAULT 'Terminate',
  tags TEXT NOT NULL DEFAULT '{}',
  UNIQUE (account, region, name)
);

-- $LATEST and what was published from it. `config`: the members of FunctionConfiguration that somebody has set.
CREATE TABLE lambda_version (
  key INTEGER PRIMARY KEY,
  function INTEGER NOT NULL,
  version TEXT NOT NULL,
  config TEXT NOT NULL,
  code TEXT NOT NULL,                     -- {"zip": blob name} or {"folders": [path, ...]}
  code_sha256 TEXT NOT NULL, code_size INTEGER NOT NULL,
  generation INTEGER NOT NULL,            -- environments of another one are replaced
  revision TEXT NOT NULL,
  modified_at REAL NOT NULL,
  state TEXT NOT NULL,                    -- Pending, Active
  updating TEXT,                          -- what an update in progress says; NULL when there is none
  UNIQUE (function, version)
);

CREATE TABLE lambda_alias (
  key INTEGER PRIMARY KEY,
  function INTEGER NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
  description TEXT NOT NULL, weights TEXT NOT NULL, revision TEXT NOT NULL,
  UNIQUE (function, name)
);

-- One resource policy per function, version or alias ('' for the function itself).
CREATE TABLE lambda_policy (
  function INTEGER NOT NULL, qualifier TEXT NOT NULL, statements TEXT NOT NULL, revision TEXT NOT NULL,
  PRIMARY KEY (function, qualifier)
) WITHOUT ROWID;

-- How asynchronous invocations of a qualifier fail.
CREATE TABLE lambda_event_invoke (
  function INTEGER NOT NULL, qualifier TEXT NOT NULL,
  retries INTEGER, max_age_s INTEGER, on_success TEXT, on_failure TEXT, modified_at REAL NOT NULL,
  PRIMARY KEY (function, qualifier)
) WITHOUT ROWID;

CREATE TABLE lambda_layer (
  key INTEGER PRIMARY KEY,
  account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, next_version INTEGER NOT NULL DEFAULT 1,
  UNIQUE (account, region, name)
);
CREATE TABLE lambda_layer_version (
  layer INTEGER NOT NULL, version INTEGER NOT NULL,
  config TEXT NOT NULL, code TEXT NOT NULL, code_sha256 TEXT NOT NULL, code_size INTEGER NOT NULL,
  created_at REAL NOT NULL, policy TEXT, policy_revision TEXT,
  PRIMARY KEY (layer, version)
) WITHOUT ROWID;

CREATE TABLE lambda_mapping (
  key INTEGER PRIMARY KEY,
  account TEXT NOT NULL, region TEXT NOT NULL, uuid TEXT NOT NULL UNIQUE,
  function_arn TEXT NOT NULL,             -- as it was asked for, with its qualifier
  source_arn TEXT NOT NULL,
  config TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,                   -- StateTransitionReason
  result TEXT,                            -- LastProcessingResult
  tags TEXT NOT NULL DEFAULT '{}',
  modified_at REAL NOT NULL
);
CREATE INDEX lambda_mapping_source ON lambda_mapping (source_arn);
CREATE INDEX lambda_mapping_function ON lambda_mapping (account, region, function_arn);

-- Where a mapping stands in each shard of a stream ('' for a queue), and the job that polls it.
CREATE TABLE lambda_mapping_shard (
  mapping INTEGER NOT NULL, shard TEXT NOT NULL,
  job INTEGER,
  cursor TEXT,                            -- JSON; NULL before the first look
  retry TEXT,                             -- JSON: what is being tried again, {"counts": [...], "invoked": n}
  done INTEGER NOT NULL DEFAULT 0,        -- closed and read to its end
  PRIMARY KEY (mapping, shard)
) WITHOUT ROWID;
