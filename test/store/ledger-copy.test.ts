/** A ledger that outgrew its file, copied into PostgreSQL. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ledger } from '../../src/domain/ledger.ts';
import type { CopyProgress } from '../../src/domain/ledger-copy.ts';
import type { PostgresAccess } from '../../src/domain/postgres.ts';
import { Stop } from '../../src/domain/problem.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { copyLedger } from '../../src/store/postgres/copy.ts';
import { openPostgresLedger } from '../../src/store/postgres-ledger.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { makeSchema, removeSchema } from '../support/postgres.ts';
import { describePostgres } from '../support/postgres-suite.ts';
import {
  answer,
  begin,
  HandClock,
  makeOpening,
  makePipeline,
  makePlanned,
  plan,
  prices,
  refusal,
} from './world.ts';

describePostgres('a copy of a ledger', (server) => {
  let access: PostgresAccess;
  let folder: string;
  let clock: HandClock;

  beforeEach(async () => {
    access = makeSchema(server.access);
    folder = await mkdtemp(join(tmpdir(), 'mediasweep-copy-'));
    clock = new HandClock();
  });

  afterEach(async () => {
    await removeSchema(access);
    await rm(folder, { recursive: true });
  });

  const openFile = () => openLedger({ folder, clock });
  const openCopy = () => openPostgresLedger({ access, clock: { ...systemClock, now: () => clock.now() } });
  const copy = (changes: Partial<Parameters<typeof copyLedger>[0]> = {}) =>
    copyLedger({
      folder,
      access,
      clock: systemClock,
      refuseStopped: () => undefined,
      watch: () => undefined,
      ...changes,
    });

  /** Everything that a ledger keeps, in two runs: the first has ended, the second is under way. */
  async function fill(): Promise<void> {
    const ledger = await openFile();
    const run = await ledger.openRun(makeOpening());
    const keys = ['a', 'b\0b', 'c\u0001', '好', '🎬', 'long'.repeat(900)];
    const planned = keys.map((key) => makePlanned(key, { services: ['quality', 'labels'] }));
    const media = { durationSeconds: 9 };
    const [first, ...rest] = planned;
    const tasks = await run.plan({
      items: [{ ...first!, contentId: 'content-a', media }, ...rest],
      unselected: 3,
      broken: [{ line: 7, message: 'a NUL \0 stands here' }],
      checkpoint: 'page 2',
      isLast: true,
    });
    for (const [index, task] of tasks.entries()) {
      const attempt = await begin(run, task);
      if (index % 4 === 0) await answer(run, attempt);
      if (index % 4 === 1) await run.transition([{ is: 'failed', attempt, refusal, isRemembered: true }]);
      if (index % 4 === 2) await run.transition([{ is: 'held', attempt, cause: 'read ECONNRESET' }]);
      if (index % 4 === 3) await run.transition([{ is: 'accepted', attempt, job: `job-${index}` }]);
    }
    await run.end({ state: 'finished', exitCode: 1, why: 'because', atMs: clock.now() + 1000 });
    await ledger.decide(
      [{ content: 'content-a', verdict: 'block', comment: 'no \0', item: 'media/a', run: run.record.id }],
      'me',
    );
    const next = await ledger.openRun(makeOpening({ pipeline: makePipeline({ name: 'weekly' }) }));
    await plan(next, planned);
    await ledger.close();
    // More money than a number holds exactly.
    const raw = new (await loadDriver())(join(folder, 'ledger.db'));
    raw.exec('UPDATE entries SET charge = 9007199254740993 WHERE id = 1');
    raw.close();
    await rm(join(folder, 'ledger.db.seal'));
  }

  async function tell(ledger: Ledger): Promise<unknown> {
    const runs = await ledger.listRuns(100);
    const told = [];
    for (const { id } of runs) {
      told.push([
        await ledger.readItems(id, undefined, 100),
        await ledger.countTasks(id),
        await ledger.readBill(id, prices),
        await ledger.readBroken(id, 100),
        await ledger.readSpending(id),
        await ledger.readArchived(id, 0, 100),
        await ledger.readTroubled(id, undefined, 100),
      ]);
    }
    return [
      runs,
      told,
      await ledger.readPositions(),
      await ledger.readUsage({}),
      await ledger.readItemUsage({}, 0, 1000),
      await ledger.listHeld(undefined),
      await ledger.listFailed(undefined),
      await ledger.listDecisions(undefined),
    ];
  }

  test('tells all that the file tells, and runs go on there where they were', async () => {
    await fill();
    const seen: CopyProgress[] = [];
    const copied = await copy({ watch: (progress) => seen.push(progress) });
    expect(copied.rows).toBe(seen.at(-1)?.rows);
    expect(copied.to).toMatch(/^postgres:\/\/tester@127\.0\.0\.1:\d+\/postgres/);
    const [file, other] = [await openFile(), await openCopy()];
    const [told, toldThere] = [await tell(file), await tell(other)];
    expect(toldThere).toEqual(told);
    expect(
      JSON.stringify(told, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
    ).toContain('9007199254740993');
    const [here, there] = await Promise.all(
      [file, other].map(async (ledger) => {
        const run = await ledger.openRun(makeOpening({ pipeline: makePipeline({ name: 'weekly' }) }));
        const ready = await run.readReady('quality', 0, 100);
        const attempts = [];
        for (const task of ready) attempts.push(await begin(run, task));
        return { isResumed: run.isResumed, ready, attempts };
      }),
    );
    expect(here?.isResumed).toBe(true);
    expect(there).toEqual(here);
    await file.close();
    await other.close();
  });

  test('is refused where something is there already, and where there is nothing to copy', async () => {
    await expect(copy()).rejects.toThrow(
      /there is none to copy\. Name the state folder that holds it with --state\./,
    );
    await fill();
    await copy();
    const failure = await copy().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Stop);
    expect(failure).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(
        /expected an empty ledger, found rows in "\w+"\. Name another schema or database/,
      ),
    });
  });

  test('that is stopped on its way leaves nothing, and is made whole the next time', async () => {
    await fill();
    let pages = 0;
    const refuseStopped = () => {
      pages += 1;
      if (pages > 5) throw new Stop(130, 'stopped');
    };
    await expect(copy({ refuseStopped })).rejects.toThrow('stopped');
    const client = new pg.Client({ ...server.access });
    await client.connect();
    const { rows } = await client.query(`SELECT count(*)::int AS count FROM "${access.schema}".runs`);
    await client.end();
    expect(rows).toEqual([{ count: 0 }]);
    expect((await copy()).rows).toBeGreaterThan(50);
  });

  test('finds the same tables and columns on both sides', async () => {
    await (await openFile()).close();
    await (await openCopy()).close();
    const raw = new (await loadDriver())(join(folder, 'ledger.db'));
    const ours = raw
      .prepare(
        `SELECT t.name || '.' || c.name AS name FROM sqlite_master AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'`,
      )
      .all() as { readonly name: string }[];
    raw.close();
    const client = new pg.Client({ ...server.access });
    await client.connect();
    const theirs = await client.query<{ name: string }>(
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
       WHERE table_schema = $1 AND table_name NOT IN ('counters', 'writers', 'ledger_version')`,
      [access.schema],
    );
    await client.end();
    const list = (rows: readonly { readonly name: string }[]) => rows.map(({ name }) => name).toSorted();
    expect(list(theirs.rows)).toEqual(list(ours));
  });
});
