/** Plays one schedule: its sessions one after the other on one ledger, and a last one in calm weather. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { type DispatchEnd, Dispatcher } from '../../src/dispatch/dispatcher.ts';
import type { Bench } from '../../src/dispatch/bench.ts';
import { explainNoLink, makeLinker } from '../../src/dispatch/link.ts';
import type { Item, SourcePage } from '../../src/domain/item.ts';
import type { ItemRow, RunLedger, TaskCount } from '../../src/domain/ledger.ts';
import { silentLog } from '../../src/domain/log.ts';
import type { PaceOffice } from '../../src/domain/pace.ts';
import type { Pipeline, ServiceUse } from '../../src/domain/settings.ts';
import { planTasks } from '../../src/plan/plan-tasks.ts';
import { type Database, openDatabase } from '../../src/store/sqlite/database.ts';
import { SqliteLedger } from '../../src/store/sqlite/sqlite-ledger.ts';
import { toyPrices } from '../support/toy-run.ts';
import { Chance } from './chance.ts';
import { calm, drawSchedule, type Schedule, type SessionPlan } from './schedule.ts';
import { SimClock } from './sim-clock.ts';
import { SimNetwork } from './sim-network.ts';
import { SimProcess } from './sim-process.ts';
import { SimVendor } from './sim-vendor.ts';

/** What a defect is planted in: the seams of a dispatch, as the process has them. */
export interface Seams {
  readonly run: RunLedger;
  /** The same, out of the reach of death. */
  readonly raw: RunLedger;
  readonly bench: Pick<Bench, 'clock' | 'http' | 'artifacts' | 'pace'>;
  readonly services: readonly ServiceUse[];
  readonly process: SimProcess;
  /** Takes back, after the process has ended, what a defect would not have written by then. */
  readonly undo: (work: () => Promise<void>) => void;
}
export type Plant = (seams: Seams) => Pick<Seams, 'run' | 'bench' | 'services'>;

/** All that is known of a schedule when it is over. */
export interface Played {
  readonly schedule: Schedule;
  readonly vendor: SimVendor;
  readonly network: SimNetwork;
  readonly rows: readonly ItemRow[];
  readonly counts: readonly TaskCount[];
  readonly lastEnd: DispatchEnd;
  readonly counters: { readonly items: number; readonly notApplicable: number };
  /** Over all runs of the ledger, by SKU. */
  readonly booked: Readonly<Record<string, { readonly known: number; readonly uncertain: number }>>;
  /** Answered attempts without the reply that proves them. */
  readonly unproved: number;
  /** Most elements that were in flight or ahead when one session ended, and how often one was killed. */
  readonly lostAtEnds: readonly { readonly lost: number; readonly isKill: boolean }[];
  readonly steps: number;
  readonly runs: number;
  /** What the caps still hold for calls under way. */
  readonly reserved: bigint;
}

/** A ledger in memory that behaves as a disk: the file system of /dev/shm where there is one. */
function makeRoot(): string {
  const shared = statSync('/dev/shm', { throwIfNoEntry: false });
  return mkdtempSync(join(shared?.isDirectory() ? '/dev/shm' : tmpdir(), 'mediasweep-simulation-'));
}

/** Where schedules are played; close it. */
export class Theatre {
  readonly #root = makeRoot();
  #played = 0;

