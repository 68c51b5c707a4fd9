/** A private Redis on a free port of 127.0.0.1, as a cluster needs it: nothing is evicted, and all that is told is kept. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRedis } from '../../src/cluster/redis.ts';
import type { RedisSettings } from '../../src/domain/cluster.ts';
import { silentLog } from '../../src/domain/log.ts';
import { endDaemon, findFreePorts } from './daemon.ts';
import { findMissingPrograms } from './server.ts';

export const missingForRedis = findMissingPrograms(['redis-server']);

export interface PrivateRedis {
  readonly settings: RedisSettings;
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>;
  /** Starts it again with what it had kept. */
  readonly restart: () => Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(...options: readonly string[]): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-redis-'));
  const [port = 0] = await findFreePorts(1);
  const password = 'test-password-of-a-private-redis';
  const settings = { host: '127.0.0.1', port, password, tls: false, prefix: 'test' };
  const durable = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--dir', folder];
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--requirepass', password, ...durable];
  let daemon: ChildProcess | undefined;
  process.once('exit', () => daemon?.kill('SIGKILL'));
  const start = async (): Promise<void> => {
    daemon = spawn('redis-server', [...words, ...options], { stdio: 'ignore' });
    for (let tries = 0; ; tries += 1) {
      try {
        (await openRedis(settings, silentLog)).close();
        return;
      } catch (error) {
        if (tries > 200) throw error;
        await sleep(50);
      }
    }
  };
  const kill = async (): Promise<void> => {
    if (daemon) await endDaemon(daemon);
  };
  await start();
  return {
    settings,
    kill,
    restart: async () => {
      await kill();
      await start();
    },
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
