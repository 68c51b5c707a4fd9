/**
 * Callbacks where several processes carry runs out: each may receive those of any run that is under way, and hands them on to
 * all that are at work on it. Which of them the public address leads to is its proxy's business.
 */
import {
  type CallbackPath,
  type Callbacks,
  findCalledBack,
  makeCallbackDesk,
  makeHookUrl,
  openPath,
} from '../dispatch/callback.ts';
import type { Clock } from '../domain/clock.ts';
import type { Ledger, RunRecord } from '../domain/ledger.ts';
import type { Log } from '../domain/log.ts';
import { describeError } from '../domain/problem.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { Cluster } from './cluster.ts';
import { serveCallbacks } from './outside.ts';
import type { Hint } from './sender.ts';
import { listUnderway } from './underway.ts';

/** How often runs that others have begun are looked for, and addresses that were taken are tried again. */
const lookMs = 2000;

interface Address {
  readonly host: string;
  readonly port: number;
}

interface Parts {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly cluster: Pick<Cluster, 'post'>;
  readonly ledger: Pick<Ledger, 'listRuns'>;
  readonly log: Log;
  /** The pipeline of a run that another process has begun; undefined where it is not in order here. */
  readonly reopen: (run: RunRecord) => Promise<Pipeline | undefined>;
  /** Where to listen instead of where the accounts say. */
  readonly listen: Address | undefined;
  /** Whether those of runs that other processes have begun are taken too: who takes any takes all. */
  readonly takesAll: boolean;
}

export interface SharedCallbacks {
  /** Has the run's vendors call back, and tells `hint` what any process heard of them. */
  readonly open: (run: string, services: Pipeline['services'], hint: Hint) => Promise<Callbacks>;
  /** Callbacks of the run that any process received, as far as they are kept. */
  readonly readPast: Cluster['post']['readPast'];
  readonly close: () => Promise<void>;
}

export async function openSharedCallbacks(parts: Parts): Promise<SharedCallbacks> {
  const { clock, cluster, ledger, log } = parts;
  const { post } = cluster;
  /** By run; empty for those that nobody calls back for, or that are not in order here. */
  const known = new Map<string, readonly CallbackPath[]>();
  /** By address; what is closed, or was never opened, is nothing. */
  const servers = new Map<string, { readonly close: () => Promise<void> } | undefined>();
  const ending = new AbortController();

  const desk = makeCallbackDesk(
    () => [...known.values()].flat(),
    ({ account, run }, ref) => post.tell(run, { account: account.name, ref }),
  );

  const listenOn = async (address: Address): Promise<void> => {
    const name = `${address.host}:${address.port}`;
    if (servers.get(name) || ending.signal.aborted) return;
    const isFirst = !servers.has(name);
    servers.set(name, undefined);
    try {
      servers.set(name, await serveCallbacks(desk, address));
      log.info(`callbacks are taken on ${name}`);
    } catch (error) {
      // Another process of ours may have it, and hands on what comes; once that has ended it is taken here.
      if (isFirst)
        log.warn(
          `no callbacks are taken on ${name} here: ${describeError(error)} What another process of the cluster takes there is handed on.`,
        );
    }
  };

  const note = async (run: string, services: Pipeline['services']): Promise<void> => {
    const accounts = findCalledBack(services);
    known.set(
      run,
      accounts.map((account) => openPath(account, run)),
    );
    for (const { callback } of accounts) if (callback) await listenOn(parts.listen ?? callback.listen);
  };

  const look = async (): Promise<void> => {
    const before = [...known.keys()];
    const runs = await listUnderway(ledger);
    for (const run of runs) {
      if (known.has(run.id)) continue;
      await note(run.id, (await parts.reopen(run))?.services ?? []);
    }
    const underway = new Set(runs.map(({ id }) => id));
    for (const run of before) if (!underway.has(run)) known.delete(run);
    for (const name of servers.keys()) await listenOn(splitAddress(name));
  };

  const looking = (async () => {
    while (parts.takesAll && !ending.signal.aborted) {
      // A ledger that is away for a moment is asked again.
      await look().catch(() => undefined);
      await clock.sleep(lookMs, ending.signal);
    }
  })();
  if (parts.listen) await listenOn(parts.listen);

  return {
    open: async (run, services, hint) => {
      if (!known.has(run)) await note(run, services);
      const calledBack = findCalledBack(services);
      const unfollow =
        calledBack.length === 0
          ? () => undefined
          : await post.follow(run, ({ account, ref }) => hint({ name: account }, ref));
      return {
        hookUrl: (account) => makeHookUrl(account, run),
        close: async () => unfollow(),
      };
    },
    readPast: post.readPast,
    close: async () => {
      ending.abort();
      await looking;
      await Promise.all([...servers.values()].map(async (server) => await server?.close()));
    },
  };
}

function splitAddress(name: string): Address {
  const at = name.lastIndexOf(':');
  return { host: name.slice(0, at), port: Number(name.slice(at + 1)) };
}
