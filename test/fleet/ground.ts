/** What a fleet works on: Redis, PostgreSQL, a bucket, both vendors' stand-ins, and a project that names them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmulatorFaults, noFaults } from '../../src/domain/emulator.ts';
import { loadLibrary, makeKnownMedia } from '../../src/rehearsal/library.ts';
import { openShelf } from '../../src/rehearsal/shelf.ts';
import { makeStore } from '../../src/rehearsal/store.ts';
import { makeMemoryVault } from '../../src/rehearsal/vault.ts';
import { emulators } from '../../src/vendors/emulators.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { serve } from '../../src/wire/server.ts';
import { makeUrlReader } from '../../src/wire/url-reader.ts';
import { startPostgres, type TestServer } from '../support/postgres.ts';
import { type PrivateRedis, startRedisAt } from '../support/redis.ts';
import { type VendorCounter, countAt } from './counter.ts';
import type { Machine, Network } from './network.ts';

const root = join(import.meta.dirname, '..', '..');
const program = join(root, 'dist', 'main.js');
const storeKey = { id: 'fleet-access-key', secret: 'fleet-secret-key' };
const bucket = 'media';

export interface Limits {
  readonly concurrency: number;
  readonly perSecond: number;
  readonly maxOpenJobs: number;
}

export interface GroundOptions {
  readonly network: Network;
  readonly faults: Partial<EmulatorFaults>;
  readonly limits: Readonly<Record<'pai' | 'qiniu', Limits>>;
  /** As in `config/cluster.yaml`. */
  readonly shards: string;
  /** What PostgreSQL writes outlives the machine; it need not where absent. */
  readonly isDurable?: boolean;
}

export interface Started {
  readonly process: ChildProcess;
  readonly ended: Promise<{ readonly exitCode: number | null; readonly out: string; readonly err: string }>;
}

export interface Ground {
  readonly folder: string;
  readonly network: Network;
  readonly redis: PrivateRedis;
  readonly postgres: TestServer;
  /** What each vendor sees. */
  readonly vendors: Readonly<Record<'pai' | 'qiniu', VendorCounter>>;
  /** Changes the faults of both. */
  readonly setFaults: (faults: Partial<EmulatorFaults>) => Promise<void>;
  /** Puts `count` media under a prefix that differ in content from all others, of so many bytes at least. */
  readonly putMedia: (prefix: string, count: number, mediaType: string, leastBytes?: number) => Promise<void>;
  readonly removeMedia: (prefix: string) => Promise<void>;
  readonly writePipeline: (name: string, text: string) => Promise<string>;
  readonly start: (machine: Machine, ...words: readonly string[]) => Started;
  readonly close: () => Promise<void>;
}

