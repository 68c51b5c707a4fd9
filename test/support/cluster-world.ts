/** A coordinator and workers of the built program in this process, each with an outside of its own, over real servers. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { RunFlags, RunResult, Spine, WorkerFlags } from '../../src/cli/spine.ts';
import type { EmulatorFaults, EmulatorSwitches } from '../../src/domain/emulator.ts';
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
  readonly work: (flags?: Partial<WorkerFlags>, changes?: Partial<Outside>) => Promise<InWorker>;
  readonly run: (
    path: string,
    flags?: Partial<RunFlags>,
    changes?: Partial<Outside>,
  ) => Promise<RunResult & Told>;
  /** Without workers and cluster: with a state, reports and stand-ins that are apart. */
  readonly spine: (stop?: AbortSignal, changes?: Partial<Outside>) => Promise<Spine>;
}

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

  return {
    world,
    redis: { ...redis.settings, prefix },
    spine,
    work: async (flags = {}, changes = {}) => {
      const stopping = new AbortController();
      const words: string[] = [];
      const worker = await spine(stopping.signal, changes);
      const ended = worker.work({ graceMs: 2000, ...flags }, {}, { log: listen(words) });
      const stop = async () => {
        stopping.abort('SIGTERM');
        await ended;
      };
      onTestFinished(stop);
      return { words, stop };
    },
    run: async (path, flags = {}, changes = {}) => {
      const words: string[] = [];
      const coordinator = await spine(undefined, changes);
      const watch = { log: listen(words), begun: () => undefined, follow: () => undefined };
      const result = await coordinator.run(
        { path: join(world.folder, path), graceMs: 2000, backUpEveryMs: 'off', ...flags },
        {},
        watch,
      );
      return { ...result, words };
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
