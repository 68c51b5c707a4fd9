/** Which processes there are: each says so again and again, and is forgotten soon after its last word. */
import type { Redis } from 'ioredis';
import type { Clock } from '../domain/clock.ts';

const beatMs = 1000;
/** Whoever has not been heard of for so long is dead, or cut off and begins nothing. */
const forgottenMs = 10_000;
/** Only who says nothing new while it is watched for so long is dead: a Redis that was away knows nobody at first. */
const watchMs = 5000;
const lookEveryMs = 500;
/** Who has not been heard for so long begins nothing, since others may soon think it dead. */
const mutedMs = 4000;

/** Who is there, as far as Redis was told. */
export interface Presence {
  /** Heard of within the last 10 s. */
  readonly isAlive: (process: string) => Promise<boolean>;
  /** True where nothing new is heard of it for as long as it takes to be sure; false as soon as there is. */
  readonly isDead: (process: string) => Promise<boolean>;
  /** Whether others know that this process lives: if not, what it has in hand may be theirs. */
  readonly isHeard: () => boolean;
  /** How often it was not heard of for so long. What was in hand before one more of them is void: others may have it. */
  readonly lapses: () => number;
  /** Has something done after each lapse, before this process counts as heard of again. */
  readonly onReturn: (confirm: () => Promise<void>) => void;
  readonly close: () => Promise<void>;
}

/**
 * Puts a worker on the list of them, until what is answered is called; who was taken for dead, or forgotten with Redis, is put
 * there again.
 */
export async function enlist(
  { client, prefix }: { readonly client: Redis; readonly prefix: string },
  {
    process,
    places,
    onReturn,
  }: Pick<Presence, 'onReturn'> & { readonly process: string; readonly places: number },
): Promise<() => Promise<void>> {
  const write = async (): Promise<void> => {
    await client.hset(`${prefix}:workers`, process, places);
  };
  onReturn(write);
  await write();
  return async () => {
    if (client.status === 'ready') await client.hdel(`${prefix}:workers`, process).catch(() => undefined);
  };
}

/** Workers that live, by name; those that are dead are taken off the list. */
export async function listWorkers(
  { client, prefix }: { readonly client: Redis; readonly prefix: string },
  isAlive: Presence['isAlive'],
): Promise<readonly { readonly process: string; readonly places: number }[]> {
  const listed = Object.entries(await client.hgetall(`${prefix}:workers`));
  const alive = await Promise.all(listed.map(([process]) => isAlive(process)));
  const dead = listed.filter((_, index) => alive[index] === false).map(([process]) => process);
  if (dead.length > 0) await client.hdel(`${prefix}:workers`, ...dead);
  return listed
    .filter((_, index) => alive[index] === true)
    .map(([process, places]) => ({ process, places: Number(places) }))
    .toSorted((one, other) => (one.process < other.process ? -1 : 1));
}

/** Of a process that does several things at once, each under a name of its own: `process/part`. */
export function nameProcess(name: string): string {
  return name.split('/')[0] ?? name;
}

/** Makes this process known under a name that no other has. */
export async function announce(
  { client, prefix }: { readonly client: Redis; readonly prefix: string },
  process: string,
  clock: Pick<Clock, 'sleep' | 'monotonic' | 'now'>,
): Promise<Presence> {
  const keyOf = (name: string) => `${prefix}:process:${nameProcess(name)}`;
  let beats = 0;
  let lapses = 0;
  const confirmations: (() => Promise<void>)[] = [];
  const never = { monotonicMs: Number.NEGATIVE_INFINITY, nowMs: Number.NEGATIVE_INFINITY };
  const look = () => ({ monotonicMs: clock.monotonic(), nowMs: clock.now() });
  let heard = look();
  /** A machine that slept may show it on its wall clock alone. */
  const isRecent = ({ monotonicMs, nowMs }: typeof heard) =>
    clock.monotonic() - monotonicMs < mutedMs && clock.now() - nowMs < mutedMs;
  const beat = async () => {
    const said = look();
    const wasHeard = isRecent(heard);
    beats += 1;
    const before = await client.set(keyOf(process), String(beats), 'PX', forgottenMs, 'GET');
    // Whom Redis had forgotten, others may have taken for dead.
    const isForgotten = beats > 1 && before === null;
    if ((!wasHeard && beats > 1) || isForgotten || !isRecent(heard)) {
      lapses += 1;
      heard = never;
      for (const confirm of confirmations) await confirm();
    }
    heard = said;
  };
  await beat();
  const ending = new AbortController();
  const beating = (async () => {
    for (;;) {
      await clock.sleep(beatMs, ending.signal);
      if (ending.signal.aborted) return;
      // Where Redis is away this waits until it is back; where it refuses, the next beat tries again.
      await beat().catch(() => undefined);
    }
  })();
  const isAlive = async (name: string) => (await client.exists(keyOf(name))) === 1;
  return {
    isAlive,
    isHeard: () => isRecent(heard),
    lapses: () => lapses,
    onReturn: (confirm) => confirmations.push(confirm),
    isDead: async (name) => {
      const before = await client.get(keyOf(name));
      for (let watchedMs = 0; watchedMs < watchMs; watchedMs += lookEveryMs) {
        await clock.sleep(lookEveryMs, ending.signal);
        const now = await client.get(keyOf(name));
        if (ending.signal.aborted || (now !== null && now !== before)) return false;
      }
      return true;
    },
    close: async () => {
      ending.abort();
      const isThere = client.status === 'ready';
      if (isThere) await Promise.all([beating, client.del(keyOf(process))]).catch(() => undefined);
    },
  };
}
