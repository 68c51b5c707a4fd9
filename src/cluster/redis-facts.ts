/** Asks a Redis what it is and how it keeps what it is told. */
import type { Redis } from 'ioredis';
import type { RedisFacts, RedisSettings } from '../domain/cluster.ts';
import type { Clock } from '../domain/clock.ts';
import { silentLog } from '../domain/log.ts';
import { explainRedis, openRedis } from './redis.ts';

/** Throws a `Stop` where it cannot be reached or refuses us. */
export async function readRedisFacts(
  settings: RedisSettings,
  clock: Pick<Clock, 'monotonic'>,
): Promise<RedisFacts> {
  const { client, close } = await openRedis(settings, silentLog);
  try {
    const askedMs = clock.monotonic();
    const [seconds, microseconds] = await client.time();
    const roundTripMs = clock.monotonic() - askedMs;
    const evictionPolicy = await readSetting(client, 'maxmemory-policy');
    const appends = await readSetting(client, 'appendonly');
    return {
      version: /^redis_version:(\S+)/m.exec(await client.info('server').catch(() => ''))?.[1],
      evictionPolicy,
      ...(appends !== undefined && { isAppending: appends === 'yes' }),
      timeMs: Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000),
      roundTripMs,
    };
  } catch (error) {
    throw explainRedis(settings, error);
  } finally {
    close();
  }
}

/** Those who run a Redis for others seldom let them read its settings. */
async function readSetting(client: Redis, name: string): Promise<string | undefined> {
  const answer = await client.config('GET', name).catch(() => undefined);
  const value: unknown = Array.isArray(answer) ? answer[1] : undefined;
  return typeof value === 'string' ? value : undefined;
}
