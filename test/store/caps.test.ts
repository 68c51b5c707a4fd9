/** Caps held by reservation: what fits, what counts, and that nothing ever passes, whichever process writes. */
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CapStand, isPassed } from '../../src/domain/caps.ts';
import type { Attempt, Intent, Ledger, RunLedger, Transition } from '../../src/domain/ledger.ts';
import type { Nano, PriceBook, Tier } from '../../src/domain/pricing.ts';
import type { Task } from '../../src/domain/task.ts';
import type { Usage } from '../../src/domain/usage.ts';
import type { Database } from '../../src/store/sql/database.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { type LedgerKind, type LedgerPlace, listLedgers } from '../support/ledgers.ts';
import { describeReal } from '../support/server.ts';
import {
  answer,
  begin,
  finding,
  HandClock,
  hourMs,
  intend,
  makeBilling,
  makeOpening,
  makePipeline,
  makePlanned,
  type PipelineChanges,
  plan,
  readStates,
  refusal,
  startMs,
} from './world.ts';

const Sqlite = await loadDriver();

const cent = 10_000_000n;

function makeBook(tiers: readonly Tier[], more: { per?: number; free?: number } = {}): PriceBook {
  const zone = { currency: 'CNY', timezone: 'Asia/Shanghai' };
  const price = { sku: 'pai/basic', unit: 'call', per: more.per ?? 1, tiers, ...zone };
  const free = more.free === undefined ? {} : { free: { units: more.free, per: 'once' as const } };
  return { ...zone, skus: new Map([['pai/basic', { ...price, ...free }]]) };
}

/** Each unit costs 0.01 CNY. */
const flat = makeBook([{ price: cent }]);

const calls = (count: number): Usage => ({ units: { 'pai/basic': count }, basis: 'observed' });

const ledgers = listLedgers();
const [onFile] = ledgers as readonly [LedgerKind];

class Place {
  readonly at: LedgerPlace;
  readonly clock = new HandClock();
  readonly #open: Ledger[] = [];

  private constructor(at: LedgerPlace) {
    this.at = at;
  }

  static async make(kind: LedgerKind = onFile): Promise<Place> {
    const place = new Place(await kind.makePlace());
    onTestFinished(() => place.remove());
    return place;
  }

