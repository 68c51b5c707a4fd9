/** A coordinator and workers of the built program in this process, each with an outside of its own, over real servers. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Places, RunFlags, RunResult, Spine, WorkerFlags } from '../../src/cli/spine.ts';
import type { EmulatorFaults, EmulatorSwitches } from '../../src/domain/emulator.ts';
import type { Clock } from '../../src/domain/clock.ts';
import type { RedisSettings } from '../../src/domain/cluster.ts';
import type { Log } from '../../src/domain/log.ts';
import type { PostgresAccess } from '../../src/domain/postgres.ts';
import type { Outside } from '../../src/pipeline/outside.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openWorld, type OutsideWorld } from './outside-world.ts';
import type { PrivateRedis } from './redis.ts';

interface Built {
  readonly makeSpine: (outside: Outside) => Spine;
}

const root = join(import.meta.dirname, '..', '..');

/** What a process of the cluster told. */
interface Told {
  readonly words: string[];
}

export interface InWorker extends Told {
  /** As SIGTERM does; resolves when it has drained. */
  readonly stop: () => Promise<void>;
}

export interface ClusterWorld {
  readonly world: OutsideWorld;
  /** With the prefix that is its own. */
  readonly redis: RedisSettings;
  readonly work: (
    flags?: Partial<WorkerFlags>,
    changes?: Partial<Outside>,
    places?: Places,
  ) => Promise<InWorker>;
  readonly run: (
    path: string,
    flags?: Partial<RunFlags>,
    changes?: Partial<Outside>,
  ) => Promise<RunResult & Told>;
  /** The same by one process, without a cluster: with a ledger and reports that are apart. */
  readonly runAlone: (path: string, flags?: Partial<RunFlags>) => Promise<RunResult & Told>;
  readonly spine: (stop?: AbortSignal, changes?: Partial<Outside>) => Promise<Spine>;
}

/** Waits that soon pass, but for what is measured by the monotonic clock; not so soon that heartbeats keep Redis busy. */
export const hasty: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, ms < 500 ? 20 : 100), signal),
};

let clusters = 0;
let processes = 0;

/** `prefix` is apart for each, so that one Redis serves a whole file. */
export async function openClusterWorld(
  { redis, postgres }: { readonly redis: PrivateRedis; readonly postgres?: PostgresAccess | undefined },
  {
    shards = '{ tasks: 10, perWorker: 2 }',
    faults = {},
    switches = {},
  }: {
    readonly shards?: string;
    readonly faults?: Partial<EmulatorFaults>;
    readonly switches?: Readonly<Record<string, EmulatorSwitches>>;
  } = {},
): Promise<ClusterWorld> {
  clusters += 1;
  const prefix = `test-${clusters}`;
  const { port, password = '' } = redis.settings;
  const world = await openWorld(faults, { switches, variables: { REDIS_PASSWORD: password } });
  const limits = `redis: { host: 127.0.0.1, port: ${port}, password: "\${REDIS_PASSWORD}", prefix: ${prefix} }`;
  const ledger =
    postgres &&
    `ledger: { postgres: { host: 127.0.0.1, port: ${postgres.port}, database: postgres, user: tester, schema: ${postgres.schema} } }`;
  const lines = [limits, ...(ledger === undefined ? [] : [ledger]), `shards: ${shards}`];
  await writeFile(join(world.folder, 'config', 'cluster.yaml'), `${lines.join('\n')}\n`);

  const spine: ClusterWorld['spine'] = async (stop = new AbortController().signal, changes = {}) => {
    // The built program: its ledger's thread is a file of its own.
    const built = join(root, 'dist', 'pipeline.js');
    const { makeSpine } = (await import(built)) as Built;
    processes += 1;
    const outside: Outside = {
      environment: { ...world.environment, PATH: process.env['PATH'], HOME: world.folder },
      clock: systemClock,
      folder: world.folder,
      home: root,
      version: '0.0.0',
      // Told apart by it where they begin in one millisecond.
      processId: process.pid * 1000 + processes,
      standardInput: (async function* none() {})(),
      stop,
      ...changes,
    };
    return makeSpine(outside);
  };

  const run = async (
    path: string,
    flags: Partial<RunFlags>,
    places: Places,
    changes: Partial<Outside> = {},
  ) => {
    const words: string[] = [];
    const coordinator = await spine(undefined, changes);
    const watch = { log: listen(words), begun: () => undefined, follow: () => undefined };
    const base = { path: join(world.folder, path), graceMs: 2000, backUpEveryMs: 'off' } as const;
    return { ...(await coordinator.run({ ...base, ...flags }, places, watch)), words };
  };

  return {
    world,
    redis: { ...redis.settings, prefix },
    spine,
    work: async (flags = {}, changes = {}, places = {}) => {
      const stopping = new AbortController();
      const words: string[] = [];
      const worker = await spine(stopping.signal, changes);
      const ended = worker.work({ graceMs: 2000, ...flags }, places, { log: listen(words) });
      const stop = async () => {
        stopping.abort('SIGTERM');
        await ended;
      };
      onTestFinished(stop);
      return { words, stop };
    },
    run: (path, flags = {}, changes = {}) => run(path, flags, {}, changes),
    runAlone: async (path, flags = {}) => {
      const alone = join(world.folder, 'alone');
      const config = join(alone, 'config');
      await cp(join(world.folder, 'config'), config, { recursive: true });
      await rm(join(config, 'cluster.yaml'));
      return await run(path, flags, { config, state: join(alone, 'state'), out: join(alone, 'reports') });
    },
  };
}

function listen(words: string[]): Log {
  const take = (message: string) => {
    words.push(message);
  };
  return { info: take, warn: take };
}

/** The text of a report's file. */
export function readReport({ folder }: { readonly folder: string }, name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8');
}

/** Writes a file of the project's config anew. */
export async function changeConfig(
  { world }: ClusterWorld,
  name: string,
  change: (text: string) => string,
): Promise<void> {
  const path = join(world.folder, 'config', name);
  await writeFile(path, change(await readFile(path, 'utf8')));
}
