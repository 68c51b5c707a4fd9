/** What only the SQLite ledger's own tables show: archived replies, and invariants under any sequence of operations. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import type { Attempt, Ledger, RunLedger, Transition } from '../../src/domain/ledger.ts';
import { graduatedSum } from '../../src/domain/pricing.ts';
import type { Task } from '../../src/domain/task.ts';
import { openLedger } from '../../src/store/ledger.ts';
import {
  begin,
  finding,
  HandClock,
  intend,
  makeOpening,
  makePipeline,
  makePlanned,
  oneCall,
  plan,
  prices,
  readStates,
  refusal,
} from './world.ts';

const Sqlite = await loadDriver();

let folder: string;
let ledger: Ledger;
let clock: HandClock;
let raw: InstanceType<typeof Sqlite>;

async function openHere() {
  folder = await mkdtemp(join(tmpdir(), 'mediasweep-sqlite-'));
  clock = new HandClock();
  ledger = await openLedger({ folder, clock });
  raw = new Sqlite(join(folder, 'ledger.db'));
}

async function removeHere() {
  raw.close();
  await ledger.close();
  await rm(folder, { recursive: true });
}

function select<Row>(sql: string): Row[] {
  return raw.prepare(sql).all() as Row[];
}

describe('the archive', () => {
  beforeEach(openHere);
  afterEach(removeHere);

  interface ReplyRow {
    readonly id: number;
    readonly status: number;
    readonly body: Buffer;
    readonly is_deflated: number;
    readonly is_truncated: number;
  }

  async function archive(body: string): Promise<ReplyRow> {
    const run = await ledger.openRun(makeOpening());
    const [task] = await plan(run, [makePlanned('a')]);
    const attempt = await begin(run, task);
    await run.transition([
      { is: 'answered', attempt, finding, usage: oneCall, reply: { status: 200, body } },
    ]);
    const [row] = select<ReplyRow>(
      "SELECT r.* FROM attempts AS a JOIN replies AS r ON r.id = a.reply WHERE a.state = 'answered'",
    );
    if (!row) throw new Error('expected an archived reply');
    return row;
  }

  test('keeps a short reply as it came', async () => {
    const row = await archive('{"code":"好"}');
    expect(row).toMatchObject({ status: 200, is_deflated: 0, is_truncated: 0 });
    expect(row.body.toString('utf8')).toBe('{"code":"好"}');
  });

  test('keeps a long reply deflated and whole', async () => {
    const body = JSON.stringify({ labels: Array.from({ length: 500 }, (_, index) => `标签-${index}`) });
    const row = await archive(body);
    expect(row).toMatchObject({ is_deflated: 1, is_truncated: 0 });
    expect(row.body.length).toBeLessThan(Buffer.byteLength(body) / 2);
    expect(inflateRawSync(row.body).toString('utf8')).toBe(body);
  });

  test('cuts a reply at 1 MiB, and says so', async () => {
    const row = await archive('x'.repeat(1_048_577));
    expect(row.is_truncated).toBe(1);
    expect(inflateRawSync(row.body)).toHaveLength(1_048_576);
  });

  test('keeps the reply that a batch shares once', async () => {
    const run = await ledger.openRun(makeOpening());
    const tasks = await plan(run, [makePlanned('a'), makePlanned('b')]);
    const attempts = await Promise.all(tasks.map((task) => begin(run, task)));
    const reply = { status: 200, body: '{}' };
    await run.transition(
      attempts.map((attempt): Transition => ({ is: 'accepted', attempt, job: 'job-1', reply })),
    );
    expect(select('SELECT DISTINCT accepted_reply FROM attempts')).toHaveLength(1);
    expect(select('SELECT id FROM replies')).toHaveLength(1);
  });
});

describe('the tables', () => {
  beforeEach(openHere);
  afterEach(removeHere);

  test('let tasks over the cap be planned again when a run goes on', async () => {
    const run = await ledger.openRun(makeOpening());
    await plan(run, [makePlanned('a'), makePlanned('b')]);
    raw.exec(`UPDATE tasks SET state = 'over-cap', reason = 'caps.run' WHERE id = 1;
      UPDATE task_counts SET count = 1;
      INSERT INTO task_counts VALUES (1, 0, 'over-cap', 'caps.run', 1)`);
    const next = await ledger.openRun(makeOpening());
    expect(await readStates(ledger, next.record.id)).toEqual(['a quality planned', 'b quality planned']);
    expect(await ledger.countTasks(next.record.id)).toEqual([
      { service: 'quality', state: 'planned', reason: '', count: 2 },
    ]);
    expect(await next.readReady('quality', 0, 10)).toHaveLength(2);
  });

  test('count what is skipped by its limit, and take it back whatever its own size was', async () => {
    const run = await ledger.openRun(makeOpening());
    await plan(run, [
      makePlanned('a', { skip: 'fit: 12.4 MB, at most 5 MB' }),
      makePlanned('b', { skip: 'fit: 6.1 MB, at most 5 MB' }),
      makePlanned('c', { skip: 'fit: 80 x 60, at least 240 x 240 pixels' }),
    ]);
    const skipped = { service: 'quality', state: 'skipped' };
    expect(await ledger.countTasks(run.record.id)).toEqual([
      { ...skipped, reason: 'fit: at least 240 x 240 pixels', count: 1 },
      { ...skipped, reason: 'fit: at most 5 MB', count: 2 },
    ]);
    const rows = await ledger.readItems(run.record.id, undefined, 10);
    expect(rows[0]?.tasks[0]?.reason).toBe('fit: 12.4 MB, at most 5 MB');
  });

  test('keep to an answer or a held call although the task is to be skipped, but not to a failure', async () => {
    const run = await ledger.openRun(makeOpening());
    const keys = ['answered', 'failed', 'held'];
    const tasks = await plan(
      run,
      keys.map((key) => makePlanned(key)),
    );
    const [answered, failed, held] = await Promise.all(tasks.map((task) => begin(run, task)));
    if (!answered || !failed || !held) throw new Error('expected three attempts');
    await run.transition([
      { is: 'answered', attempt: answered, finding, usage: oneCall },
      { is: 'failed', attempt: failed, refusal, isRemembered: true },
      { is: 'held', attempt: held, cause: 'reset' },
    ]);
    const next = await ledger.openRun(makeOpening({ startNew: true }));
    await plan(
      next,
      keys.map((key) => makePlanned(key, { skip: 'fit: 6.1 MB, at most 5 MB' })),
    );
    expect(await readStates(ledger, next.record.id)).toEqual([
      'answered quality reused',
      'failed quality skipped',
      'held quality held',
    ]);
  });

  test('take no second open attempt of a key, whoever writes it', async () => {
    const run = await ledger.openRun(makeOpening());
    const [task] = await plan(run, [makePlanned('a')]);
    await begin(run, task);
    expect(() =>
      raw.exec(`INSERT INTO attempts SELECT id + 1, key, number + 1, ref, call, position, run, task, service, account,
        is_loopback, link_hash, is_batch, state, job, error, intended_ms, accepted_ms, closed_ms, accepted_reply, reply,
        can_ask, failed_ms, reserved FROM attempts`),
    ).toThrow('UNIQUE constraint failed');
  });

  test('hold no signature, token or query of a signed link', async () => {
    const run = await ledger.openRun(makeOpening());
    const url = 'https://user:password1@cdn.example/a.jpg?X-Amz-Signature=deadbeef&X-Amz-Credential=cafe';
    await plan(run, [
      makePlanned('a', { item: { url, images: [url], videoUrl: url, text: `see ${url}`, title: url } }),
    ]);
    const stored = JSON.stringify(select('SELECT name, facts FROM items'));
    for (const secret of ['deadbeef', 'cafe', 'password1']) expect(stored).not.toContain(secret);
  });
});

/** What may be done next, as numbers that choose among what there is. */
const step = fc.oneof(
  fc.record({
    do: fc.constant('plan' as const),
    key: fc.nat(30),
    content: fc.nat(5),
    services: fc.subarray(['quality', 'labels'], { minLength: 1 }),
    skip: fc.option(fc.constant('too large'), { freq: 6 }),
  }),
  fc.record({
    do: fc.constant('intend' as const),
    picks: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    do: fc.constant('move' as const),
    pick: fc.nat(),
    to: fc.constantFrom('accepted', 'answered', 'again', 'failed', 'unsent', 'resend', 'held'),
    flag: fc.boolean(),
  }),
  fc.record({ do: fc.constant('release' as const) }),
  fc.record({
    do: fc.constant('open' as const),
    startNew: fc.boolean(),
    name: fc.constantFrom('nightly', 'monthly', 'fresh'),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function makeTransition(attempt: Attempt, { to, flag }: Extract<Step, { do: 'move' }>): Transition {
  const booked = flag ? oneCall : undefined;
  switch (to) {
    case 'accepted':
      return { is: to, attempt, job: `job-${attempt.id}` };
    case 'answered':
      return { is: to, attempt, finding, usage: { units: { 'pai/basic': flag ? 2 : 1 }, basis: 'observed' } };
    case 'again':
      return { is: to, attempt, refusal, costsAttempt: flag, booked };
    case 'failed':
      return { is: to, attempt, refusal, isRemembered: flag, booked };
    case 'unsent':
    case 'resend':
    case 'held':
      return { is: to, attempt, cause: 'reset' };
  }
}

/** Drives a ledger by steps, keeping every task and attempt that it was ever handed: late and repeated moves are legal. */
class Driver {
  readonly #tasks: Task[] = [];
  readonly #attempts: Attempt[] = [];
  #run: RunLedger | undefined;

  async take(one: Step): Promise<void> {
    this.#run ??= await ledger.openRun(makeOpening());
    const run = this.#run;
    switch (one.do) {
      case 'open':
        this.#run = await ledger.openRun(
          makeOpening({
            startNew: one.startNew,
            pipeline: makePipeline({ name: one.name, reuse: one.name === 'fresh' ? { by: 'never' } : {} }),
          }),
        );
        this.#tasks.length = 0;
        this.#attempts.push(...(await this.#run.readOrphans(0, 100)));
        return;
      case 'plan': {
        const { key, content, services, skip } = one;
        const planned = makePlanned(`key-${key}`, {
          content: `content-${content}`,
          services,
          ...(skip === null ? {} : { skip }),
        });
        this.#tasks.push(...(await plan(run, [planned])));
        return;
      }
      case 'intend':
        return await this.#intend(run, one.picks);
      case 'move': {
        const attempt = this.#attempts[one.pick % Math.max(1, this.#attempts.length)];
        if (attempt) await run.transition([makeTransition(attempt, one)]);
        return;
      }
      case 'release': {
        const { waiting } = await run.releaseWaiting();
        if (countStranded(run.record.id) > 0 || waiting !== countState(run.record.id, 'waiting')) {
          throw new Error('a task waits for nothing');
        }
      }
    }
  }

  async #intend(run: RunLedger, picks: readonly number[]): Promise<void> {
    const ready = [
      ...this.#tasks,
      ...(await run.readReady('quality', 0, 100)),
      ...(await run.readReady('labels', 0, 100)),
    ];
    const first = ready[(picks[0] ?? 0) % Math.max(1, ready.length)];
    if (!first) return;
    const same = ready.filter((task) => task.service === first.service);
    const chosen = picks.map((pick) => same[pick % same.length] as Task);
    for (const intent of await intend(run, chosen)) {
      if (intent.is === 'intended') this.#attempts.push(intent.attempt);
    }
  }
}

function countState(run: string, state: string): number {
  return raw
    .prepare('SELECT count(*) FROM tasks JOIN runs ON seq = run WHERE runs.id = ? AND tasks.state = ?')
    .pluck()
    .get(run, state) as number;
}

/** Tasks that wait although nothing is under way for them. */
function countStranded(run: string): number {
  return raw
    .prepare(
      `SELECT count(*) FROM tasks AS t JOIN runs AS r ON r.seq = t.run WHERE r.id = ? AND t.state = 'waiting'
         AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.key = t.key AND a.state IN ('intent', 'accepted'))`,
    )
    .pluck()
    .get(run) as number;
}

function checkTables(): void {
  // A task is under way exactly where it has an open attempt, and a key has one at most.
  expect(select("SELECT id FROM tasks WHERE state IN ('intent', 'accepted') ORDER BY id")).toEqual(
    select("SELECT task AS id FROM attempts WHERE state IN ('intent', 'accepted') ORDER BY task"),
  );
  expect(
    select("SELECT key FROM attempts WHERE state IN ('intent', 'accepted') GROUP BY key HAVING count(*) > 1"),
  ).toEqual([]);
  // Attempts of a key are numbered without gaps.
  expect(
    select(`SELECT k.id, k.submissions, count(a.id), max(a.number) FROM keys AS k LEFT JOIN attempts AS a ON a.key = k.id
      GROUP BY k.id HAVING count(DISTINCT a.number) <> k.submissions OR coalesce(max(a.number), 0) <> k.submissions`),
  ).toEqual([]);
  // Counts and totals are what their rows add up to.
  expect(select('SELECT * FROM task_counts WHERE count <> 0 ORDER BY run, service, state, reason')).toEqual(
    select(`SELECT run, service, state, reason, count(*) AS count FROM tasks
      GROUP BY run, service, state, reason ORDER BY run, service, state, reason`),
  );
  expect(
    select(`SELECT run, sku, substr(day, 1, 7) AS month, basis, sum(units) AS units, sum(charge) AS charge FROM totals
      GROUP BY run, sku, month, basis ORDER BY run, sku, month, basis`),
  ).toEqual(
    select(`SELECT run, sku, month, basis, sum(units) AS units, sum(charge) AS charge FROM entries
      GROUP BY run, sku, month, basis ORDER BY run, sku, month, basis`),
  );
  // Every item has one task or one "not applicable" per service.
  expect(
    select(`SELECT r.id FROM runs AS r WHERE r.items * 2
      <> r.not_applicable + (SELECT count(*) FROM tasks AS t WHERE t.run = r.seq)`),
  ).toEqual([]);
  // Answered and reused tasks have an answer, of their own key, and no others have.
  expect(
    select(`SELECT t.id FROM tasks AS t LEFT JOIN answers AS n ON n.id = t.answer
      WHERE (t.state IN ('answered', 'reused')) <> (n.id IS NOT NULL AND n.key = t.key)`),
  ).toEqual([]);
  checkPaidOnce();
}

function checkPaidOnce(): void {
  // All that was ever charged is the graduated sum of all units that were not uncertain.
  const [sum] = select<{ units: number; charge: number }>(
    "SELECT coalesce(sum(units), 0) AS units, coalesce(sum(charge), 0) AS charge FROM entries WHERE basis <> 'uncertain'",
  );
  const price = prices.skus.get('pai/basic');
  if (!price || !sum) throw new Error('expected a price and a sum');
  expect(BigInt(sum.charge)).toBe(graduatedSum(price, sum.units));
  // A run answers a key once, and only a run that disregards others answers one that was answered before.
  expect(
    select(`SELECT n.key FROM answers AS n JOIN runs AS r ON r.seq = n.run GROUP BY n.key
      HAVING count(*) > 1 + sum(r.is_fresh)`),
  ).toEqual([]);
}

test('any sequence of operations keeps the books straight', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      await openHere();
      try {
        const driver = new Driver();
        let entries: unknown[] = [];
        for (const one of steps) {
          await driver.take(one);
          checkTables();
          const now = select<unknown>('SELECT * FROM entries ORDER BY id');
          expect(now.slice(0, entries.length)).toEqual(entries);
          entries = now;
        }
      } finally {
        await removeHere();
      }
    }),
    { numRuns: 120 },
  );
});