  constructor() {
    openDatabase(join(this.#root, 'empty.db'), Sqlite).close();
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** @throws where a session neither ends nor goes on. */
  async play(seed: number, plant?: Plant, change = (schedule: Schedule) => schedule): Promise<Played> {
    this.#played += 1;
    const folder = join(this.#root, String(this.#played));
    mkdirSync(folder);
    // Copied rather than made: the tables of an empty ledger take longer than a session.
    copyFileSync(join(this.#root, 'empty.db'), join(folder, 'ledger.db'));
    try {
      const schedule = drawSchedule(seed);
      const played = await new Play(change(schedule), join(folder, 'ledger.db'), plant).toEnd();
      return { ...played, schedule };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

class Play {
  readonly #schedule: Schedule;
  readonly #path: string;
  readonly #plant: Plant;
  readonly #clock: SimClock;
  readonly #vendor: SimVendor;
  readonly #network: SimNetwork;
  readonly #lostAtEnds: { lost: number; isKill: boolean }[] = [];

  constructor(schedule: Schedule, path: string, plant: Plant = (seams) => seams) {
    this.#schedule = schedule;
    this.#path = path;
    this.#plant = plant;
    this.#clock = new SimClock(schedule.clockJumps);
    this.#vendor = new SimVendor(this.#clock);
    const chance = new Chance(schedule.seed ^ 0x5eed);
    this.#network = new SimNetwork(this.#clock, this.#vendor, chance, schedule.weather);
  }

  async toEnd(): Promise<Played> {
    for (const plan of this.#schedule.sessions) {
      await this.#play(plan);
      await this.#clock.drive(this.#clock.sleep(plan.downMs));
    }
    this.#network.weather = calm;
    const last = await this.#play({ losesQueue: false, startNew: false, downMs: 0 });
    if (!last) throw new Error('the last session did not end');
    return { ...(await this.#readLedger(last.id)), lastEnd: last.end };
  }

  /** Undefined where the process was killed. */
  async #play(plan: SessionPlan): Promise<{ readonly id: string; readonly end: DispatchEnd } | undefined> {
    const db = openDatabase(this.#path, Sqlite);
    const ledger = new SqliteLedger(db, () => this.#clock.now());
    const process = new SimProcess(this.#clock, this.#vendor.phantoms, plan.dieAt);
    const pipeline = makePipeline(this.#schedule);
    const nowMs = this.#clock.now();
    const run = await ledger.openRun({ pipeline, nowMs, billing: new Map(), startNew: plan.startNew });
    const undoing: (() => Promise<void>)[] = [];
    const pace = process.holdPace(run.sharePace({ clock: this.#clock, isAlive: async () => false }));
    const session = this.#dispatch(process, pipeline, run, pace, plan, (work) => undoing.push(work));
    const end = await this.#clock.drive(Promise.race([session, process.death.then(() => undefined)]));
    const isKill = process.isDead;
    process.end();
    this.#lostAtEnds.push({ lost: this.#network.hangUp(process), isKill });
    for (const undo of undoing) await undo();
    await closeLedger(ledger, db, isKill && plan.losesQueue && undoing.length === 0);
    return end && !isKill ? { id: run.record.id, end } : undefined;
  }

  async #dispatch(
    process: SimProcess,
    pipeline: Pipeline,
    raw: RunLedger,
    pace: PaceOffice,
    plan: SessionPlan,
    undo: (work: () => Promise<void>) => void,
  ): Promise<DispatchEnd> {
    const stop = new AbortController();
    const { stopAfterMs } = plan;
    if (stopAfterMs !== undefined) void process.clock.sleep(stopAfterMs).then(() => stop.abort());
    const { run, bench, services } = this.#plant({
      run: process.holdRun(raw),
      raw,
      bench: {
        clock: process.clock,
        http: this.#network.connect(process),
        pace,
        artifacts: {
          save: (bytes, extension, mediaType) =>
            process.act(async () => ({
              path: `artifacts/one.${extension}`,
              mediaType,
              bytes: bytes.byteLength,
            })),
        },
      },
      services: this.#schedule.services,
      process,
      undo,
    });
    const storage = {
      sign: async ({ key }: { readonly key: string }) => ({
        url: `https://store.example/${key}?X-Amz-Signature=${this.#clock.now()}`,
        expiresAt: this.#clock.now() + 3_600_000,
      }),
      head: async () => undefined,
      read: async () => new Uint8Array(),
    };
    const { items, pageSize, isRereadable, graceMs } = this.#schedule;
    const tools = {
      pipeline,
      run,
      probe: async () => ({ durationSeconds: 12 }),
      explainNoLink: (item: Item) => explainNoLink(item, pipeline.access),
      noteUnread: () => undefined,
      counters: { listed: 0, planned: 0, isListed: false },
    };
    const dispatcher = new Dispatcher({
      bench: {
        ...bench,
        run,
        pace: bench.pace,
        link: makeLinker(pipeline.access, storage, this.#clock),
        log: silentLog,
        deadlines: pipeline.deadlines,
        resendBelow: pipeline.resendBelow,
        hookUrl: ({ name }) => `https://hooks.example/${name}`,
        counters: { asked: 0, answered: 0, failed: 0, held: 0, overCap: 0, repeated: 0, released: 0 },
        stop: stop.signal,
      },
      services,
      feed: () => planTasks(pageItems(items, pageSize, isRereadable, run.checkpoint), tools),
      isRereadable,
      findUse: async ({ service }) => services.find(({ name }) => name === service),
      isAlive: async () => false,
      graceMs,
    });
    this.#vendor.onJobEnd = (account, ref) => {
      const use = this.#schedule.services.find((one) => one.account.name === account);
      if (use && !process.isDead) dispatcher.hint(use.account, ref);
    };
    const end = await dispatcher.run();
    if (end.feedError !== undefined) throw end.feedError;
    await run.end({ state: await this.#judgeState(end, run), exitCode: 0, why: '', atMs: this.#clock.now() });
    return end;
  }

  /** As the spine concludes: only a run that has nothing left to do is finished. */
  async #judgeState(end: DispatchEnd, run: RunLedger): Promise<'finished' | 'stopped'> {
    if (end.isStopped || end.halts.length > 0) return 'stopped';
    for (const { name } of this.#schedule.services) {
      if ((await run.readReady(name, 0, 1)).length > 0) return 'stopped';
    }
    return 'finished';
  }

  async #readLedger(id: string): Promise<Omit<Played, 'lastEnd'>> {
    const db = openDatabase(this.#path, Sqlite);
    const ledger = new SqliteLedger(db, () => this.#clock.now());
    try {
      const booked: Record<string, { known: number; uncertain: number }> = {};
      for (const record of await ledger.listRuns(100)) {
        for (const { sku, observed, estimated, uncertain } of await ledger.readBill(record.id, toyPrices)) {
          const sum = (booked[sku] ??= { known: 0, uncertain: 0 });
          sum.known += observed + estimated;
          sum.uncertain += uncertain;
        }
      }
      const unproved = db.get<{ count: number }>(
        `SELECT count(*) AS count FROM attempts WHERE state = 'answered' AND reply IS NULL`,
      );
      const record = await ledger.findRun(id);
      const held = db.get<{ reserved: string }>(
        'SELECT CAST(coalesce(sum(reserved), 0) AS TEXT) AS reserved FROM spending',
      );
      return {
        schedule: this.#schedule,
        vendor: this.#vendor,
        network: this.#network,
        rows: await ledger.readItems(id, undefined, 1000),
        counts: await ledger.countTasks(id),
        counters: record?.counters ?? { items: 0, notApplicable: 0 },
        booked,
        unproved: unproved?.count ?? 0,
        lostAtEnds: this.#lostAtEnds,
        steps: this.#clock.steps,
        runs: (await ledger.listRuns(100)).length,
        reserved: BigInt(held?.reserved ?? 0),
      };
    } finally {
      await ledger.close();
    }
  }
}

/** Of a dead process: either the group that waited was still committed, or it was not. */
async function closeLedger(ledger: SqliteLedger, db: Database, losesQueue: boolean): Promise<void> {
  if (!losesQueue) {
    await ledger.close();
    return;
  }
  db.close();
  // The queue's turn comes to a closed database.
  await new Promise((resolve) => setImmediate(resolve));
}

async function* pageItems(
  items: readonly Item[],
  pageSize: number,
  isRereadable: boolean,
  checkpoint?: string,
): AsyncGenerator<SourcePage> {
  for (let start = Number(checkpoint ?? 0); start === 0 || start < items.length; start += pageSize) {
    const end = start + pageSize;
    yield {
      items: items.slice(start, end),
      unselected: 0,
      broken: [],
      checkpoint: isRereadable ? String(end) : undefined,
      isLast: end >= items.length,
    };
  }
}

function makePipeline({ services, caps }: Schedule): Pipeline {
  return {
    name: 'simulation',
    path: '/simulation/simulation.yaml',
    source: { form: 'bucket', storage: 'main', bucket: 'media', prefixes: [''] },
    select: { include: [], exclude: [], kinds: [] },
    access: { mode: 'presigned', expiresInSeconds: 3600 },
    services,
    policy: { name: 'none', rules: [] },
    reports: { formats: ['csv'], timezone: 'Asia/Shanghai', excel: true, language: 'en' },
    reuse: { by: 'content', retryFailedAfterMs: 30 * 86_400_000 },
    resendBelow: 100_000_000n,
    notify: [],
    deadlines: { callMs: 100_000, syncCallMs: 100_000, jobMs: 20 * 3_600_000 },
    storages: new Map(),
    prices: toyPrices,
    caps,
    hash: 'hash',
    shapeHash: 'shape',
    written: {},
  };
}