  async remove(): Promise<void> {
    for (const ledger of this.#open.splice(0)) await ledger.close().catch(() => undefined);
    await this.at.remove();
  }

  async open(): Promise<Ledger> {
    const ledger = await this.at.open(this.clock);
    this.#open.push(ledger);
    return ledger;
  }

  async openRun(changes: PipelineChanges, more: Parameters<typeof makeOpening>[0] = {}): Promise<RunLedger> {
    const ledger = await this.open();
    const pipeline = makePipeline({ prices: flat, ...changes });
    return await ledger.openRun(makeOpening({ pipeline, nowMs: this.clock.nowMs, ...more }));
  }
}

function planUnits(run: RunLedger, prefix: string, units: readonly number[]) {
  return plan(
    run,
    units.map((count, index) => makePlanned(`${prefix}-${index}`, { usage: calls(count) })),
  );
}

function nameIntents(intents: readonly Intent[]): readonly string[] {
  return intents.map((intent) => (intent.is === 'settled' ? intent.state : intent.is));
}

const stand = (run: RunLedger, name: string): CapStand => {
  const found = run.spending.caps.find((cap) => cap.name === name);
  if (!found) throw new Error(`no cap ${name}`);
  return found;
};

describe('a cap', () => {
  test('lets tasks that fit go, ends those that do not as over-cap, and smaller ones after them may still go', async () => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 10n * cent } });
    const tasks = await planUnits(run, 'a', [4, 5, 2, 1, 1]);
    expect(nameIntents(await intend(run, tasks))).toEqual([
      'intended',
      'intended',
      'over-cap',
      'intended',
      'over-cap',
    ]);
    expect(stand(run, 'caps.run')).toMatchObject({ spent: 0n, reserved: 10n * cent, limit: 10n * cent });
    const ledger = await place.open();
    expect(await ledger.countTasks(run.record.id)).toContainEqual({
      service: 'quality',
      state: 'over-cap',
      reason: 'caps.run',
      count: 2,
    });
  });

  test('keeps who may wait only from what is spent: what is merely reserved comes back', async () => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 3n * cent } });
    const [first, second, third, fourth] = await planUnits(run, 'a', [2, 2, 1, 4]);
    const ask = async (tasks: readonly (Task | undefined)[], mayWait?: boolean) =>
      await intend(
        run,
        tasks.flatMap((task) => task ?? []),
        startMs,
        mayWait,
      );
    const [begun] = await ask([first], false);
    expect(nameIntents(await ask([second], true))).toEqual(['crowded']);
    // What no call can ever give room ends at once, and nobody waits where nothing is under way.
    expect(nameIntents(await ask([fourth], true))).toEqual(['over-cap']);
    if (begun?.is !== 'intended') throw new Error('the first task fits');
    await run.transition([{ is: 'unsent', attempt: begun.attempt, cause: 'refused' }]);
    expect(nameIntents(await ask([second, first, third], false))).toEqual([
      'intended',
      'crowded',
      'intended',
    ]);
    expect(nameIntents(await ask([first], false))).toEqual(['over-cap']);
  });

  test('that was raised lets the tasks over it go when the run goes on, and what was spent still counts', async () => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 3n * cent } });
    const tasks = await planUnits(run, 'a', [1, 1, 1, 1, 1]);
    for (const intent of await intend(run, tasks))
      if (intent.is === 'intended') await answer(run, intent.attempt);
    await run.end({ state: 'stopped', exitCode: 4, why: 'stopped at the cap', atMs: startMs });
    const next = await place.openRun({ caps: { run: 4n * cent } });
    expect(next.isResumed).toBe(true);
    expect(stand(next, 'caps.run')).toMatchObject({ spent: 3n * cent, reserved: 0n });
    const ready = await next.readReady('quality', 0, 10);
    expect(nameIntents(await intend(next, ready))).toEqual(['intended', 'over-cap']);
  });

  const ends: readonly {
    readonly name: string;
    readonly transition: (attempt: Attempt) => Transition;
    readonly spent: Nano;
    readonly reserved?: Nano;
  }[] = [
    {
      name: 'an answer',
      transition: (attempt) => ({ is: 'answered', attempt, finding, usage: attempt.usage }),
      spent: 4n,
    },
    {
      name: 'a free refusal',
      transition: (attempt) => ({ is: 'failed', attempt, refusal, isRemembered: false }),
      spent: 0n,
    },
    {
      name: 'a failure that is billed',
      transition: (attempt) => ({
        is: 'failed',
        attempt,
        refusal,
        isRemembered: false,
        booked: attempt.usage,
      }),
      spent: 4n,
    },
    {
      name: 'a slow-down',
      transition: (attempt) => ({ is: 'again', attempt, refusal, costsAttempt: false }),
      spent: 0n,
    },
    {
      name: 'a call that never left',
      transition: (attempt) => ({ is: 'unsent', attempt, cause: 'refused' }),
      spent: 0n,
    },
    {
      name: 'a call that may have been billed and is sent again',
      transition: (attempt) => ({ is: 'resend', attempt, cause: 'reset' }),
      spent: 4n,
    },
    { name: 'a held call', transition: (attempt) => ({ is: 'held', attempt, cause: 'reset' }), spent: 4n },
    {
      name: 'a job',
      transition: (attempt) => ({ is: 'accepted', attempt, job: 'job-1' }),
      spent: 0n,
      reserved: 4n,
    },
  ];
  test.each(ends)('counts $name as it is', async ({ transition, spent, reserved = 0n }) => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 10n * cent } });
    const [task] = await planUnits(run, 'a', [4]);
    await run.transition([transition(await begin(run, task))]);
    expect(stand(run, 'caps.run')).toMatchObject({ spent: spent * cent, reserved: reserved * cent });
    expect(run.spending).toMatchObject({ spent: spent * cent, reserved: reserved * cent });
  });

  test('counts the intents of a dead run until they are settled', async () => {
    const place = await Place.make();
    const caps = { month: 5n * cent };
    const dead = await place.openRun({ caps });
    await begin(dead, (await planUnits(dead, 'a', [4]))[0]);
    const run = await place.openRun({ caps }, { startNew: true });
    const [task] = await planUnits(run, 'b', [4]);
    expect(stand(run, 'caps.month')).toMatchObject({ reserved: 4n * cent });
    expect(nameIntents(await intend(run, [task as NonNullable<typeof task>]))).toEqual(['over-cap']);
    const [orphan] = await run.readOrphans(0, 10);
    await run.transition([{ is: 'unsent', attempt: orphan as Attempt, cause: 'never arrived' }]);
    expect(stand(run, 'caps.month')).toMatchObject({ spent: 0n, reserved: 0n });
  });

  test('on units bounds each SKU of a run alone, also where it has no price', async () => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 100n * cent, units: { 'pai/advanced': 5 } } });
    const usages = [3, 3, 2].map(
      (count): Usage => ({ units: { 'pai/advanced': count, 'pai/basic': 1 }, basis: 'observed' }),
    );
    const tasks = await plan(
      run,
      usages.map((usage, index) => makePlanned(`a-${index}`, { usage })),
    );
    expect(nameIntents(await intend(run, tasks))).toEqual(['intended', 'over-cap', 'intended']);
    expect(stand(run, 'caps.units.pai/advanced')).toMatchObject({
      reserved: 5n,
      limit: 5n,
      sku: 'pai/advanced',
    });
    expect(nameIntents(await intend(run, await planUnits(run, 'b', [1])))).toEqual(['intended']);
  });

  test('on money lets nothing go whose price is unknown and whose units no cap bounds', async () => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 100n * cent } });
    const usage: Usage = { units: { 'pai/advanced': 1 }, basis: 'observed' };
    expect(nameIntents(await intend(run, await plan(run, [makePlanned('a', { usage })])))).toEqual([
      'over-cap',
    ]);
  });

  test('of a month ends with the month of the price book’s zone, in which the call was sent', async () => {
    const place = await Place.make();
    // 15:59:59Z on the last of November is 23:59:59 in Shanghai.
    place.clock.nowMs = Date.parse('2026-11-30T15:59:59Z');
    const run = await place.openRun({ caps: { month: 5n * cent } });
    const [first, second, third] = await planUnits(run, 'a', [5, 5, 1]);
    const attempt = await begin(run, first, place.clock.nowMs);
    const intendNow = (task: typeof second) =>
      intend(run, [task as NonNullable<typeof task>], place.clock.nowMs);
    expect(nameIntents(await intendNow(third))).toEqual(['over-cap']);
    place.clock.nowMs += 1000;
    expect(nameIntents(await intendNow(second))).toEqual(['intended']);
    // An answer that comes in December belongs to November.
    await answer(run, attempt);
    expect(stand(run, 'caps.month')).toMatchObject({ spent: 0n, reserved: 5n * cent });
  });

  test('of a pipeline’s month covers all its runs, and none of another pipeline', async () => {
    const place = await Place.make();
    const caps = { month: 5n * cent };
    const first = await place.openRun({ caps });
    await answer(first, await begin(first, (await planUnits(first, 'a', [4]))[0]));
    await first.end({ state: 'finished', exitCode: 0, why: 'finished', atMs: startMs });
    const second = await place.openRun({ caps });
    const other = await place.openRun({ caps, name: 'weekly' });
    expect(nameIntents(await intend(second, await planUnits(second, 'b', [2])))).toEqual(['over-cap']);
    expect(nameIntents(await intend(other, await planUnits(other, 'c', [5])))).toEqual(['intended']);
  });

  test('of an account covers everything on the ledger for it, and stand-ins are counted apart', async () => {
    const place = await Place.make();
    const accountCap = 5n * cent;
    const [nightly, weekly] = [
      await place.openRun({ accountCap }),
      await place.openRun({ accountCap, name: 'weekly' }),
    ];
    const played = await place.openRun({ accountCap, name: 'played', isLoopback: true });
    expect(nameIntents(await intend(nightly, await planUnits(nightly, 'a', [3])))).toEqual(['intended']);
    expect(nameIntents(await intend(weekly, await planUnits(weekly, 'b', [3, 2])))).toEqual([
      'over-cap',
      'intended',
    ]);
    expect(nameIntents(await intend(played, await planUnits(played, 'c', [5])))).toEqual(['intended']);
    expect(stand(weekly, 'accounts.pai-prod.caps.month')).toMatchObject({ reserved: 5n * cent });
    const ledger = await place.open();
    expect(await ledger.countTasks(weekly.record.id)).toContainEqual({
      service: 'quality',
      state: 'over-cap',
      reason: 'accounts.pai-prod.caps.month',
      count: 1,
    });
  });

  test('that is passed by more units than were reserved books them, names the overrun and lets nothing go', async () => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 10n * cent } });
    const [first, second, third] = await planUnits(run, 'a', [4, 4, 1]);
    const attempt = await begin(run, first);
    await begin(run, second);
    await answer(run, attempt, calls(7));
    expect(run.spending.overrun).toEqual({ 'pai/basic': 3 });
    expect(isPassed(stand(run, 'caps.run'))).toBe(true);
    expect(nameIntents(await intend(run, [third as NonNullable<typeof third>]))).toEqual(['over-cap']);
    await run.end({ state: 'stopped', exitCode: 4, why: 'stopped at the cap', atMs: startMs });
    const ledger = await place.open();
    expect(await ledger.readSpending(run.record.id)).toMatchObject({
      spent: 7n * cent,
      reserved: 4n * cent,
      currency: 'CNY',
      overrun: { 'pai/basic': 3 },
      caps: [{ name: 'caps.run', spent: 7n * cent, reserved: 4n * cent, limit: 10n * cent }],
    });
  });

  test('reserves nothing for tasks that are reused or wait for another', async () => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 1n * cent } });
    const [first, second] = await plan(run, [
      makePlanned('a', { content: 'same' }),
      makePlanned('b', { content: 'same' }),
    ]);
    const attempt = await begin(run, first);
    expect(nameIntents(await intend(run, [second as NonNullable<typeof second>]))).toEqual(['waiting']);
    expect(stand(run, 'caps.run')).toMatchObject({ reserved: 1n * cent });
    await answer(run, attempt);
    const ledger = await place.open();
    expect(await readStates(ledger, run.record.id)).toEqual(['a quality answered', 'b quality reused']);
    expect(stand(run, 'caps.run')).toMatchObject({ spent: 1n * cent, reserved: 0n });
  });

  test('stands as the run’s end left it, whatever later runs spend', async () => {
    const place = await Place.make();
    const caps = { month: 9n * cent };
    const first = await place.openRun({ caps });
    await answer(first, await begin(first, (await planUnits(first, 'a', [4]))[0]));
    await first.end({ state: 'finished', exitCode: 0, why: 'finished', atMs: startMs });
    const second = await place.openRun({ caps });
    await answer(second, await begin(second, (await planUnits(second, 'b', [5]))[0]));
    const ledger = await place.open();
    const months = await Promise.all(
      [first, second].map(async (run) => (await ledger.readSpending(run.record.id)).caps[0]?.spent),
    );
    expect(months).toEqual([4n * cent, 9n * cent]);
  });
});

