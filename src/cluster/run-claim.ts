/** Keeps two coordinators of one pipeline apart, on whatever machines; and tells workers that a run is to stop. */
import type { Redis } from 'ioredis';
import { exitCodes, Stop } from '../domain/problem.ts';
import type { Presence } from './presence.ts';

interface Office {
  readonly client: Redis;
  readonly prefix: string;
  readonly process: string;
  readonly presence: Pick<Presence, 'isDead' | 'onReturn'>;
}

/** Takes the key where it holds what is expected there. */
const takeScript = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1`;

const leaveScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`;

/** Takes the key where it holds ours or, after a Redis that came back empty, nothing. */
const keepScript = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1`;

export interface PipelineClaim {
  /** Aborts where this process was not heard of for so long that another one has taken the pipeline. */
  readonly lost: AbortSignal;
  readonly giveBack: () => Promise<void>;
}

/**
 * Claims a pipeline, from a coordinator that is dead too.
 *
 * @throws `Stop` with exit 6 where another coordinator holds it
 */
export async function claimPipeline(office: Office, pipeline: string): Promise<PipelineClaim> {
  const { client, process, presence } = office;
  const key = nameKey(office, pipeline);
  for (;;) {
    const holder = await client.get(key);
    if (holder !== null && !(await presence.isDead(holder))) throw refuse(pipeline, holder);
    if ((await client.eval(takeScript, 1, key, holder ?? '', process)) === 1) break;
    const other = await client.get(key);
    if (other !== null) throw refuse(pipeline, other);
    // A Redis that came back with nothing has forgotten the dead one meanwhile.
  }
  const losing = new AbortController();
  presence.onReturn(async () => {
    if ((await client.eval(keepScript, 1, key, process)) !== 1) losing.abort();
  });
  return {
    lost: losing.signal,
    giveBack: async () => {
      if (client.status === 'ready') await client.eval(leaveScript, 1, key, process).catch(() => undefined);
    },
  };
}

/** The process that coordinates a pipeline, alive or not. */
export async function findCoordinator(
  office: Pick<Office, 'client' | 'prefix'>,
  pipeline: string,
): Promise<string | undefined> {
  return (await office.client.get(nameKey(office, pipeline))) ?? undefined;
}

function nameKey({ prefix }: Pick<Office, 'prefix'>, pipeline: string): string {
  return `${prefix}:coordinator:${pipeline}`;
}

/** What is told once `lost` has aborted. */
export function explainLost(pipeline: string): Stop {
  return new Stop(
    exitCodes.locked,
    `pipeline "${pipeline}": this process was not heard of for so long that another run has taken it over: what was under way is the other one's. Look there: mediasweep status ${pipeline}.`,
  );
}

function refuse(pipeline: string, holder: string): Stop {
  return new Stop(
    exitCodes.locked,
    `pipeline "${pipeline}": another run holds it: ${holder}. Wait until it has ended, or stop that process; a dead one holds nothing after some seconds.`,
  );
}

const keptSeconds = 24 * 60 * 60;

/** What a coordinator wants of the workers on its run, and what they have to tell it. */
export class RunWish {
  readonly #client: Redis;
  readonly #key: string;
  readonly #troubles: string;

  constructor({ client, prefix }: Pick<Office, 'client' | 'prefix'>, run: string) {
    this.#client = client;
    this.#key = `${prefix}:stop:${run}`;
    this.#troubles = `${prefix}:trouble:${run}`;
  }

  async stop(): Promise<void> {
    await this.#client.set(this.#key, '1', 'EX', keptSeconds);
  }

  async goOn(): Promise<void> {
    await this.#client.del(this.#key, this.#troubles);
  }

  async isStopped(): Promise<boolean> {
    return (await this.#client.exists(this.#key)) === 1;
  }

  /** A worker cannot carry shards of the run out, in words. */
  async tellTrouble(process: string, words: string): Promise<void> {
    await this.#client
      .multi()
      .hset(this.#troubles, process, words)
      .expire(this.#troubles, keptSeconds)
      .exec();
  }

  /** By process. */
  async readTroubles(): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries(await this.#client.hgetall(this.#troubles)));
  }
}
