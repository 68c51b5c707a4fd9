/** A ledger of arrays, a folder of strings, and runs to report on: friendly ones and hostile ones. */
import type { Spending } from '../../src/domain/caps.ts';
import { emptyFinding, type Finding } from '../../src/domain/finding.ts';
import type { Item } from '../../src/domain/item.ts';
import type { BillRow, ItemRow, RunRecord, TaskCount, TaskRow } from '../../src/domain/ledger.ts';
import type { ReportFolder } from '../../src/domain/output.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { BrokenRow } from '../../src/domain/item.ts';
import type { ReportRequest, ReportService } from '../../src/report/request.ts';

export const quality: ReportService = {
  name: 'pai/image-quality',
  use: 'pai/image-quality',
  vendor: 'pai',
  account: 'pai-prod',
  columns: { metrics: ['iqa_result'], tops: [] },
};

export const censor: ReportService = {
  name: 'qiniu/video-censor',
  use: 'qiniu/video-censor',
  vendor: 'qiniu',
  account: 'qiniu-prod',
  columns: {
    metrics: [],
    tops: [
      { op: 'politician', normal: [] },
      { op: 'pulp', normal: ['2'] },
      { op: 'terror', normal: ['0'] },
    ],
  },
};

export const strict: Policy = {
  name: 'strict',
  rules: [
    {
      service: censor.name,
      op: 'politician',
      score: { comparator: '>=', value: 0.6 },
      verdict: 'review',
      reason: 'sensitive person',
    },
    {
      service: quality.name,
      metric: 'iqa_result',
      is: { comparator: '<', value: 40 },
      verdict: 'review',
      reason: 'poor picture',
    },
    {
      service: censor.name,
      op: 'pulp',
      labels: ['0'],
      score: { comparator: '>=', value: 0.9 },
      verdict: 'block',
      reason: 'pornography',
    },
  ],
};

/** An item of a bucket, in the order of its number. */
export function makeItem(number: number, key: string, rest: Partial<Item> = {}): Item {
  const position = new Uint8Array(4);
  new DataView(position.buffer).setUint32(0, number);
  return {
    id: `media/${key}`,
    position,
    kind: key.endsWith('.mp4') ? 'video' : 'image',
    object: { storage: 'main', bucket: 'media', key },
    sizeBytes: 1000 + number,
    etag: `"e${number}"`,
    lastModified: '2026-11-19T08:00:00Z',
    ...rest,
  };
}

export function makeTask(service: ReportService, rest: Partial<TaskRow> = {}): TaskRow {
  const status = rest.status ?? 'answered';
  return {
    service: service.name,
    account: service.account,
    state: status === 'open' ? 'planned' : status,
    status,
    reason: '',
    units: {},
    charge: 0n,
    attempts: 1,
    startedAt: '2026-11-20T02:00:01Z',
    endedAt: '2026-11-20T02:00:02Z',
    ...rest,
  };
}

export function makeFinding(rest: Partial<Finding>): Finding {
  return { ...emptyFinding, ...rest };
}

export function makeRun(
  rows: readonly ItemRow[],
  services: readonly ReportService[],
  rest: Partial<RunRecord> = {},
): RunRecord {
  const tasks = rows.reduce((sum, row) => sum + row.tasks.length, 0);
  return {
    id: '20261120T020000Z-nightly',
    pipeline: 'nightly',
    state: 'finished',
    hash: '9c1f00aa',
    shapeHash: '77aa',
    services: services.map((service) => service.name),
    written: {},
    listing: 'complete',
    counters: {
      items: rows.length,
      notApplicable: rows.length * services.length - tasks,
      unselected: 3,
      broken: 0,
    },
    startedAt: '2026-11-20T02:00:00Z',
    endedAt: '2026-11-20T11:04:00Z',
    exitCode: 0,
    why: 'complete',
    ...rest,
  };
}

function countTasks(rows: readonly ItemRow[]): readonly TaskCount[] {
  const counts = new Map<string, TaskCount>();
  for (const { service, state, reason } of rows.flatMap((row) => row.tasks)) {
    const key = JSON.stringify([service, state, reason]);
    counts.set(key, { service, state, reason, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()];
}

const noSpending: Spending = { spent: 0n, reserved: 0n, currency: 'CNY', caps: [], overrun: {} };

/** A ledger over arrays that pages as the real one does. `calls` counts the pages read. */
export function makeLedger(
  rows: readonly ItemRow[],
  bill: readonly BillRow[] = [],
  broken: readonly BrokenRow[] = [],
  spending: Spending = noSpending,
) {
  const ledger = {
    calls: 0,
    async readItems(_run: string, after: Uint8Array | undefined, limit: number) {
      ledger.calls += 1;
      const from = after === undefined ? 0 : rows.findIndex((row) => row.item.position === after) + 1;
      return rows.slice(from, from + limit);
    },
    readNamed: async (_run: string, ids: readonly string[]) =>
      rows.filter(({ item }) => ids.includes(item.id)),
    countTasks: async () => countTasks(rows),
    readBill: async () => bill,
    readSpending: async () => spending,
    readBroken: async (_run: string, limit: number, afterLine = -1) =>
      broken.filter(({ line }) => line > afterLine).slice(0, limit),
  };
  return ledger;
}

export interface MemoryFolder extends ReportFolder {
  /** Finished files by name. */
  readonly files: ReadonlyMap<string, string>;
}

/** Files take their place only when they are whole, as on disk. */
export function makeFolder(refuses?: (name: string) => boolean): MemoryFolder {
  const files = new Map<string, string>();
  return {
    path: '/reports/nightly/20261120T020000Z-nightly',
    files,
    async write(name, fill) {
      let whole = '';
      await fill({
        async write(text) {
          if (refuses?.(name)) throw new Error(`no space left for ${name}`);
          whole += text;
        },
      });
      files.set(name, whole);
    },
    markLatest: async () => undefined,
  };
}

export function makeRequest(
  rows: readonly ItemRow[],
  rest: Partial<ReportRequest> & {
    readonly bill?: readonly BillRow[];
    readonly broken?: readonly BrokenRow[];
    readonly spending?: Spending;
  } = {},
): ReportRequest & { readonly folder: MemoryFolder } {
  const { bill, broken, spending, ...given } = rest;
  const services = given.services ?? [quality, censor];
  return {
    run: makeRun(rows, services),
    services,
    policy: strict,
    reports: { formats: ['csv', 'jsonl', 'html'], timezone: 'Asia/Shanghai', excel: true, language: 'en' },
    prices: { currency: 'CNY', timezone: 'Asia/Shanghai', skus: new Map() },
    ledger: makeLedger(rows, bill, broken, spending),
    ...given,
    folder: (given.folder as MemoryFolder | undefined) ?? makeFolder(),
  };
}

export function makeBill(rest: Partial<BillRow> = {}): BillRow {
  return {
    account: 'qiniu-prod',
    vendor: 'qiniu',
    sku: 'qiniu/politician-image',
    unit: 'image or frame',
    observed: 0,
    estimated: 0,
    uncertain: 0,
    free: 0,
    pack: 0,
    charge: 0n,
    currency: 'CNY',
    isComplete: true,
    assumptions: {},
    ...rest,
  };
}
