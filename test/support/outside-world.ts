/** A project folder of its own with a real store and the vendors' stand-ins behind it, all over real sockets. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type Emulator,
  type EmulatorFaults,
  type EmulatorSwitches,
  type EmulatorTools,
  noFaults,
} from '../../src/domain/emulator.ts';
import type { Handler } from '../../src/domain/exchange.ts';
import { type LibraryFile, loadLibrary, makeKnownMedia } from '../../src/rehearsal/library.ts';
import { emulators } from '../../src/vendors/emulators.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openHttp } from '../../src/wire/http.ts';
import { serve } from '../../src/wire/server.ts';
import { makeLoopbackReader } from '../../src/wire/url-reader.ts';
import { startEmbeddedStore } from './embedded-store.ts';
import { type Ended, type Running, runCommand, startCommand } from './command.ts';

const root = join(import.meta.dirname, '..', '..');
const mediaLimits = { maxBytes: 64 * 1024 * 1024, timeoutMs: 30_000 };

export interface OutsideWorld {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly emulators: Readonly<Record<string, Emulator>>;
  /** Changes the faults of one vendor's stand-in. */
  readonly setFaults: (vendor: string, faults: Partial<EmulatorFaults>) => Promise<void>;
  /** Changes what a vendor's manual leaves open. */
  readonly setSwitches: (vendor: string, switches: EmulatorSwitches) => Promise<void>;
  /** Callbacks of the stand-ins, as they were answered; no status where nobody listened. */
  readonly callbacks: readonly { readonly url: string; readonly status: number | undefined }[];
  /** Where the stand-ins were told to call back, each as it was submitted. */
  readonly hookUrls: readonly string[];
  readonly put: (key: string, bytes: Uint8Array, mediaType: string) => Promise<void>;
  /** The objects below a prefix, by what follows it. */
  readonly readBucket: (prefix: string) => Promise<ReadonlyMap<string, Buffer>>;
  readonly writePipeline: (name: string, text: string) => Promise<string>;
  readonly run: (...words: string[]) => Promise<Ended>;
  readonly start: (...words: string[]) => Running;
}