/** What full scans of the ledger's tables find, against which the running sums are held. */
async function scan(db: Database): Promise<Map<string, { spent: bigint; reserved: bigint; units: number }>> {
  const sums = new Map<string, { spent: bigint; reserved: bigint; units: number }>();
  const add = (key: string, spent: bigint, reserved: bigint, units: number) => {
    const sum = sums.get(key) ?? { spent: 0n, reserved: 0n, units: 0 };
    sums.set(key, { spent: sum.spent + spent, reserved: sum.reserved + reserved, units: sum.units + units });
  };
  const rows = await db.all<{
    run: number;
    account: string;
    state: string;
    reserved: string;
    pipeline: string;
    charge: string;
    used: number;
  }>(
    `SELECT a.id, a.run, a.account, a.state, a.reserved, r.pipeline,
         (SELECT CAST(coalesce(sum(charge), 0) AS TEXT) FROM entries AS e WHERE e.attempt = a.id) AS charge,
         (SELECT coalesce(sum(units), 0) FROM entries AS e WHERE e.attempt = a.id) AS used
       FROM attempts AS a JOIN runs AS r ON r.seq = a.run`,
  );
  for (const row of rows) {
    const { month, skus } = JSON.parse(row.reserved) as {
      month: string;
      skus: Record<string, [number, string]>;
    };
    const [units = 0, amount = '0'] = skus['pai/basic'] ?? [];
    const isOpen = row.state === 'intent' || row.state === 'accepted';
    const isUncertain = row.state === 'held' || row.state === 'resend';
    const spent = isUncertain ? BigInt(amount) : BigInt(row.charge);
    const reserved = isOpen ? BigInt(amount) : 0n;
    for (const key of [
      `run ${row.run} `,
      `pipeline ${row.pipeline} ${month}`,
      `account ${row.account} ${month}`,
    ]) {
      add(key, spent, reserved, isOpen ? units : row.used);
    }
  }
  return new Map([...sums].filter(([, { spent, reserved, units }]) => spent + reserved > 0n || units > 0));
}

