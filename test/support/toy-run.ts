/** A whole dispatch of toy services over a real ledger, a virtual network and virtual time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type DispatchEnd, Dispatcher } from '../../src/dispatch/dispatcher.ts';
import { makeUseFinder } from '../../src/dispatch/former-use.ts';
import { explainNoLink, makeLinker } from '../../src/dispatch/link.ts';
import type { Caps, Spending } from '../../src/domain/caps.ts';
import type { Http } from '../../src/domain/exchange.ts';
import type { Item, SourcePage } from '../../src/domain/item.ts';
import type { ItemRow, Ledger, RunLedger, RunOpening, TaskRow } from '../../src/domain/ledger.ts';
import { silentLog } from '../../src/domain/log.ts';
import type { Nano, PriceBook, SkuPrice } from '../../src/domain/pricing.ts';
import { findService } from '../../src/domain/service.ts';
import type { Account, Pipeline, ServiceUse } from '../../src/domain/settings.ts';
import { planTasks } from '../../src/plan/plan-tasks.ts';
import { openArtifactFolder } from '../../src/store/artifact-folder.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { makeToyAccount, toyCatalogue } from './toy-catalogue.ts';
import { ToyVendor } from './toy-vendor.ts';
import { VirtualClock } from './virtual-clock.ts';

const sku = (name: string): SkuPrice => ({
  sku: name,
  unit: 'call',
  per: 1,
  tiers: [{ price: 10_000_000n }],
  currency: 'CNY',
  timezone: 'Asia/Shanghai',
});

/** Each toy unit costs 0.01 CNY. */
export const toyPrices: PriceBook = {
  currency: 'CNY',
  timezone: 'Asia/Shanghai',
  skus: new Map(['toy/call', 'toy/frame'].map((name) => [name, sku(name)])),
};

/** The same, of which the first units of each are free. */
export function freeOf(units: number): PriceBook {
  const skus = [...toyPrices.skus].map(
    ([name, price]) => [name, { ...price, free: { units, per: 'once' as const } }] as const,
  );
  return { ...toyPrices, skus: new Map(skus) };
}

export function useToy(name: string, changes: Partial<ServiceUse> = {}): ServiceUse {
  const found = findService(toyCatalogue, name);
  if (!found) throw new Error(`no toy service "${name}"`);
  const { service } = found;
  return {
    name,
    service,
    account: makeToyAccount(),
    options: service.options.parse(service.exampleOptions),
    model: '',
    unitsPerCall: 1,
    batch: 1,
    delivery: service.deliveries[0] ?? 'call',
    ...changes,
  };
}

export interface ToySetting {
  readonly services: readonly ServiceUse[];
  readonly items: readonly Item[];
  /** True for a bucket: the ledger holds all that a task needs. */
  readonly isRereadable?: boolean;
  readonly resendBelow?: Nano;
  readonly jobMs?: number;
  readonly graceMs?: number;
  /** Of the pipeline. */
  readonly name?: string;
  readonly shapeHash?: string;
  /** What earlier pipelines used, as far as it is still configured. */
  readonly formerServices?: readonly ServiceUse[];
  /** Pipelines that a living process runs. */
  readonly alive?: readonly string[];
  readonly opening?: Partial<Pick<RunOpening, 'startNew' | 'isFresh' | 'onlyFailed' | 'plan' | 'pricesHash'>>;
  readonly caps?: Caps;
  /** Each unit costs 0.01 CNY unless they say otherwise. */
  readonly prices?: PriceBook;
  /** Where calls go instead of the toy vendor. */
  readonly http?: Http;
}

