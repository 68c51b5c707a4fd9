/**
 * A process of its own that reads gzip bombs one after another, under the program's own setting of the heap, and writes a line
 * of JSON for each: what came of it, and by how many MiB the process had grown at most.
 */
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { gzipSync } from 'node:zlib';
import { openSource } from '../../src/source/open-source.ts';
import { openMemoryStorage } from '../source/memory-storage.ts';
import { type Bomb, bombs, makeBombSource } from './bombs.ts';

setFlagsFromString('--heap-growing-percent=50');
const mebibyte = 1024 * 1024;

/** Each piece is packed by itself, as gzip allows: packing hundreds of megabytes would take longer than reading them. */
function pack({ head, fill, mebibytes }: Bomb): AsyncIterable<unknown> {
  const piece = gzipSync(Buffer.alloc(Math.max(fill.length, mebibyte - (mebibyte % fill.length)), fill));
  return Readable.from(
    (function* () {
      yield gzipSync(Buffer.from(head));
      for (let left = mebibytes; left > 0; left -= 1) yield piece;
    })(),
  );
}

const readUsed = () => process.memoryUsage.rss() / mebibyte;
const before = readUsed();
for (const bomb of bombs) {
  const storage = openMemoryStorage([]);
  const settings = {
    source: makeBombSource(bomb.form),
    select: { include: [], exclude: [], kinds: [] },
  } as const;
  const told = { items: 0, broken: 0, words: '' };
  try {
    for await (const page of openSource(settings, { storage, nowMs: 0, standardInput: pack(bomb) })) {
      told.items += page.items.length;
      told.broken += page.broken.length;
      told.words ||= page.broken[0]?.message ?? '';
    }
  } catch (error) {
    told.words = String(error);
  }
  // The most that there ever was, between two looks too.
  const grown = Math.round(process.resourceUsage().maxRSS / 1024 - before);
  process.stdout.write(`${JSON.stringify({ name: bomb.name, ...told, grown })}\n`);
}
