/**
 * Lists a bucket once, in a process of its own: `PORT PARALLEL`. Tells its parent what came, how fast, and with how much
 * memory; with `--expose-gc` also how much of that is held, apart from garbage that was not collected yet.
 */
import { openSource } from '../src/source/open-source.ts';
import { openObjectStorage } from '../src/wire/s3.ts';
import type { Listing } from './listing.ts';

const [port, parallel] = process.argv.slice(2, 4).map(Number) as [number, number];
const settings = {
  name: 'bench',
  endpoint: `http://127.0.0.1:${port}`,
  region: 'us-east-1',
  pathStyle: true,
  accessKeyId: 'bench',
  secretAccessKey: 'bench',
};
const storage = openObjectStorage(new Map([['bench', settings]]));
const source = { form: 'bucket', storage: 'bench', bucket: 'media', prefixes: [''], parallel } as const;
const select = { include: [], exclude: [], kinds: [] };
const residentBefore = process.memoryUsage().rss;
const pagesACollection = 100;
let [keys, pages, peakHeapBytes, peakResidentBytes, heldBytes] = [0, 0, 0, 0, 0];
const begin = performance.now();
for await (const page of openSource({ source, select }, { storage, nowMs: 0 })) {
  keys += page.items.length;
  pages += 1;
  const { heapUsed, rss } = process.memoryUsage();
  peakHeapBytes = Math.max(peakHeapBytes, heapUsed);
  peakResidentBytes = Math.max(peakResidentBytes, rss);
  if (globalThis.gc !== undefined && pages % pagesACollection === 0) {
    globalThis.gc();
    heldBytes = Math.max(heldBytes, process.memoryUsage().heapUsed);
  }
}
const seconds = (performance.now() - begin) / 1000;
storage.close();
const memory = { residentBefore, peakHeapBytes, peakResidentBytes, heldBytes };
const listing: Listing = { keys, pages, seconds, ...memory };
process.send?.(listing);
process.disconnect();
