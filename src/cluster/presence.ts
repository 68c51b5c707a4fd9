/** Which processes there are: each says so again and again, and is forgotten soon after its last word. */
import type { Redis } from 'ioredis';
import type { Clock } from '../domain/clock.ts';

const beatMs = 2000;
/** Whoever has not been heard of for so long is dead, or cut off and begins nothing. */
const forgottenMs = 10_000;

export interface Presence {
  readonly isAlive: (process: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** Makes this process known under a name that no other has. */
export async function announce(
  { client, prefix }: { readonly client: Redis; readonly prefix: string },
  process: string,
  clock: Pick<Clock, 'sleep'>,
): Promise<Presence> {
  const keyOf = (name: string) => `${prefix}:process:${name}`;
  const beat = () => client.set(keyOf(process), '1', 'PX', forgottenMs);
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
  return {
    isAlive: async (name) => (await client.exists(keyOf(name))) === 1,
    close: async () => {
      ending.abort();
      const isThere = client.status === 'ready';
      if (isThere) await Promise.all([beating, client.del(keyOf(process))]).catch(() => undefined);
    },
  };
}
