-- Format 1. Bodies are JSON of the vocabulary's types, secrets sealed or masked.
PRAGMA application_id = 0x53485645;
PRAGMA user_version = 1;

-- One row a stack. `serial`: the last journal entry. `snapshot`: the last entry that `parts` holds.
CREATE TABLE stacks (
  id       INTEGER PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE,
  uuid     TEXT NOT NULL DEFAULT '',
  serial   INTEGER NOT NULL DEFAULT 0,
  snapshot INTEGER NOT NULL DEFAULT 0,
  events   INTEGER NOT NULL DEFAULT 0,
  last_run TEXT
) STRICT;

-- The journal: never changed. A run's record stands in `runs`, not in its entry.
CREATE TABLE journal (
  stack  INTEGER NOT NULL REFERENCES stacks (id),
  serial INTEGER NOT NULL,
  entry  TEXT NOT NULL,
  UNIQUE (stack, serial)
) STRICT;

-- The snapshot: one row a resource, operation in flight, password, target or output. Brought up to date for what
-- the journal's tail touched, and nothing else. `address`: of an operation's resource.
CREATE TABLE parts (
  stack   INTEGER NOT NULL REFERENCES stacks (id),
  kind    TEXT NOT NULL,
  name    TEXT NOT NULL,
  address TEXT,
  body    TEXT NOT NULL,
  UNIQUE (stack, kind, name)
) STRICT;

CREATE INDEX operations ON parts (stack, address) WHERE address IS NOT NULL;

CREATE TABLE runs (
  stack    INTEGER NOT NULL REFERENCES stacks (id),
  serial   INTEGER NOT NULL,
  run      TEXT NOT NULL,
  purpose  TEXT NOT NULL,
  started  TEXT NOT NULL,
  finished TEXT,
  outcome  TEXT,
  counts   TEXT,
  record   TEXT NOT NULL,
  UNIQUE (stack, run)
) STRICT;

CREATE TABLE events (
  stack INTEGER NOT NULL REFERENCES stacks (id),
  seq   INTEGER NOT NULL,
  event TEXT NOT NULL,
  UNIQUE (stack, seq)
) STRICT;

-- Plugins' components, so that a stack can be destroyed from its state alone.
CREATE TABLE components (
  digest TEXT NOT NULL UNIQUE,
  bytes  BLOB NOT NULL
) STRICT;

-- By name: a stack is locked before its first entry. `token` tells this hold from a later one.
CREATE TABLE locks (
  stack TEXT NOT NULL UNIQUE,
  token TEXT NOT NULL,
  owner TEXT NOT NULL
) STRICT;