interface Step {
  readonly pipeline: 0 | 1;
  readonly does:
    | 'intend'
    | 'answer'
    | 'more'
    | 'refuse'
    | 'bill'
    | 'accept'
    | 'hold'
    | 'resend'
    | 'unsend'
    | 'crash'
    | 'later';
  readonly units: readonly number[];
  readonly pick: number;
}

const stepOf = (does: readonly Step['does'][]) =>
  fc.record({
    pipeline: fc.constantFrom(0 as const, 1 as const),
    does: fc.constantFrom(...does),
    units: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
    pick: fc.nat(1000),
  });

const cents = (most: number) => fc.integer({ min: 0, max: most }).map((count) => BigInt(count) * cent);

const worlds = {
  caps: fc.record({
    run: cents(60),
    month: cents(80),
    units: fc.record({ 'pai/basic': fc.integer({ min: 0, max: 80 }) }),
  }),
  accountCap: cents(120),
  book: fc.record({
    per: fc.constantFrom(1, 3, 100),
    widths: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 3 }),
    prices: fc.array(fc.constantFrom(0n, 1n, cent / 2n, cent, 3n * cent, 100n * cent + 1n), {
      minLength: 4,
      maxLength: 4,
    }),
    free: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  }),
  pack: fc.option(
    fc.record({ units: fc.integer({ min: 1, max: 20 }), cost: fc.bigInt({ min: 0n, max: 50n * cent }) }),
  ),
};