export interface WorldOptions {
  /** By vendor. */
  readonly switches?: Readonly<Record<string, EmulatorSwitches>>;
  /** Variables beside those of the store and the stand-ins. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Everything ends with the test. `faults` hold for every vendor from the beginning. */
export async function openWorld(
  faults: Partial<EmulatorFaults> = {},
  { switches = {}, variables = {} }: WorldOptions = {},
): Promise<OutsideWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-e2e-'));
  const store = await startEmbeddedStore();
  await store.store.shelf.addBucket('media', systemClock.now());
  const reader = makeLoopbackReader(mediaLimits);
  const http = openHttp({ connections: 8 });
  const library = await loadLibrary();
  const environment: Record<string, string> = {
    MEDIASWEEP_S3_PORT: new URL(store.endpoint).port,
    MEDIASWEEP_S3_KEY: store.accessKeyId,
    MEDIASWEEP_S3_SECRET: store.secretAccessKey,
    ...variables,
  };
  const callbacks: { url: string; status: number | undefined }[] = [];
  const hookUrls: string[] = [];
  const running: Record<string, { emulator: Emulator; url: string; close: () => Promise<void> }> = {};
  for (const { vendor, credentials, open } of emulators) {
    const tools: EmulatorTools = {
      reader,
      clock: systemClock,
      credentials,
      faults: { ...noFaults, jobMs: 150, ...faults },
      knownMedia: makeKnownMedia(library),
      callBack: async (url, headers, body) => {
        const call = { method: 'POST', url, headers, body } as const;
        const sent = await http.send(call, { timeoutMs: 5000, maxBytes: 65_536 });
        const status = sent.phase === 'answered' ? sent.reply.status : undefined;
        callbacks.push({ url, status });
        return status;
      },
    };
    const emulator = open(tools, switches[vendor]);
    const handler: Handler = async (request) => {
      const hook = /"hookURL":"([^"]+)"/.exec(Buffer.from(request.body).toString('utf8'))?.[1];
      if (hook !== undefined) hookUrls.push(hook);
      return await emulator.handler(request);
    };
    const server = await serve(handler, { maxBodyBytes: mediaLimits.maxBytes, timeoutMs: 30_000 });
    running[vendor] = { emulator, url: server.url, close: () => server.close() };
    environment[`MEDIASWEEP_${vendor.toUpperCase()}_PORT`] = String(server.port);
  }
  await mkdir(join(folder, 'pipelines'));
  await cp(join(root, 'config', 'rehearsal'), join(folder, 'config'), { recursive: true });
  onTestFinished(async () => {
    await Promise.all([
      store.stop(),
      reader.close(),
      http.close(),
      ...Object.values(running).map(({ close }) => close()),
    ]);
    await rm(folder, { recursive: true, force: true });
  });
  const control = async (vendor: string, what: 'faults' | 'switches', change: unknown): Promise<void> => {
    const url = `${running[vendor]?.url}/_emulator/${what}`;
    const call = { method: 'POST', url, headers: {}, body: JSON.stringify(change) } as const;
    const sent = await http.send(call, { timeoutMs: 5000, maxBytes: 65_536 });
    if (sent.phase !== 'answered' || sent.reply.status !== 200)
      throw new Error(`${what} of ${vendor} were not taken`);
  };
  return {
    folder,
    environment,
    emulators: Object.fromEntries(
      Object.entries(running).map(([vendor, { emulator }]) => [vendor, emulator]),
    ),
    callbacks,
    hookUrls,
    setFaults: (vendor, change) => control(vendor, 'faults', change),
    setSwitches: (vendor, change) => control(vendor, 'switches', change),
    put: async (key, bytes, contentType) => {
      await store.store.shelf.put('media', key, bytes, { contentType, lastModifiedMs: systemClock.now() });
    },
    readBucket: async (prefix) => {
      const { shelf } = store.store;
      const found = shelf.listObjects('media').filter(({ key }) => key.startsWith(prefix));
      const read = async (object: (typeof found)[number]) =>
        [
          object.key.slice(prefix.length),
          Buffer.from(await shelf.read('media', object, 0, object.sizeBytes)),
        ] as const;
      return new Map(await Promise.all(found.map(read)));
    },
    writePipeline: async (name, text) => {
      const path = join('pipelines', `${name}.yaml`);
      await writeFile(join(folder, path), text);
      return path;
    },
    run: (...words) => runCommand(words, { folder, environment }),
    start: (...words) => startCommand(words, { folder, environment }),
  };
}

/** Puts the sample library into the world's bucket. */
export async function putLibrary(world: OutsideWorld): Promise<readonly LibraryFile[]> {
  const library = await loadLibrary();
  for (const { path, bytes, mediaType } of library) await world.put(path, bytes, mediaType);
  return library;
}

/** Puts `count` copies of a library file that differ in content, so that each is paid for on its own. */
export async function putVariants(
  world: OutsideWorld,
  count: number,
  mediaType: string,
): Promise<readonly string[]> {
  const library = await loadLibrary();
  const original = library.find((file) => file.mediaType === mediaType);
  if (!original) throw new Error(`the library holds no ${mediaType}`);
  const extension = original.path.split('.').at(-1);
  const keys = Array.from(
    { length: count },
    (_, index) => `variants/${String(index).padStart(5, '0')}.${extension}`,
  );
  for (const [index, key] of keys.entries()) {
    // An MP4 box of type `free`, and bytes after a JPEG's end, are passed over by every reader.
    const tail = Buffer.alloc(12);
    tail.writeUInt32BE(12, 0);
    tail.write('free', 4, 'latin1');
    tail.writeUInt32BE(index, 8);
    await world.put(key, Buffer.concat([original.bytes, tail]), mediaType);
  }
  return keys;
}
