/** What a process shares with those on other machines, where `config/cluster.yaml` says so. */
import { hostname } from 'node:os';
import { RedisPaceOffice } from '../cluster/pace-office.ts';
import { announce } from '../cluster/presence.ts';
import { openRedis } from '../cluster/redis.ts';
import { type Folders, openCluster } from '../config/open.ts';
import type { Log } from '../domain/log.ts';
import type { PaceOffice } from '../domain/pace.ts';
import type { Outside } from './outside.ts';

export interface Cluster {
  /** Where limits are shared with all machines. */
  readonly pace: PaceOffice;
}

/**
 * Opens it for as long as it is used; gives nothing where this machine is alone.
 *
 * @throws `Stop`: exit 2 where the file is not in order, or Redis refuses us, exit 3 where it cannot be reached
 */
export async function withCluster<Value>(
  { clock, environment, processId }: Outside,
  folders: Folders,
  log: Log,
  use: (cluster: Cluster | undefined) => Promise<Value>,
): Promise<Value> {
  const settings = await openCluster(folders.config, environment);
  if (!settings) return await use(undefined);
  const { prefix } = settings.redis;
  const { client, close } = await openRedis(settings.redis, log);
  try {
    // No other process has had this name, or will.
    const process = `${hostname()}:${processId}:${clock.now().toString(36)}`;
    const presence = await announce({ client, prefix }, process, clock);
    try {
      const { isAlive } = presence;
      return await use({ pace: new RedisPaceOffice({ client, prefix, process, clock, isAlive }) });
    } finally {
      await presence.close();
    }
  } finally {
    close();
  }
}
