/**
 * Callbacks on their way to whoever watches the job: any process may receive one, and all that carry its run out hear of
 * it, over a stream of Redis. The stream is kept for a while, so that who takes a shard over learns what came meanwhile.
 * A callback is a hint and no more: one that is lost with Redis is made good by a poll.
 */
import type { Redis } from 'ioredis';
import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/problem.ts';

/** About so many are kept, some 200 bytes each. */
const kept = 20_000;
const pageSize = 1000;
/** How long one question waits for news; whoever closes does not wait for it. */
const waitMs = 5000;
const againMs = 1000;

export interface CalledBack {
  readonly account: string;
  /** Our own reference of the submission. */
  readonly ref: string;
}

type Listener = (called: CalledBack) => void;

export interface CallbackPost {
  /** Throws where Redis is away: whoever called may do so again. */
  readonly tell: (run: string, called: CalledBack) => Promise<void>;
  /** Those of a run that are told from now on; answers what ends it. */
  readonly follow: (run: string, listener: Listener) => Promise<() => void>;
  /** Those of a run that are still kept, oldest first. */
  readonly readPast: (run: string) => Promise<readonly CalledBack[]>;
  readonly close: () => void;
}

/** What Redis answers of an entry: its id, and its fields in pairs. */
type Entry = readonly [string, readonly string[]];

/** Nothing is connected before somebody follows a run. */
export function openCallbackPost({
  client,
  prefix,
  clock,
}: {
  readonly client: Redis;
  readonly prefix: string;
  readonly clock: Pick<Clock, 'sleep'>;
}): CallbackPost {
  const key = `${prefix}:callbacks`;
  const listeners = new Map<string, Set<Listener>>();
  let tail: Redis | undefined;
  let starting: Promise<void> | undefined;
  let isClosed = false;

  const start = async (): Promise<void> => {
    const [newest] = (await client.xrevrange(key, '+', '-', 'COUNT', 1)) as readonly Entry[];
    tail = client.duplicate();
    // The connection's own trouble is told by the one that others share.
    tail.on('error', () => undefined);
    void follow(tail, newest?.[0] ?? '0-0');
  };

  const follow = async (from: Redis, since: string): Promise<void> => {
    let last = since;
    while (!isClosed) {
      try {
        const found = (await from.xread('COUNT', pageSize, 'BLOCK', waitMs, 'STREAMS', key, last)) as
          | readonly (readonly [string, readonly Entry[]])[]
          | null;
        for (const entry of found?.[0]?.[1] ?? []) {
          last = entry[0];
          const { run, ...called } = readEntry(entry);
          for (const listener of listeners.get(run) ?? []) listener(called);
        }
      } catch (error) {
        // A connection that was lost goes on from where it was; one that is closed, or refused, ends: polls stand in.
        if (isClosed || /NOPERM|Connection is closed/.test(describeError(error))) return;
        await clock.sleep(againMs);
      }
    }
  };

  return {
    tell: async (run, { account, ref }) => {
      if (client.status !== 'ready') throw new Error('redis is away');
      await client.xadd(key, 'MAXLEN', '~', kept, '*', 'run', run, 'account', account, 'ref', ref);
    },
    follow: async (run, listener) => {
      starting ??= start();
      const known = listeners.get(run) ?? new Set<Listener>();
      listeners.set(run, known.add(listener));
      await starting;
      return () => {
        known.delete(listener);
        if (known.size === 0) listeners.delete(run);
      };
    },
    readPast: async (run) => {
      const past: CalledBack[] = [];
      for (let after = '-'; ; ) {
        const page = (await client.xrange(key, after, '+', 'COUNT', pageSize)) as readonly Entry[];
        for (const entry of page) {
          const { run: of, ...called } = readEntry(entry);
          if (of === run) past.push(called);
        }
        const last = page.at(-1);
        if (!last || page.length < pageSize) return past;
        after = `(${last[0]}`;
      }
    },
    close: () => {
      isClosed = true;
      tail?.disconnect();
    },
  };
}

/** The fields stand as `tell` wrote them. */
function readEntry([, pairs]: Entry): CalledBack & { readonly run: string } {
  const [, run = '', , account = '', , ref = ''] = pairs;
  return { run, account, ref };
}
