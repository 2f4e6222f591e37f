CREATE TABLE apigatewayv2_api (
    key        INTEGER PRIMARY KEY,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    id         TEXT NOT NULL UNIQUE,     -- part of a host name: one name space for everybody
    document   TEXT NOT NULL,            -- JSON: the model's members, as they are given out
    tags       TEXT NOT NULL,            -- JSON object
    created_at REAL NOT NULL
);
CREATE INDEX apigatewayv2_api_owner ON apigatewayv2_api (account, region);

-- Routes, integrations, authorizers and stages: each a document of an API, found by its id.
CREATE TABLE apigatewayv2_part (
    seq      INTEGER PRIMARY KEY,
    api      INTEGER NOT NULL,
    kind     TEXT NOT NULL,              -- Route, Integration, Authorizer, Stage
    id       TEXT NOT NULL,              -- a stage's is its name
    document TEXT NOT NULL,
    UNIQUE (api, kind, id)
);

-- A deployment never changes: what it serves is remembered whole.
CREATE TABLE apigatewayv2_deployment (
    seq        INTEGER PRIMARY KEY,
    api        INTEGER NOT NULL,
    id         TEXT NOT NULL,
    auto       INTEGER NOT NULL,
    document   TEXT NOT NULL,
    snapshot   TEXT NOT NULL,            -- JSON: routes, integrations, authorizers
    UNIQUE (api, id)
);
