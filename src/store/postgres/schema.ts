/**
 * The ledger's tables on PostgreSQL, as migrations in their order: the same tables and columns as on SQLite, whose schema
 * says what they hold. Ids are given out by the program, under the lock of its transactions.
 */
const text = 'text COLLATE "C"';

const first = `
CREATE TABLE runs (
  seq bigint PRIMARY KEY,
  id ${text} NOT NULL UNIQUE,
  pipeline ${text} NOT NULL,
  path ${text} NOT NULL,
  state ${text} NOT NULL,
  hash ${text} NOT NULL,
  shape_hash ${text} NOT NULL,
  services ${text} NOT NULL,
  sku_units ${text} NOT NULL,
  written ${text} NOT NULL,
  is_fresh bigint NOT NULL,
  listing ${text} NOT NULL DEFAULT 'partial',
  checkpoint ${text},
  items bigint NOT NULL DEFAULT 0,
  not_applicable bigint NOT NULL DEFAULT 0,
  unselected bigint NOT NULL DEFAULT 0,
  broken bigint NOT NULL DEFAULT 0,
  started_ms bigint NOT NULL,
  ended_ms bigint,
  exit_code bigint,
  why ${text},
  only_failed ${text},
  asked_fresh bigint NOT NULL DEFAULT 0,
  pruned_ms bigint,
  caps ${text},
  spending ${text},
  plan ${text},
  canary ${text}
);
CREATE INDEX runs_by_pipeline ON runs (pipeline, seq);

CREATE TABLE items (
  id bigint PRIMARY KEY,
  run bigint NOT NULL,
  position bytea NOT NULL,
  name ${text} NOT NULL,
  facts ${text} NOT NULL,
  content ${text},
  UNIQUE (run, position)
);
-- Names and jobs may be longer than what an index takes.
CREATE UNIQUE INDEX items_by_name ON items (run, md5(name));

CREATE TABLE keys (
  id bigint PRIMARY KEY,
  key ${text} NOT NULL UNIQUE,
  submissions bigint NOT NULL DEFAULT 0,
  failed_ms bigint,
  failure ${text},
  held bigint,
  acknowledged_ms bigint
) WITH (fillfactor = 85);
CREATE INDEX keys_troubled ON keys (id) WHERE held IS NOT NULL OR failure IS NOT NULL;

CREATE TABLE tasks (
  id bigint PRIMARY KEY,
  run bigint NOT NULL,
  item bigint NOT NULL,
  service bigint NOT NULL,
  key bigint NOT NULL,
  state ${text} NOT NULL,
  reason ${text} NOT NULL,
  usage ${text} NOT NULL,
  tries bigint NOT NULL DEFAULT 0,
  sent bigint NOT NULL DEFAULT 0,
  resends bigint NOT NULL DEFAULT 0,
  answer bigint,
  attempt bigint,
  error ${text},
  started_ms bigint,
  ended_ms bigint
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX tasks_by_item ON tasks (item, service);
CREATE INDEX tasks_idle ON tasks (run, state, service, id) WHERE state IN ('planned', 'waiting', 'over-cap');
CREATE INDEX tasks_waiting ON tasks (key) WHERE state = 'waiting';
CREATE INDEX tasks_troubled ON tasks (run, state) WHERE state IN ('failed', 'held');
CREATE INDEX tasks_troubled_by_key ON tasks (key) WHERE state IN ('failed', 'held');

CREATE TABLE attempts (
  id bigint PRIMARY KEY,
  key bigint NOT NULL,
  number bigint NOT NULL,
  ref ${text} NOT NULL,
  call bigint,
  position bigint NOT NULL,
  run bigint NOT NULL,
  task bigint NOT NULL,
  service ${text} NOT NULL,
  account ${text} NOT NULL,
  is_loopback bigint NOT NULL,
  link_hash ${text} NOT NULL,
  is_batch bigint NOT NULL,
  state ${text} NOT NULL,
  job ${text},
  error ${text},
  intended_ms bigint NOT NULL,
  accepted_ms bigint,
  closed_ms bigint,
  accepted_reply bigint,
  reply bigint,
  can_ask bigint NOT NULL DEFAULT 0,
  failed_ms bigint,
  reserved ${text}
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX attempts_open ON attempts (key) WHERE state IN ('intent', 'accepted');
CREATE INDEX attempts_by_job ON attempts USING hash (job) WHERE job IS NOT NULL;
CREATE INDEX attempts_askable ON attempts (id) WHERE can_ask = 1;

CREATE TABLE answers (
  id bigint PRIMARY KEY,
  key bigint NOT NULL,
  run bigint NOT NULL,
  attempt bigint NOT NULL,
  at_ms bigint NOT NULL,
  finding ${text} NOT NULL
);
CREATE INDEX answers_by_key ON answers (key);

CREATE TABLE replies (
  id bigint PRIMARY KEY,
  at_ms bigint NOT NULL,
  status bigint NOT NULL,
  body bytea NOT NULL,
  is_deflated bigint NOT NULL,
  is_truncated bigint NOT NULL
);
-- Bodies are deflated before they come here.
ALTER TABLE replies ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE entries (
  id bigint PRIMARY KEY,
  run bigint NOT NULL,
  task bigint NOT NULL,
  attempt bigint NOT NULL,
  account ${text} NOT NULL,
  is_loopback bigint NOT NULL,
  sku ${text} NOT NULL,
  month ${text} NOT NULL,
  basis ${text} NOT NULL,
  units bigint NOT NULL,
  free bigint NOT NULL,
  pack bigint NOT NULL,
  charge bigint NOT NULL,
  is_complete bigint NOT NULL,
  assumptions ${text},
  at_ms bigint NOT NULL
);
CREATE INDEX entries_by_task ON entries (task);
CREATE INDEX entries_by_attempt ON entries (attempt);

CREATE TABLE positions (
  account ${text} NOT NULL,
  is_loopback bigint NOT NULL,
  sku ${text} NOT NULL,
  position ${text} NOT NULL,
  PRIMARY KEY (account, is_loopback, sku)
) WITH (fillfactor = 50);

CREATE TABLE task_counts (
  run bigint NOT NULL,
  service bigint NOT NULL,
  state ${text} NOT NULL,
  reason ${text} NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (run, service, state, reason)
) WITH (fillfactor = 50);

CREATE TABLE totals (
  run bigint NOT NULL,
  account ${text} NOT NULL,
  is_loopback bigint NOT NULL,
  sku ${text} NOT NULL,
  day ${text} NOT NULL,
  basis ${text} NOT NULL,
  units bigint NOT NULL,
  free bigint NOT NULL,
  pack bigint NOT NULL,
  charge bigint NOT NULL,
  incomplete bigint NOT NULL,
  PRIMARY KEY (run, account, is_loopback, sku, day, basis)
) WITH (fillfactor = 50);

CREATE TABLE assumptions (
  run bigint NOT NULL,
  account ${text} NOT NULL,
  sku ${text} NOT NULL,
  assumption ${text} NOT NULL,
  tasks bigint NOT NULL,
  PRIMARY KEY (run, account, sku, assumption)
) WITH (fillfactor = 50);

CREATE TABLE spending (
  scope ${text} NOT NULL,
  name ${text} NOT NULL,
  month ${text} NOT NULL,
  is_loopback bigint NOT NULL,
  sku ${text} NOT NULL,
  spent_units bigint NOT NULL,
  reserved_units bigint NOT NULL,
  spent bigint NOT NULL,
  reserved bigint NOT NULL,
  overrun bigint NOT NULL,
  PRIMARY KEY (scope, name, month, is_loopback, sku)
) WITH (fillfactor = 50);

CREATE TABLE media (content ${text} PRIMARY KEY, facts ${text} NOT NULL);

CREATE TABLE broken (
  run bigint NOT NULL,
  line bigint NOT NULL,
  message ${text} NOT NULL,
  PRIMARY KEY (run, line)
);

CREATE TABLE decisions (
  id bigint PRIMARY KEY,
  content ${text} NOT NULL,
  verdict ${text},
  decided_by ${text} NOT NULL,
  comment ${text} NOT NULL,
  item ${text} NOT NULL,
  run ${text} NOT NULL,
  at_ms bigint NOT NULL
);
CREATE INDEX decisions_by_content ON decisions (content, id);

CREATE TABLE canary (
  run bigint NOT NULL,
  lot bigint NOT NULL,
  item bigint NOT NULL,
  PRIMARY KEY (run, lot, item)
);

CREATE TABLE pace (name ${text} PRIMARY KEY, board ${text} NOT NULL) WITH (fillfactor = 50);

-- The last id that was given out, by table.
CREATE TABLE counters (name ${text} PRIMARY KEY, last bigint NOT NULL) WITH (fillfactor = 50);

-- How many transactions each writer has committed: what became of a commit whose answer was lost.
CREATE TABLE writers (id ${text} PRIMARY KEY, commits bigint NOT NULL, seen timestamptz NOT NULL)
  WITH (fillfactor = 50);
`;

const sharding = `
CREATE TABLE shards (
  run bigint NOT NULL,
  number bigint NOT NULL,
  after_task bigint NOT NULL,
  last_task bigint NOT NULL,
  holder ${text},
  claims bigint NOT NULL DEFAULT 0,
  is_done bigint NOT NULL DEFAULT 0,
  halts ${text} NOT NULL DEFAULT '[]',
  PRIMARY KEY (run, number)
);
CREATE INDEX shards_held ON shards (holder) WHERE holder IS NOT NULL;
`;

/** `ledger_version` says how many of them a schema has had. */
export const migrations: readonly string[] = [first, sharding];

/** Tables with an id that the program gives out, and its column. */
export const idColumns: Readonly<Record<string, string>> = {
  runs: 'seq',
  items: 'id',
  keys: 'id',
  tasks: 'id',
  attempts: 'id',
  answers: 'id',
  replies: 'id',
  entries: 'id',
  decisions: 'id',
};