function makeTiers(widths: readonly number[], prices: readonly Nano[]): readonly Tier[] {
  let upTo = 0;
  const bounded = widths.map((width, index): Tier => {
    upTo += width;
    return { upTo, price: prices[index] as Nano };
  });
  return [...bounded, { price: prices.at(-1) as Nano }];
}

/** Two processes, each with its pipeline, its run and its open attempts, on one ledger. */
class Pair {
  readonly #place: Place;
  readonly #settings: readonly PipelineChanges[];
  readonly #billing: ReturnType<typeof makeBilling>;
  readonly runs: RunLedger[] = [];
  readonly open: Attempt[][] = [[], []];
  #made = 0;
  refused = 0;

  constructor(place: Place, settings: readonly PipelineChanges[], billing: ReturnType<typeof makeBilling>) {
    this.#place = place;
    this.#settings = settings;
    this.#billing = billing;
  }

  async start(which: number): Promise<void> {
    const settings = this.#settings[which] as PipelineChanges;
    this.runs[which] = await this.#place.openRun(settings, { billing: this.#billing });
  }

  async perform({ pipeline, does, units, pick }: Step): Promise<void> {
    const run = this.runs[pipeline] as RunLedger;
    const open = this.open[pipeline] as Attempt[];
    if (does === 'intend') {
      this.#made += 1;
      const tasks = await planUnits(run, `${pipeline}-${this.#made}`, units);
      for (const intent of await intend(run, tasks, this.#place.clock.nowMs)) {
        if (intent.is === 'intended') open.push(intent.attempt);
        else this.refused += 1;
      }
      return;
    }
    if (does === 'later') {
      this.#place.clock.nowMs += pick * hourMs;
      return;
    }
    if (does === 'crash') {
      // Another process takes the run up; what the dead one had open is settled by asking, or is not.
      await this.start(pipeline);
      return;
    }
    const [attempt] = open.length === 0 ? [] : open.splice(pick % open.length, 1);
    if (!attempt) return;
    if (does === 'accept') open.push({ ...attempt, state: 'accepted', job: `job-${attempt.id}` });
    await (this.runs[pipeline] as RunLedger).transition([makeTransition(does, attempt, units)]);
  }
}

function makeTransition(does: Step['does'], attempt: Attempt, units: readonly number[]): Transition {
  switch (does) {
    case 'more':
      return {
        is: 'answered',
        attempt,
        finding,
        usage: calls((attempt.usage.units['pai/basic'] ?? 0) + (units[0] ?? 0)),
      };
    case 'refuse':
      return { is: 'again', attempt, refusal, costsAttempt: true };
    case 'bill':
      return { is: 'failed', attempt, refusal, isRemembered: false, booked: attempt.usage };
    case 'accept':
      return { is: 'accepted', attempt, job: `job-${attempt.id}` };
    case 'hold':
      return { is: 'held', attempt, cause: 'reset' };
    case 'resend':
      return { is: 'resend', attempt, cause: 'reset' };
    case 'unsend':
      return { is: 'unsent', attempt, cause: 'refused' };
    case 'answer':
    case 'intend':
    case 'crash':
    case 'later':
      return { is: 'answered', attempt, finding, usage: attempt.usage };
  }
}

async function withPair(
  kind: LedgerKind,
  world: {
    caps: PipelineChanges['caps'];
    accountCap: Nano;
    book: PriceBook;
    pack: { units: number; cost: Nano } | null;
  },
  use: (pair: Pair, db: Database) => Promise<void>,
): Promise<void> {
  const place = await Place.make(kind);
  const { caps, accountCap, book: prices, pack } = world;
  const packs = pack ? [{ ...pack, expires: '2026-11-25' }] : [];
  const settings = ['nightly', 'weekly'].map(
    (name) => ({ name, caps, accountCap, prices }) as PipelineChanges,
  );
  const pair = new Pair(place, settings, makeBilling({ packs }));
  await pair.start(0);
  await pair.start(1);
  const db = await place.at.look();
  try {
    await use(pair, db);
  } finally {
    await db.close();
    await place.remove();
  }
}

describe.each(ledgers)('over any sequence of intents, ends and crashes in two processes on $name', (kind) => {
  describeReal(kind.name, kind.missing, () => holdCaps(kind));
});

/** `MEDIASWEEP_FUZZ` tries so many times as many. */
function holdCaps(kind: LedgerKind): void {
  const numRuns = Math.ceil((80 * Number(process.env['MEDIASWEEP_FUZZ'] ?? 1)) / kind.pains);

  test('spent + reserved never pass a cap, to the nano, and the running sums are those of a full scan', async () => {
    let refused = 0;
    let most = 0;
    const does = [
      'intend',
      'intend',
      'intend',
      'answer',
      'refuse',
      'bill',
      'accept',
      'hold',
      'resend',
      'unsend',
      'crash',
      'later',
    ] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.record(worlds),
        fc.array(stepOf(does), { minLength: 10, maxLength: 50 }),
        async ({ caps, accountCap, book, pack }, steps) => {
          const { per, widths, prices, free } = book;
          const priced = makeBook(makeTiers(widths, prices), { per, ...(free !== undefined && { free }) });
          await withPair(kind, { caps, accountCap, book: priced, pack }, async (pair, db) => {
            for (const step of steps) {
              await pair.perform(step);
              const scanned = await scan(db);
              for (const [key, { spent, reserved, units }] of scanned) {
                const limit = key.startsWith('run')
                  ? caps.run
                  : key.startsWith('pipeline')
                    ? caps.month
                    : accountCap;
                expect(spent + reserved).toBeLessThanOrEqual(limit);
                const bound = key.startsWith('run') ? caps.units['pai/basic'] : Number.POSITIVE_INFINITY;
                expect(units).toBeLessThanOrEqual(bound);
                if (spent + reserved === limit) most += 1;
              }
              expect(await readSums(db)).toEqual(scanned);
            }
            refused += pair.refused;
          });
        },
      ),
      { numRuns },
    );
    // The sequences must come to the caps, else they would show nothing.
    expect(refused).toBeGreaterThan(numRuns < 80 ? -1 : 100);
    expect(most).toBeGreaterThan(numRuns < 80 ? -1 : 0);
  }, 240_000);

  test('more units than reserved are booked to the nano, and nothing goes under a cap that they passed', async () => {
    let passed = 0;
    const does = ['intend', 'intend', 'more', 'answer', 'unsend', 'crash'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.record(worlds),
        fc.array(stepOf(does), { minLength: 10, maxLength: 40 }),
        async ({ caps, accountCap, book, pack }, steps) => {
          const priced = makeBook(makeTiers(book.widths, book.prices), { per: book.per });
          await withPair(kind, { caps, accountCap, book: priced, pack }, async (pair, db) => {
            for (const step of steps) {
              const before = (pair.open[step.pipeline] as Attempt[]).length;
              const run = pair.runs[step.pipeline] as RunLedger;
              // The other process may have given back what passed a cap: a commit of one's own tells.
              await run.releaseWaiting();
              const closed = run.spending.caps.filter(isPassed).length > 0;
              await pair.perform(step);
              const isRefused = closed && step.does === 'intend';
              const after = (pair.open[step.pipeline] as Attempt[]).length;
              expect(isRefused ? after : before).toBe(before);
              if (isRefused) passed += 1;
              expect(await readSums(db)).toEqual(await scan(db));
            }
          });
        },
      ),
      { numRuns },
    );
    expect(passed).toBeGreaterThan(numRuns < 80 ? -1 : 10);
  }, 240_000);
}

