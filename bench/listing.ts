/**
 * Keys per second of a listing, several at a time against one at a time, with 40 ms added to each page; and what memory it
 * takes at 300,000 and at 3,000,000 keys. Alone: `node bench/built/bench/listing.js [keys] [pairs]`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Comparison, compare } from './measure.ts';
import { startBucket } from './project.ts';

const delayMs = 40;
const parallel = 16;

export interface Listing {
  readonly keys: number;
  readonly pages: number;
  readonly seconds: number;
  /** Of the whole process when the listing began: the program, its loader and the SDK. */
  readonly residentBefore: number;
  readonly peakHeapBytes: number;
  readonly peakResidentBytes: number;
  /** The most heap that was left after a collection; 0 where none was asked for. */
  readonly heldBytes: number;
}

/** Each listing has a process of its own, so that none inherits another's heap. */
async function list(
  port: number,
  width: number,
  keys: number,
  options: readonly string[] = [],
): Promise<Listing> {
  const words = [String(port), String(width)];
  const file = join(import.meta.dirname, 'listing-process.js');
  const child = fork(file, words, { execArgv: [...options] });
  const [listing] = (await once(child, 'message')) as [Listing];
  if (listing.keys !== keys) throw new Error(`expected ${keys} keys, found ${listing.keys}`);
  return listing;
}

/** A flat, a deep and a Chinese-named bucket of so many keys. */
export async function benchListing(keys = 300_000, pairs = 3): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const shape of ['flat', 'deep', 'Chinese'] as const) {
    const bucket = await startBucket(shape, keys, delayMs);
    const measure = async (width: number) => keys / (await list(bucket.port, width, keys)).seconds;
    try {
      comparisons.push(
        await compare(
          `listing a ${shape} bucket of ${keys} keys, parallel: ${parallel}`,
          'keys/s',
          'one listing at a time',
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

/** One parallel listing of a deep bucket of so many keys. */
export async function measureMemory(keys: number): Promise<Listing> {
  const bucket = await startBucket('deep', keys, delayMs);
  try {
    return await list(bucket.port, parallel, keys, ['--expose-gc']);
  } finally {
    bucket.stop();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const keys = Number(process.argv[2] ?? 300_000);
  for (const count of [keys, keys * 10]) {
    const listing = await measureMemory(count);
    const [held, heap, resident, before] = [
      listing.heldBytes,
      listing.peakHeapBytes,
      listing.peakResidentBytes,
      listing.residentBefore,
    ].map((bytes) => Math.round(bytes / 1e6));
    console.log(
      `${count} keys in ${listing.pages} pages: heap ${held} MB held, ${heap} MB with garbage; resident ${resident} MB at most (${before} MB before the listing)`,
    );
  }
  await benchListing(keys, Number(process.argv[3] ?? 3));
}
