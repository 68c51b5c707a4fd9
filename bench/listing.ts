/**
 * Keys per second of a listing, several at a time against one at a time, with 40 ms added to each page; and what memory it
 * takes at 300,000 and at 3,000,000 keys. Alone: `npx tsx bench/listing.ts [keys] [pairs]`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openSource } from '../src/source/open-source.ts';
import { openObjectStorage } from '../src/wire/s3.ts';
import { type Comparison, compare } from './measure.ts';

const delayMs = 40;
const parallel = 16;

export interface Listing {
  readonly keys: number;
  readonly keysPerSecond: number;
  readonly pages: number;
  readonly peakHeapBytes: number;
  readonly peakResidentBytes: number;
}

async function openBucket(shape: string, keys: number): Promise<{ port: number; stop: () => void }> {
  const words = [shape, String(keys), String(delayMs)];
  const child = fork(join(import.meta.dirname, 'bucket-server.ts'), words, { execArgv: ['--import', 'tsx'] });
  const [port] = (await once(child, 'message')) as [number];
  return { port, stop: () => child.disconnect() };
}

async function list(port: number, width: number): Promise<Listing> {
  const settings = {
    name: 'bench',
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    pathStyle: true,
    accessKeyId: 'bench',
    secretAccessKey: 'bench',
  };
  const storage = openObjectStorage(new Map([['bench', settings]]));
  const source = {
    form: 'bucket',
    storage: 'bench',
    bucket: 'media',
    prefixes: [''],
    parallel: width,
  } as const;
  const select = { include: [], exclude: [], kinds: [] };
  let [keys, pages, peakHeapBytes, peakResidentBytes] = [0, 0, 0, 0];
  const begin = performance.now();
  for await (const page of openSource({ source, select }, { storage, nowMs: Date.now() })) {
    keys += page.items.length;
    pages += 1;
    const { heapUsed, rss } = process.memoryUsage();
    peakHeapBytes = Math.max(peakHeapBytes, heapUsed);
    peakResidentBytes = Math.max(peakResidentBytes, rss);
  }
  const keysPerSecond = keys / ((performance.now() - begin) / 1000);
  storage.close();
  return { keys, keysPerSecond, pages, peakHeapBytes, peakResidentBytes };
}

/** A flat, a deep and a Chinese-named bucket of so many keys. */
export async function benchListing(keys = 300_000, pairs = 3): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const shape of ['flat', 'deep', 'Chinese']) {
    const bucket = await openBucket(shape, keys);
    const measure = async (width: number) => {
      const listing = await list(bucket.port, width);
      if (listing.keys !== keys) throw new Error(`expected ${keys} keys, found ${listing.keys}`);
      return listing.keysPerSecond;
    };
    try {
      const name = `listing a ${shape} bucket of ${keys} keys, parallel: ${parallel}`;
      const against = 'one listing at a time';
      comparisons.push(
        await compare(
          name,
          'keys/s',
          against,
          pairs,
          () => measure(parallel),
          () => measure(1),
        ),
      );
    } finally {
      bucket.stop();
    }
  }
  return comparisons;
}

/** Peak memory of one parallel listing of so many keys. */
export async function measureMemory(keys: number): Promise<Listing> {
  const bucket = await openBucket('deep', keys);
  try {
    return await list(bucket.port, parallel);
  } finally {
    bucket.stop();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const keys = Number(process.argv[2] ?? 300_000);
  for (const count of [keys, keys * 10]) {
    const { peakHeapBytes, peakResidentBytes, keysPerSecond } = await measureMemory(count);
    const [heap, resident] = [peakHeapBytes, peakResidentBytes].map((bytes) => Math.round(bytes / 1e6));
    console.log(
      `${count} keys: heap ${heap} MB, resident ${resident} MB at most; ${keysPerSecond.toFixed(0)} keys/s`,
    );
  }
  await benchListing(keys, Number(process.argv[3] ?? 3));
}