/** The ledger's own sums, in the form of `scan`; sums of nothing are left out. */
async function readSums(db: Database) {
  const rows = await db.all<{
    scope: string;
    name: string;
    month: string;
    spent: string;
    reserved: string;
    units: number;
  }>(
    `SELECT scope, name, month, CAST(spent AS TEXT) AS spent, CAST(reserved AS TEXT) AS reserved,
         spent_units + reserved_units AS units FROM spending
       WHERE spent <> 0 OR reserved <> 0 OR spent_units + reserved_units <> 0`,
  );
  return new Map(
    rows.map(({ scope, name, month, spent, reserved, units }) => [
      `${scope} ${name} ${month}`,
      { spent: BigInt(spent), reserved: BigInt(reserved), units },
    ]),
  );
}

describe('a held call that a person settles', () => {
  test.each([
    { how: 'forget' as const, claim: 'counts under no cap any more, and leaves the bill', left: 0 },
    { how: 'resend' as const, claim: 'stays on the bill, and inside every cap', left: 4 },
  ])('by held $how $claim', async ({ how, left }) => {
    const place = await Place.make();
    const changes = { caps: { run: 9n * cent, month: 9n * cent }, accountCap: 9n * cent };
    const run = await place.openRun(changes);
    const [task, other] = await planUnits(run, 'a', [4, 1]);
    await run.transition([{ is: 'held', attempt: await begin(run, task), cause: 'reset' }]);
    await answer(run, await begin(run, other));
    const ledger = await place.open();
    expect(await ledger.settleHeld(undefined, how)).toHaveLength(1);
    expect(await ledger.settleHeld(undefined, how)).toHaveLength(0);
    const resumed = await place.openRun(changes);
    expect(resumed.record.id).toBe(run.record.id);
    const spent = BigInt(left + 1) * cent;
    expect(resumed.spending.caps.map((cap) => [cap.spent, cap.reserved])).toEqual(Array(3).fill([spent, 0n]));
    expect(await ledger.readBill(run.record.id, flat)).toMatchObject([
      { sku: 'pai/basic', observed: 1, uncertain: left, charge: cent },
    ]);
  });
});

