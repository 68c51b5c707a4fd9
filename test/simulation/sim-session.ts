/** One session of a pipeline in a simulated world: the shipped dispatcher and ledger in a process that may die. */
import { type DispatchEnd, Dispatcher } from '../../src/dispatch/dispatcher.ts';
import type { Bench } from '../../src/dispatch/bench.ts';
import { makeUseFinder } from '../../src/dispatch/former-use.ts';
import { explainNoLink, makeLinker } from '../../src/dispatch/link.ts';
import type { Item, SourcePage } from '../../src/domain/item.ts';
import type { Ledger, RunLedger } from '../../src/domain/ledger.ts';
import { silentLog } from '../../src/domain/log.ts';
import type { Pipeline, ServiceUse } from '../../src/domain/settings.ts';
import { planTasks } from '../../src/plan/plan-tasks.ts';
import { toyPrices } from '../support/toy-run.ts';
import type { PipelinePlan, SessionPlan } from './schedule.ts';
import type { SimClock } from './sim-clock.ts';
import type { SimLocks } from './sim-locks.ts';
import type { SimNetwork } from './sim-network.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimVendor } from './sim-vendor.ts';

/** What all sessions have in common. */
export interface SimWorld {
  readonly clock: SimClock;
  readonly vendor: SimVendor;
  readonly network: SimNetwork;
  readonly locks: SimLocks;
  /** Of all pipelines that share the ledger. */
  readonly plans: readonly PipelinePlan[];
}

/** What a defect is planted in: the seams of a dispatch, as the process has them. */
export interface Seams {
  readonly run: RunLedger;
  /** The same, out of the reach of death. */
  readonly raw: RunLedger;
  readonly bench: Pick<Bench, 'clock' | 'http' | 'artifacts' | 'pace'>;
  readonly services: readonly ServiceUse[];
  readonly process: SimProcess;
  /** Lets go of the pipeline's lock. */
  readonly releaseLock: () => void;
  /** Takes back, after the process has ended, what a defect would not have written by then. */
  readonly undo: (work: () => Promise<void>) => void;
}
export type Plant = (seams: Seams) => Pick<Seams, 'run' | 'bench' | 'services'>;

interface SessionParts {
  readonly world: SimWorld;
  readonly process: SimProcess;
  readonly plan: PipelinePlan;
  readonly session: Pick<SessionPlan, 'stopAfterMs'>;
  readonly ledger: Pick<Ledger, 'findRun'>;
  /** The run as it was opened, out of the reach of death. */
  readonly opened: RunLedger;
  readonly plant: Plant;
  readonly releaseLock: () => void;
  readonly undo: Seams['undo'];
}

/** Resolves once the run is concluded; never where the process dies before. */
export async function playSession(parts: SessionParts): Promise<DispatchEnd> {
  const { world, process, plan } = parts;
  const pipeline = makePipeline(plan);
  const stop = new AbortController();
  const { stopAfterMs } = parts.session;
  if (stopAfterMs !== undefined) void process.clock.sleep(stopAfterMs).then(() => stop.abort());
  const { run, bench, services } = parts.plant(openSeams(parts));
  const { items, pageSize, isRereadable, graceMs } = plan;
  const tools = {
    pipeline,
    run,
    probe: async () => ({ durationSeconds: 12 }),
    explainNoLink: (item: Item) => explainNoLink(item, pipeline.access),
    noteUnread: () => undefined,
    counters: { listed: 0, planned: 0, isListed: false },
  };
  const hookUrl = (account: string) => `https://hooks.example/${pipeline.name}/${account}`;
  const dispatcher = new Dispatcher({
    bench: {
      ...bench,
      run,
      link: makeLinker(pipeline.access, signer(world.clock), world.clock),
      log: silentLog,
      deadlines: pipeline.deadlines,
      resendBelow: pipeline.resendBelow,
      hookUrl: ({ name }) => hookUrl(name),
      counters: { asked: 0, answered: 0, failed: 0, held: 0, overCap: 0, repeated: 0, released: 0 },
      stop: stop.signal,
    },
    services,
    feed: () => planTasks(pageItems(items, pageSize, isRereadable, run.checkpoint), tools),
    isRereadable,
    findUse: makeUseFinder({
      pipeline: { ...pipeline, services },
      ledger: parts.ledger,
      reopen: async (former) => world.plans.find(({ name }) => name === former.pipeline),
    }),
    isAlive: async (name) => world.locks.isHeld(name),
    graceMs,
  });
  for (const { account } of plan.services) {
    world.vendor.hooks.set(hookUrl(account.name), (ref) => {
      if (!process.isDead) dispatcher.hint(account, ref);
    });
  }
  const end = await dispatcher.run();
  if (end.feedError !== undefined) throw end.feedError;
  const state = await judgeState(end, run, plan);
  await run.end({ state, exitCode: 0, why: '', atMs: world.clock.now() });
  return end;
}

function openSeams({ world, process, plan, opened, releaseLock, undo }: SessionParts): Seams {
  const isAlive = async (name: string) => world.locks.isHeld(name);
  return {
    run: process.holdRun(opened),
    raw: opened,
    bench: {
      clock: process.clock,
      http: world.network.connect(process),
      pace: process.holdPace(opened.sharePace({ clock: world.clock, isAlive })),
      artifacts: {
        save: (bytes, extension, mediaType) =>
          process.act(async () => ({
            path: `artifacts/one.${extension}`,
            mediaType,
            bytes: bytes.byteLength,
          })),
      },
    },
    services: plan.services,
    process,
    releaseLock,
    undo,
  };
}

function signer(clock: SimClock) {
  return {
    sign: async ({ key }: { readonly key: string }) => ({
      url: `https://store.example/${key}?X-Amz-Signature=${clock.now()}`,
      expiresAt: clock.now() + 3_600_000,
    }),
    head: async () => undefined,
    read: async () => new Uint8Array(),
  };
}

/** As the spine concludes: only a run that has nothing left to do is finished. */
async function judgeState(
  end: DispatchEnd,
  run: RunLedger,
  { services }: PipelinePlan,
): Promise<'finished' | 'stopped'> {
  if (end.isStopped || end.halts.length > 0) return 'stopped';
  for (const { name } of services) if ((await run.readReady(name, 0, 1)).length > 0) return 'stopped';
  return 'finished';
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

export function makePipeline({ name, services, caps }: PipelinePlan): Pipeline {
  return {
    name,
    path: `/simulation/${name}.yaml`,
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
