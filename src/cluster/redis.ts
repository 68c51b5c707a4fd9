/** The connection to Redis: opened at once or not at all, and then kept, whatever happens to it. */
import type { Redis } from 'ioredis';
import type { RedisSettings } from '../domain/cluster.ts';
import type { Log } from '../domain/log.ts';
import { describeError, exitCodes, Stop, wrongUse } from '../domain/problem.ts';

const connectMs = 10_000;
const mostRetryMs = 1000;

export interface RedisConnection {
  readonly client: Redis;
  readonly close: () => void;
}

/**
 * Connects, and sees that it is let in. Afterwards a connection that is lost is made anew for as long as it takes, which
 * is told in the log; what is asked meanwhile waits.
 *
 * @throws `Stop`: exit 2 where the package is missing or Redis refuses us, exit 3 where it cannot be reached
 */
export async function openRedis(
  settings: RedisSettings,
  log: Log,
  load: () => Promise<{ readonly Redis: typeof Redis }> = () => import('ioredis'),
): Promise<RedisConnection> {
  const Client = await loadPackage(load);
  let isOpen = false;
  const client = new Client({
    ...makeOptions(settings),
    lazyConnect: true,
    connectTimeout: connectMs,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (isOpen ? Math.min(mostRetryMs, 50 * times) : null),
  });
  let failure: unknown;
  let isLost = false;
  client.on('error', (error: unknown) => {
    failure = error;
  });
  client.on('close', () => {
    if (!isOpen || isLost) return;
    isLost = true;
    log.warn(`${nameRedis(settings)} was lost: nothing is begun that needs it until it is back`);
  });
  client.on('ready', () => {
    if (isLost) log.info(`${nameRedis(settings)} is back`);
    isLost = false;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    client.disconnect();
    throw explainRedis(settings, failure ?? error);
  }
  isOpen = true;
  return {
    client,
    close: () => {
      isOpen = false;
      client.disconnect();
    },
  };
}

/** For clients that others make, as BullMQ does. */
export function makeOptions({ host, port, user, password, tls }: RedisSettings) {
  return {
    host,
    port,
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  };
}

/** `redis redis.internal:6379`: where an error text begins. */
function nameRedis({ host, port }: Pick<RedisSettings, 'host' | 'port'>): string {
  return `redis ${host}:${port}`;
}

async function loadPackage(load: () => Promise<{ readonly Redis: typeof Redis }>): Promise<typeof Redis> {
  try {
    return (await load()).Redis;
  } catch (error) {
    throw wrongUse(
      `config/cluster.yaml names redis, and the package "ioredis" cannot be loaded: "${describeError(error)}". Install it: npm install ioredis.`,
    );
  }
}

/** What a person can do about it; Redis' own words stay. */
export function explainRedis(settings: RedisSettings, error: unknown): Stop {
  if (error instanceof Stop) return error;
  const said = describeError(error);
  const where = nameRedis(settings);
  if (/NOAUTH|WRONGPASS|invalid password|without any password/i.test(said)) {
    return wrongUse(
      `${where}: the credentials were refused: "${said}". Check user and password in config/cluster.yaml.`,
    );
  }
  if (/NOPERM/.test(said)) {
    return wrongUse(
      `${where}: the user may not do this: "${said}". Give it all commands on the keys of its prefix.`,
    );
  }
  if (/certificate|self.signed/i.test(said)) {
    return wrongUse(
      `${where}: its certificate is not trusted: "${said}". Set NODE_EXTRA_CA_CERTS to the file of its authority's certificate, and name the host in config/cluster.yaml as the certificate has it.`,
    );
  }
  if (/ENOTFOUND|wrong version number|ERR_TLS/i.test(said)) {
    return wrongUse(
      `${where}: it cannot be used so: "${said}". Check host, port and tls in config/cluster.yaml.`,
    );
  }
  return new Stop(
    exitCodes.halted,
    `${where}: it cannot be reached: "${said}". Check that it runs, and host, port and tls in config/cluster.yaml. Run again to go on.`,
  );
}