describe('a call that is asked for again', () => {
  const services = [{ service: 'quality', account: 'pai-prod' }];

  test('counts as spent while it is held, as reserved while it is looked for, and as what it was in the end', async () => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 9n * cent } });
    const [task] = await planUnits(run, 'a', [4]);
    const attempt = await begin(run, task);
    await run.transition([{ is: 'held', attempt, cause: 'nobody could be asked', isAskable: true }]);
    expect(stand(run, 'caps.run')).toMatchObject({ spent: 4n * cent, reserved: 0n });
    expect(await run.reopenAskable(services)).toBe(1);
    expect(stand(run, 'caps.run')).toMatchObject({ spent: 0n, reserved: 4n * cent });
    await answer(run, attempt);
    expect(stand(run, 'caps.run')).toMatchObject({ spent: 4n * cent, reserved: 0n });
  });

  test('never arrived, and gives back what it held', async () => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 9n * cent } });
    const [task] = await planUnits(run, 'a', [4]);
    const attempt = await begin(run, task);
    await run.transition([{ is: 'held', attempt, cause: 'nobody could be asked', isAskable: true }]);
    await run.reopenAskable(services);
    await run.transition([{ is: 'unsent', attempt, cause: 'in no list' }]);
    expect(stand(run, 'caps.run')).toMatchObject({ spent: 0n, reserved: 0n });
  });

  test('past its deadline stays spent, and is spent once when its job ends after all', async () => {
    const place = await Place.make();
    const run = await place.openRun({ caps: { run: 9n * cent } });
    const [task] = await planUnits(run, 'a', [4]);
    const attempt = await begin(run, task);
    await run.transition([{ is: 'accepted', attempt, job: 'job-1' }]);
    const overdue = {
      is: 'failed',
      attempt,
      refusal,
      isRemembered: true,
      isAskable: true,
      booked: attempt.usage,
    } as const;
    await run.transition([overdue]);
    expect(stand(run, 'caps.run')).toMatchObject({ spent: 4n * cent, reserved: 0n });
    expect(await run.reopenAskable(services)).toBe(1);
    expect(stand(run, 'caps.run')).toMatchObject({ spent: 4n * cent, reserved: 0n });
    await answer(run, attempt);
    expect(stand(run, 'caps.run')).toMatchObject({ spent: 4n * cent, reserved: 0n });
  });
});

