/**
 * The ledger's tables, as migrations in their order. A migration that was released is never changed; what comes later
 * goes behind it. Money is in nano-units of the price book's currency, times in milliseconds since 1970.
 */

const first = `
CREATE TABLE runs (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  pipeline TEXT NOT NULL,
  -- absolute path of the pipeline's file
  path TEXT NOT NULL,
  state TEXT NOT NULL,
  hash TEXT NOT NULL,
  shape_hash TEXT NOT NULL,
  -- JSON: [{ name, account, vendor }] in the pipeline's order
  services TEXT NOT NULL,
  -- JSON: unit by SKU, as the vendors name it
  sku_units TEXT NOT NULL,
  written TEXT NOT NULL,
  -- 1 where answers of other runs do not count
  is_fresh INTEGER NOT NULL,
  listing TEXT NOT NULL DEFAULT 'partial',
  checkpoint TEXT,
  items INTEGER NOT NULL DEFAULT 0,
  not_applicable INTEGER NOT NULL DEFAULT 0,
  unselected INTEGER NOT NULL DEFAULT 0,
  broken INTEGER NOT NULL DEFAULT 0,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  exit_code INTEGER,
  why TEXT
) STRICT;
CREATE INDEX runs_by_pipeline ON runs (pipeline, seq);

CREATE TABLE items (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  position BLOB NOT NULL,
  name TEXT NOT NULL,
  -- JSON: the rest of the item, links cut to what may be stored
  facts TEXT NOT NULL,
  UNIQUE (run, position),
  UNIQUE (run, name)
) STRICT;

-- What is known of a reuse key apart from its answers.
CREATE TABLE keys (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  -- attempts numbered so far
  submissions INTEGER NOT NULL DEFAULT 0,
  failed_ms INTEGER,
  -- JSON: error of the failure that is remembered
  failure TEXT,
  -- the attempt whose fate waits for a person
  held INTEGER
) STRICT;

CREATE TABLE tasks (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  item INTEGER NOT NULL,
  -- place of the service in the run's services
  service INTEGER NOT NULL,
  key INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- JSON: expected usage
  usage TEXT NOT NULL,
  -- tries that count against the task's bound, and submissions of any kind
  tries INTEGER NOT NULL DEFAULT 0,
  sent INTEGER NOT NULL DEFAULT 0,
  resends INTEGER NOT NULL DEFAULT 0,
  answer INTEGER,
  attempt INTEGER,
  -- JSON
  error TEXT,
  started_ms INTEGER,
  ended_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX tasks_by_item ON tasks (item, service);
CREATE INDEX tasks_idle ON tasks (run, state, service) WHERE state IN ('planned', 'waiting', 'over-cap');
CREATE INDEX tasks_waiting ON tasks (key) WHERE state = 'waiting';

CREATE TABLE attempts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key INTEGER NOT NULL,
  number INTEGER NOT NULL,
  ref TEXT NOT NULL,
  -- id of the first attempt of the same call; null for that one itself
  call INTEGER,
  position INTEGER NOT NULL,
  run INTEGER NOT NULL,
  task INTEGER NOT NULL,
  service TEXT NOT NULL,
  account TEXT NOT NULL,
  is_loopback INTEGER NOT NULL,
  link_hash TEXT NOT NULL,
  is_batch INTEGER NOT NULL,
  state TEXT NOT NULL,
  job TEXT,
  -- JSON
  error TEXT,
  intended_ms INTEGER NOT NULL,
  accepted_ms INTEGER,
  closed_ms INTEGER,
  accepted_reply INTEGER,
  reply INTEGER
) STRICT;
CREATE UNIQUE INDEX attempts_open ON attempts (key) WHERE state IN ('intent', 'accepted');
CREATE INDEX attempts_by_job ON attempts (job) WHERE job IS NOT NULL;

CREATE TABLE answers (
  id INTEGER PRIMARY KEY,
  key INTEGER NOT NULL,
  run INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  -- JSON
  finding TEXT NOT NULL
) STRICT;
CREATE INDEX answers_by_key ON answers (key);

CREATE TABLE replies (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  status INTEGER NOT NULL,
  -- UTF-8, raw deflate where is_deflated
  body BLOB NOT NULL,
  is_deflated INTEGER NOT NULL,
  is_truncated INTEGER NOT NULL
) STRICT;

-- Usage and charges. Rows are only ever added.
CREATE TABLE entries (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  task INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  account TEXT NOT NULL,
  is_loopback INTEGER NOT NULL,
  sku TEXT NOT NULL,
  month TEXT NOT NULL,
  basis TEXT NOT NULL,
  units INTEGER NOT NULL,
  free INTEGER NOT NULL,
  pack INTEGER NOT NULL,
  charge INTEGER NOT NULL,
  is_complete INTEGER NOT NULL,
  -- JSON: texts
  assumptions TEXT,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX entries_by_task ON entries (task);

-- How far an account has come with a SKU.
CREATE TABLE positions (
  account TEXT NOT NULL,
  is_loopback INTEGER NOT NULL,
  sku TEXT NOT NULL,
  position TEXT NOT NULL,
  PRIMARY KEY (account, is_loopback, sku)
) STRICT, WITHOUT ROWID;

-- Sums over tasks and entries, kept in the commits that change these, so that a bill or a count reads no million rows.
CREATE TABLE task_counts (
  run INTEGER NOT NULL,
  service INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (run, service, state, reason)
) STRICT, WITHOUT ROWID;
CREATE TABLE totals (
  run INTEGER NOT NULL,
  account TEXT NOT NULL,
  is_loopback INTEGER NOT NULL,
  sku TEXT NOT NULL,
  month TEXT NOT NULL,
  basis TEXT NOT NULL,
  units INTEGER NOT NULL,
  free INTEGER NOT NULL,
  pack INTEGER NOT NULL,
  charge INTEGER NOT NULL,
  incomplete INTEGER NOT NULL,
  PRIMARY KEY (run, account, is_loopback, sku, month, basis)
) STRICT, WITHOUT ROWID;
CREATE TABLE assumptions (
  run INTEGER NOT NULL,
  account TEXT NOT NULL,
  sku TEXT NOT NULL,
  assumption TEXT NOT NULL,
  tasks INTEGER NOT NULL,
  PRIMARY KEY (run, account, sku, assumption)
) STRICT, WITHOUT ROWID;

CREATE TABLE media (
  content TEXT PRIMARY KEY,
  -- JSON
  facts TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE broken (
  run INTEGER NOT NULL,
  line INTEGER NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (run, line)
) STRICT, WITHOUT ROWID;
`;