/** All servers are up when it resolves. */
export async function openGround(options: GroundOptions): Promise<Ground> {
  const { network, limits, shards } = options;
  const { hub } = network;
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-fleet-'));
  const [redis, postgres] = await Promise.all([
    startRedisAt(hub.address),
    startPostgres({ host: hub.address, isDurable: options.isDurable === true }),
  ]);
  const shelf = await openShelf(makeMemoryVault());
  await shelf.addBucket(bucket, systemClock.now());
  const store = makeStore({ clock: systemClock, shelf, credentials: { [storeKey.id]: storeKey.secret } });
  const place = { host: hub.address, maxBodyBytes: 64 * 1024 * 1024, timeoutMs: 60_000 };
  const bucketServer = await serve(store.handler, place);
  const reader = makeUrlReader({
    allowPrivateAddresses: true,
    maxBytes: 64 * 1024 * 1024,
    timeoutMs: 30_000,
  });
  const library = await loadLibrary();
  const vendors: Record<string, VendorCounter> = {};
  const servers: { readonly close: () => Promise<void> }[] = [bucketServer, reader];
  const accounts: string[] = [];
  for (const { vendor, credentials, open } of emulators) {
    const faults = { ...noFaults, ...options.faults };
    const callBack = () => Promise.resolve(undefined);
    const knownMedia = makeKnownMedia(library);
    const counter = countAt(open({ reader, clock: systemClock, credentials, faults, knownMedia, callBack }));
    const server = await serve(counter.handler, place);
    counter.watchPort(server.port);
    vendors[vendor] = counter;
    servers.push(server);
    const keys = Object.entries(credentials).map(([name, value]) => `${name}: "${value}"`);
    const allowed = limits[vendor as 'pai' | 'qiniu'];
    accounts.push(
      `  ${vendor}-fleet: { vendor: ${vendor}, endpoint: "${server.url}", ${keys.join(', ')}, limits: ${JSON.stringify(allowed)} }\n`,
    );
  }
  await mkdir(join(folder, 'pipelines'));
  await cp(join(root, 'config', 'rehearsal'), join(folder, 'config'), { recursive: true });
  const config = (name: string, text: string) => writeFile(join(folder, 'config', name), text);
  await config('accounts.yaml', `accounts:\n${accounts.join('')}`);
  await config(
    'storages.yaml',
    `storages:\n  main: { endpoint: "${bucketServer.url}", region: us-east-1, pathStyle: true, accessKeyId: ${storeKey.id}, secretAccessKey: ${storeKey.secret} }\n`,
  );
  const redisAt = `host: ${hub.address}, port: ${redis.settings.port}, password: "\${REDIS_PASSWORD}"`;
  const { port, database, user } = postgres.access;
  const postgresAt = `host: ${hub.address}, port: ${port}, database: ${database}, user: ${user}`;
  await config(
    'cluster.yaml',
    `redis: { ${redisAt} }\nledger: { postgres: { ${postgresAt} } }\nshards: ${shards}\n`,
  );
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    REDIS_PASSWORD: redis.settings.password ?? '',
  };
  const started = new Set<ChildProcess>();
  return {
    folder,
    network,
    redis,
    postgres,
    vendors: vendors as Ground['vendors'],
    setFaults: async (faults) => {
      for (const counter of Object.values(vendors)) await counter.setFaults(faults);
    },
    putMedia: async (prefix, count, mediaType, leastBytes = 0) => {
      const original = library.find((file) => file.mediaType === mediaType);
      if (!original) throw new Error(`the library holds no ${mediaType}`);
      const extension = original.path.split('.').at(-1);
      for (let index = 0; index < count; index += 1) {
        // Passed over by every reader: an MP4 box of type `free`, bytes after a JPEG's end.
        const word = Buffer.from(`free${prefix}${String(index).padStart(6, '0')}`);
        const size = Buffer.alloc(4);
        size.writeUInt32BE(word.length + 4, 0);
        const rest = Buffer.alloc(
          Math.max(0, leastBytes - original.bytes.length - size.length - word.length),
        );
        const bytes = Buffer.concat([original.bytes, size, word, rest]);
        const key = `${prefix}${String(index).padStart(6, '0')}.${extension}`;
        await shelf.put(bucket, key, bytes, { contentType: mediaType, lastModifiedMs: systemClock.now() });
      }
    },
    removeMedia: async (prefix) => {
      for (const { key } of shelf.listObjects(bucket)) {
        if (key.startsWith(prefix)) await shelf.remove(bucket, key);
      }
    },
    writePipeline: async (name, text) => {
      const path = join('pipelines', `${name}.yaml`);
      await writeFile(join(folder, path), text);
      return path;
    },
    start: ({ enter }, ...words) => {
      const [command = '', ...more] = [...enter, process.execPath, program, ...words];
      const child = spawn(command, more, {
        cwd: folder,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      started.add(child);
      let [out, err] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        err += text;
      });
      const ended = new Promise<Awaited<Started['ended']>>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (exitCode) => {
          started.delete(child);
          resolve({ exitCode, out, err });
        });
      });
      return { process: child, ended };
    },
    close: async () => {
      for (const child of started) child.kill('SIGKILL');
      await Promise.all([...servers.map((server) => server.close()), redis.stop(), postgres.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