test('a ledger of a time before there were caps counts what it had booked by then', async () => {
  const place = await Place.make();
  const first = await place.openRun({});
  const [task, other] = await planUnits(first, 'a', [4, 2]);
  await answer(first, await begin(first, task));
  await begin(first, other);
  const db = await place.at.look();
  await db.close();
  const raw = new Sqlite(db.name);
  // As the migrations before caps left it.
  raw.exec(
    'DROP TABLE spending; ALTER TABLE attempts DROP COLUMN reserved; ALTER TABLE runs DROP COLUMN caps',
  );
  raw.exec('ALTER TABLE runs DROP COLUMN spending; ALTER TABLE items DROP COLUMN content');
  raw.exec(
    'DROP TABLE decisions; DROP TABLE canary; DROP TABLE pace; DROP TABLE shards; PRAGMA user_version = 2',
  );
  raw.exec('ALTER TABLE runs DROP COLUMN plan; ALTER TABLE runs DROP COLUMN canary');
  raw.exec(
    'CREATE TABLE old AS SELECT run, account, is_loopback, sku, substr(day, 1, 7) AS month, basis, units, free, pack, charge, incomplete FROM totals; DROP TABLE totals; ALTER TABLE old RENAME TO totals',
  );
  raw.close();
  const run = await place.openRun({ caps: { run: 9n * cent, month: 9n * cent }, accountCap: 9n * cent });
  expect(run.isResumed).toBe(true);
  expect(run.spending.caps.map(({ spent, reserved }) => [spent, reserved])).toEqual(
    Array(3).fill([4n * cent, 0n]),
  );
  const [orphan] = await run.readOrphans(0, 10);
  await answer(run, orphan as Attempt);
  expect(run.spending.caps.map(({ spent, reserved }) => [spent, reserved])).toEqual(
    Array(3).fill([6n * cent, 0n]),
  );
  expect(run.spending.overrun).toEqual({});
});