/** What people settle, and what later runs ask the vendor for again. */
const settling = `
-- when a person took the remembered failure out of the exit code
ALTER TABLE keys ADD COLUMN acknowledged_ms INTEGER;
CREATE INDEX keys_troubled ON keys (id) WHERE held IS NOT NULL OR failure IS NOT NULL;
CREATE INDEX tasks_troubled ON tasks (run, state) WHERE state IN ('failed', 'held');
CREATE INDEX tasks_troubled_by_key ON tasks (key) WHERE state IN ('failed', 'held');
-- 1 where the vendor can still be asked what became of a closed attempt: later runs open it again, and ask
ALTER TABLE attempts ADD COLUMN can_ask INTEGER NOT NULL DEFAULT 0;
-- when it failed first, for one that was opened again
ALTER TABLE attempts ADD COLUMN failed_ms INTEGER;
CREATE INDEX attempts_askable ON attempts (id) WHERE can_ask = 1;
CREATE INDEX entries_by_attempt ON entries (attempt);
-- the run whose failed and held tasks this one takes up
ALTER TABLE runs ADD COLUMN only_failed TEXT;
-- 1 where a person asked for it, whatever the pipeline says
ALTER TABLE runs ADD COLUMN asked_fresh INTEGER NOT NULL DEFAULT 0;
-- when its items and tasks were taken out of the ledger
ALTER TABLE runs ADD COLUMN pruned_ms INTEGER;
`;

const caps = `
-- What an attempt holds of the caps. JSON: { month, skus: { SKU: [units, nano] } }
ALTER TABLE attempts ADD COLUMN reserved TEXT;
-- JSON: the caps of the latest session, and how far they had come when the run ended
ALTER TABLE runs ADD COLUMN caps TEXT;
ALTER TABLE runs ADD COLUMN spending TEXT;

-- Sums over reservations and entries, kept in the commits that change these: of runs (by number, without month), and of
-- the months of pipelines and accounts (by name).
CREATE TABLE spending (
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  month TEXT NOT NULL,
  is_loopback INTEGER NOT NULL,
  sku TEXT NOT NULL,
  spent_units INTEGER NOT NULL,
  reserved_units INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  reserved INTEGER NOT NULL,
  -- units that answers proved beyond their reservation
  overrun INTEGER NOT NULL,
  PRIMARY KEY (scope, name, month, is_loopback, sku)
) STRICT, WITHOUT ROWID;
INSERT INTO spending SELECT 'run', CAST(run AS TEXT), '', is_loopback, sku, sum(units), 0, sum(charge), 0, 0
  FROM totals GROUP BY run, is_loopback, sku;
INSERT INTO spending SELECT 'pipeline', r.pipeline, t.month, t.is_loopback, t.sku, sum(t.units), 0, sum(t.charge), 0, 0
  FROM totals AS t JOIN runs AS r ON r.seq = t.run GROUP BY r.pipeline, t.month, t.is_loopback, t.sku;
INSERT INTO spending SELECT 'account', account, month, is_loopback, sku, sum(units), 0, sum(charge), 0, 0
  FROM totals GROUP BY account, month, is_loopback, sku;
`;