/** A world that outlives its sessions: one ledger folder, one vendor, one clock. */
export class ToyWorld {
  readonly clock = new VirtualClock();
  readonly vendor = new ToyVendor(this.clock);
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<ToyWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'mediasweep-toy-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    return new ToyWorld(folder);
  }

  get out(): string {
    return join(this.#folder, 'reports');
  }

  /** One session of a run, to its end or until `stop`; what the ledger holds afterwards. */
  async run(
    setting: ToySetting,
    control: { stop?: AbortSignal; hookUrl?: string } = {},
  ): Promise<ToyOutcome> {
    const ledger = await openLedger({ folder: this.#folder, clock: this.clock });
    try {
      const pipeline = makePipeline(setting);
      const billing = new Map(setting.services.map(({ account }) => [account.name, account.billing]));
      const run = await ledger.openRun({ pipeline, nowMs: this.clock.now(), billing, ...setting.opening });
      const { dispatcher, counters } = this.#makeDispatcher(ledger, pipeline, setting, run, control);
      this.vendor.callBack = control.hookUrl ? (ref) => dispatcher.hint(makeToyAccount(), ref) : undefined;
      const end = await this.clock.drive(dispatcher.run());
      await run.end({
        state: end.isStopped || counters.overCap > 0 ? 'stopped' : 'finished',
        exitCode: counters.overCap > 0 ? 4 : 0,
        why: '',
        atMs: this.clock.now(),
      });
      return new ToyOutcome(
        end,
        counters,
        await readAll(ledger, run),
        await ledger.readBill(run.record.id, toyPrices),
        await ledger.readSpending(run.record.id),
      );
    } finally {
      await ledger.close();
    }
  }

  /** A session that is killed once `isEnough` says so: nothing of it is closed in good order. */
  async kill(setting: ToySetting, isEnough: (vendor: ToyVendor) => boolean): Promise<void> {
    const ledger = await openLedger({ folder: this.#folder, clock: this.clock });
    const pipeline = makePipeline(setting);
    const run = await ledger.openRun({ pipeline, nowMs: this.clock.now(), billing: new Map() });
    const dead = { isDead: false };
    const { dispatcher } = this.#makeDispatcher(ledger, pipeline, setting, mortal(run, dead), {});
    void dispatcher.run().catch(() => undefined);
    const watching = async () => {
      while (!isEnough(this.vendor)) await this.clock.sleep(1);
      dead.isDead = true;
    };
    await this.clock.drive(watching());
    // What is in flight ends at the vendor, while nobody here hears of it.
    await this.clock.drive(this.clock.sleep(60_000));
    await ledger.close();
  }

  /** Something that a person asks of the ledger between sessions. */
  async ask<Value>(question: (ledger: Ledger) => Promise<Value>): Promise<Value> {
    const ledger = await openLedger({ folder: this.#folder, clock: this.clock });
    try {
      return await question(ledger);
    } finally {
      await ledger.close();
    }
  }

  #makeDispatcher(
    ledger: Ledger,
    pipeline: Pipeline,
    setting: ToySetting,
    run: RunLedger,
    control: { stop?: AbortSignal; hookUrl?: string },
  ) {
    const counters = { asked: 0, answered: 0, failed: 0, held: 0, repeated: 0, overCap: 0, released: 0 };
    const storage = {
      sign: async ({ key }: { readonly key: string }) => ({
        url: `https://store.example/${key}?X-Amz-Signature=${this.clock.now()}`,
        expiresAt: this.clock.now() + 3_600_000,
      }),
      head: async () => undefined,
      read: async () => new Uint8Array(),
    };
    const planned = { listed: 0, planned: 0, isListed: false };
    const tools = {
      pipeline,
      run,
      probe: async () => ({ durationSeconds: 12 }),
      explainNoLink: (item: Item) => explainNoLink(item, pipeline.access),
      noteUnread: () => undefined,
      counters: planned,
    };
    const dispatcher = new Dispatcher({
      bench: {
        clock: this.clock,
        http: setting.http ?? this.vendor,
        run,
        pace: run.sharePace({ clock: this.clock, isAlive: async () => false }),
        link: makeLinker(pipeline.access, storage, this.clock),
        artifacts: openArtifactFolder(this.out, pipeline.name),
        log: silentLog,
        deadlines: pipeline.deadlines,
        resendBelow: pipeline.resendBelow,
        hookUrl: () => control.hookUrl,
        counters,
        stop: control.stop ?? new AbortController().signal,
      },
      services: setting.services,
      findUse: makeUseFinder({
        pipeline,
        ledger,
        reopen: async () => setting.formerServices && { services: setting.formerServices },
      }),
      isAlive: async (name) => setting.alive?.includes(name) ?? false,
      feed: () => planTasks(pageItems(setting.items, setting.isRereadable ?? true, run.checkpoint), tools),
      isRereadable: setting.isRereadable ?? true,
      graceMs: setting.graceMs ?? 25_000,
    });
    return { dispatcher, counters };
  }
}

/** What one session came to. */
export class ToyOutcome {
  readonly end: DispatchEnd;
  readonly counters: Readonly<Record<string, number>>;
  readonly rows: readonly ItemRow[];
  readonly bill: Awaited<ReturnType<Ledger['readBill']>>;
  readonly spending: Spending;

  constructor(
    end: DispatchEnd,
    counters: Readonly<Record<string, number>>,
    rows: readonly ItemRow[],
    bill: Awaited<ReturnType<Ledger['readBill']>>,
    spending: Spending,
  ) {
    this.end = end;
    this.counters = counters;
    this.rows = rows;
    this.bill = bill;
    this.spending = spending;
  }

  get tasks(): readonly TaskRow[] {
    return this.rows.flatMap(({ tasks }) => tasks);
  }

  /** How many tasks have each status. */
  get statuses(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { status } of this.tasks) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  unitsOf(
    name: string,
  ): { readonly observed: number; readonly estimated: number; readonly uncertain: number } | undefined {
    const row = this.bill.find((one) => one.sku === name);
    return row && { observed: row.observed, estimated: row.estimated, uncertain: row.uncertain };
  }
}

/** Passes calls on until the process is dead; from then on nothing is written and nothing ever answers. */
function mortal(run: RunLedger, state: { readonly isDead: boolean }): RunLedger {
  return new Proxy(run, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) =>
        state.isDead
          ? new Promise(() => undefined)
          : (value as (...all: unknown[]) => unknown).apply(target, given);
    },
  });
}

export function makeImages(
  count: number,
  etag: (index: number) => string = (index) => `etag-${index}`,
): Item[] {
  return Array.from({ length: count }, (_, index) =>
    makeObject('image', `pictures/${String(index).padStart(6, '0')}.jpg`, etag(index)),
  );
}

export function makeVideos(count: number): Item[] {
  return Array.from({ length: count }, (_, index) =>
    makeObject('video', `clips/${String(index).padStart(6, '0')}.mp4`, `video-${index}`),
  );
}

function makeObject(kind: 'image' | 'video', key: string, etag: string): Item {
  return {
    id: `media/${key}`,
    position: Buffer.from(key),
    kind,
    object: { storage: 'main', bucket: 'media', key },
    bucket: 'media',
    key,
    etag,
    sizeBytes: 1000,
  };
}

const pageSize = 50;

export async function* pageItems(
  items: readonly Item[],
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

export function makePipeline(setting: ToySetting): Pipeline {
  return {
    name: setting.name ?? 'toy',
    path: `/toy/${setting.name ?? 'toy'}.yaml`,
    source: { form: 'bucket', storage: 'main', bucket: 'media', prefixes: [''] },
    select: { include: [], exclude: [], kinds: [] },
    access: { mode: 'presigned', expiresInSeconds: 3600 },
    services: setting.services,
    policy: { name: 'none', rules: [] },
    reports: { formats: ['csv'], timezone: 'Asia/Shanghai', excel: true, language: 'en' },
    reuse: { by: 'content', retryFailedAfterMs: 30 * 86_400_000 },
    resendBelow: setting.resendBelow ?? 100_000_000n,
    notify: [],
    deadlines: { callMs: 100_000, syncCallMs: 1_800_000, jobMs: setting.jobMs ?? 86_400_000 },
    caps: setting.caps,
    storages: new Map(),
    prices: setting.prices ?? toyPrices,
    hash: 'hash',
    shapeHash: setting.shapeHash ?? 'shape',
    written: {},
  };
}

async function readAll(ledger: Ledger, run: RunLedger): Promise<readonly ItemRow[]> {
  const rows: ItemRow[] = [];
  for (let after: Uint8Array | undefined; ; ) {
    const page = await ledger.readItems(run.record.id, after, 500);
    rows.push(...page);
    after = page.at(-1)?.item.position;
    if (page.length < 500) return rows;
  }
}

/** An account whose limits are given. */
export function limitToy(limits: Partial<Account['limits']>): Account {
  return makeToyAccount({ limits: { concurrency: 8, perSecond: 1000, maxOpenJobs: 100, ...limits } });
}
