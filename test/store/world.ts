/** A small world for tests of ledgers: a pipeline of two services, items with keys, and time that is set by hand. */
import type { Caps } from '../../src/domain/caps.ts';
import type { Item } from '../../src/domain/item.ts';
import type { Attempt, Intent, Ledger, PlannedItem, RunLedger, RunOpening } from '../../src/domain/ledger.ts';
import type { Condition } from '../../src/domain/policy.ts';
import type { Refusal } from '../../src/domain/outcome.ts';
import type { BillingFacts, Nano, PriceBook, SkuPrice } from '../../src/domain/pricing.ts';
import type { Account, Pipeline, ServiceUse } from '../../src/domain/settings.ts';
import type { Task } from '../../src/domain/task.ts';
import type { Usage } from '../../src/domain/usage.ts';

export const startMs = Date.parse('2026-11-20T02:00:00Z');
export const hourMs = 3_600_000;

/** A clock that stands still until it is moved. */
export class HandClock {
  nowMs = startMs;
  now(): number {
    return this.nowMs;
  }
  monotonic(): number {
    return this.nowMs - startMs;
  }
}

function makePrice(sku: string, price: bigint): SkuPrice {
  return { sku, unit: 'call', per: 1, tiers: [{ price }], currency: 'CNY', timezone: 'Asia/Shanghai' };
}

/** `pai/basic` costs 0.01 CNY for the first 3 units of a month and 0.005 then; `pai/advanced` has no price. */
export const prices: PriceBook = {
  currency: 'CNY',
  timezone: 'Asia/Shanghai',
  skus: new Map([
    [
      'pai/basic',
      { ...makePrice('pai/basic', 0n), tiers: [{ upTo: 3, price: 10_000_000n }, { price: 5_000_000n }] },
    ],
    ['pai/advanced', { ...makePrice('pai/advanced', 0n), tiers: undefined }],
  ]),
};

export interface PipelineChanges extends Partial<Pick<Pipeline, 'name' | 'shapeHash' | 'hash' | 'written'>> {
  readonly reuse?: Partial<Pipeline['reuse']>;
  readonly isLoopback?: boolean;
  readonly prices?: PriceBook;
  readonly caps?: Caps;
  /** What the service `labels` waits for. */
  readonly when?: Condition;
  /** Of the account's month. */
  readonly accountCap?: Nano;
}

export function makePipeline(changes: PipelineChanges = {}): Pipeline {
  const { reuse, isLoopback = false, accountCap, when, ...rest } = changes;
  const account = {
    name: 'pai-prod',
    vendor: {
      name: 'pai',
      skus: [
        { name: 'pai/basic', unit: 'call', about: 'images' },
        { name: 'pai/advanced', unit: 'call', about: 'videos' },
      ],
    },
    isLoopback,
    ...(accountCap !== undefined && { caps: { month: accountCap } }),
  } as unknown as Account;
  const services = ['quality', 'labels'].map(
    (name) => ({ name, account, ...(name === 'labels' && when && { when }) }) as unknown as ServiceUse,
  );
  return {
    name: 'nightly',
    path: 'pipelines/nightly.yaml',
    services,
    reuse: { by: 'content', retryFailedAfterMs: 30 * 24 * hourMs, ...reuse },
    prices,
    hash: 'hash-1',
    shapeHash: 'shape-1',
    written: { source: { bucket: { storage: 'main' } }, services: [] },
    ...rest,
  } as unknown as Pipeline;
}

export function makeOpening(
  changes: Partial<Omit<RunOpening, 'pipeline'>> & { readonly pipeline?: Pipeline } = {},
): RunOpening {
  return { pipeline: makePipeline(), nowMs: startMs, billing: new Map(), ...changes };
}

export function makeBilling(facts: Partial<BillingFacts>): RunOpening['billing'] {
  return new Map([['pai-prod', { 'pai/basic': { freeUsed: 0, usedThisMonth: {}, packs: [], ...facts } }]]);
}

export const oneCall: Usage = { units: { 'pai/basic': 1 }, basis: 'observed' };

export function makeItem(key: string, changes: Partial<Item> = {}): Item {
  return {
    id: `media/${key}`,
    position: new TextEncoder().encode(key),
    kind: 'image',
    object: { storage: 'main', bucket: 'media', key },
    etag: '"abc"',
    sizeBytes: 1000,
    ...changes,
  };
}

/** An item with one task per service named; its reuse keys are `<content>/<service>`. */
export function makePlanned(
  key: string,
  changes: {
    readonly content?: string;
    readonly services?: readonly string[];
    readonly item?: Partial<Item>;
    readonly usage?: Usage;
    readonly skip?: string;
    readonly planned?: Partial<PlannedItem>;
  } = {},
): PlannedItem {
  const { content = key, services = ['quality'], usage = oneCall, skip } = changes;
  return {
    item: makeItem(key, changes.item),
    tasks: services.map((service) => ({
      service,
      account: 'pai-prod',
      reuseKey: `${content}/${service}`,
      usage,
      ...(skip === undefined ? {} : { skip }),
    })),
    notApplicable: 2 - services.length,
    ...changes.planned,
  };
}

export function plan(run: RunLedger, items: readonly PlannedItem[]): Promise<readonly Task[]> {
  return run.plan({ items, unselected: 0, broken: [], isLast: true });
}

export function intend(
  run: RunLedger,
  tasks: readonly Task[],
  atMs = startMs,
  mayWait?: boolean,
): Promise<readonly Intent[]> {
  return run.intend({
    service: tasks[0]?.service ?? 'quality',
    account: 'pai-prod',
    isBatch: tasks.length > 1,
    atMs,
    mayWait,
    tasks: tasks.map((task) => ({ task, linkHash: `link-${task.id}` })),
  });
}

/** The attempt of a task that may be sent; throws where it may not. */
export async function begin(run: RunLedger, task: Task | undefined, atMs = startMs): Promise<Attempt> {
  if (!task) throw new Error('there is no task to begin');
  const [intent] = await intend(run, [task], atMs);
  if (intent?.is !== 'intended') throw new Error(`expected an intent, found "${intent?.is}"`);
  return intent.attempt;
}

export const finding = { labels: [{ label: '好', score: 0.9 }], segments: [], metrics: { iqa_result: 71.5 } };

export function answer(
  run: RunLedger,
  attempt: Attempt,
  usage: Usage = attempt.usage,
): Promise<readonly Task[]> {
  return run.transition([
    { is: 'answered', attempt, finding, usage, reply: { status: 200, body: '{"code":"OK"}' } },
  ]);
}

export const refusal: Refusal = {
  reaction: 'give-up',
  class: 'media-unreadable',
  code: 'InvalidImage',
  httpStatus: 400,
  message: 'cannot open the file',
  booking: 'refused',
};

/** States of a run's tasks as `key service state`, in source order. */
export async function readStates(ledger: Ledger, run: string): Promise<readonly string[]> {
  const rows = await ledger.readItems(run, undefined, 1000);
  return rows.flatMap(({ item, tasks }) =>
    tasks.map((task) => `${item.object?.key} ${task.service} ${task.state}`),
  );
}