/** What people decide, and the identity of content that their decisions belong to. */
const reviewing = `
-- identity of the content, whatever the pipeline's reuse goes by; null in rows that are older than this column
ALTER TABLE items ADD COLUMN content TEXT;

-- Decisions of reviewers. Rows are only ever added; the latest one of a content counts.
CREATE TABLE decisions (
  id INTEGER PRIMARY KEY,
  content TEXT NOT NULL,
  -- pass, review or block; null where an earlier decision was taken back
  verdict TEXT,
  decided_by TEXT NOT NULL,
  comment TEXT NOT NULL,
  -- the item and the run that the reviewer had before them
  item TEXT NOT NULL,
  run TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX decisions_by_content ON decisions (content, id);
`;

/** What a run is held to, and what goes ahead of it. */
const approving = `
-- JSON: the plan that the run is held to
ALTER TABLE runs ADD COLUMN plan TEXT;
-- JSON: how far its canary has come
ALTER TABLE runs ADD COLUMN canary TEXT;

-- Items that were drawn for the canary of a run: those with the lowest lots.
CREATE TABLE canary (
  run INTEGER NOT NULL,
  lot INTEGER NOT NULL,
  item INTEGER NOT NULL,
  PRIMARY KEY (run, lot, item)
) STRICT, WITHOUT ROWID;
`;

/** Sums by day instead of month: what a cost report reads, also of runs whose tasks are gone. */
const daily = `
CREATE TABLE daily (
  run INTEGER NOT NULL,
  account TEXT NOT NULL,
  is_loopback INTEGER NOT NULL,
  sku TEXT NOT NULL,
  -- on which the call was sent, in the price book's zone; its month is that of the entries
  day TEXT NOT NULL,
  basis TEXT NOT NULL,
  units INTEGER NOT NULL,
  free INTEGER NOT NULL,
  pack INTEGER NOT NULL,
  charge INTEGER NOT NULL,
  incomplete INTEGER NOT NULL,
  PRIMARY KEY (run, account, is_loopback, sku, day, basis)
) STRICT, WITHOUT ROWID;
-- Older entries know when they were booked, and the month in which they were sent.
INSERT INTO daily SELECT run, account, is_loopback, sku,
  CASE WHEN strftime('%Y-%m', at_ms / 1000, 'unixepoch') = month
    THEN strftime('%Y-%m-%d', at_ms / 1000, 'unixepoch') ELSE month || '-01' END AS day,
  basis, sum(units), sum(free), sum(pack), sum(charge),
  sum(CASE WHEN is_complete = 1 THEN 0 WHEN units < 0 THEN -1 ELSE 1 END)
  FROM entries GROUP BY run, account, is_loopback, sku, day, basis;
DROP TABLE totals;
ALTER TABLE daily RENAME TO totals;
`;

const pace = `
-- Limits that processes share: turns, places and share, as a JSON board. It holds while the machine runs.
CREATE TABLE pace (
  name TEXT PRIMARY KEY,
  board TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

const sharding = `
-- Parts of a run that workers carry out: its tasks with ids above after_task, up to last_task.
CREATE TABLE shards (
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  after_task INTEGER NOT NULL,
  last_task INTEGER NOT NULL,
  -- the process that carries it out
  holder TEXT,
  claims INTEGER NOT NULL DEFAULT 0,
  is_done INTEGER NOT NULL DEFAULT 0,
  -- JSON: accounts that stood still when it was left
  halts TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX shards_held ON shards (holder) WHERE holder IS NOT NULL;
`;

/** `user_version` is how many of them a file has had. */
export const migrations: readonly string[] = [
  first,
  settling,
  caps,
  reviewing,
  approving,
  daily,
  pace,
  sharding,
];
