/** A private Redis on a free port, as a cluster needs it: nothing is evicted, and all that is told is kept. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRedis } from '../../src/cluster/redis.ts';
import type { RedisSettings } from '../../src/domain/cluster.ts';
import { silentLog } from '../../src/domain/log.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import { endDaemon, findFreePorts } from './daemon.ts';
import { findMissingPrograms } from './programs.ts';

export const missingForRedis = findMissingPrograms(['redis-server']);

export interface PrivateRedis {
  readonly settings: RedisSettings;
  /** Ends it at once, as a crash would. */
  readonly kill: () => Promise<void>;
  /** Starts it again, with what it had kept or with nothing. */
  readonly restart: (kept?: 'all' | 'nothing') => Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(...options: readonly string[]): Promise<PrivateRedis> {
  return await startRedisAt('127.0.0.1', ...options);
}

/** On that address of this machine. Encrypted where the options say so, and then not tried for its certificate. */
export async function startRedisAt(host: string, ...options: readonly string[]): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-redis-'));
  const [port = 0] = await findFreePorts(1);
  const password = 'test-password-of-a-private-redis';
  const tls = options.includes('--tls-cert-file');
  const settings = { host, port, password, tls, prefix: 'test' };
  const durable = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--dir', folder];
  const listen = tls ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)];
  const words = [...listen, '--bind', host, '--requirepass', password, ...durable];
  let daemon: ChildProcess | undefined;
  process.once('exit', () => daemon?.kill('SIGKILL'));
  const start = async (): Promise<void> => {
    daemon = spawn('redis-server', [...words, ...options], { stdio: 'ignore' });
    for (let tries = 0; ; tries += 1) {
      try {
        (await openRedis(settings, silentLog)).close();
        return;
      } catch (error) {
        // One that refuses us is there.
        if (error instanceof Stop && error.exitCode === exitCodes.wrongUse) return;
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
    restart: async (kept = 'all') => {
      await kill();
      if (kept === 'nothing') await rm(join(folder, 'appendonlydir'), { recursive: true, force: true });
      await start();
    },
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
