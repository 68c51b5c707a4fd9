/** Probes files that lie in memory, and counts what that costs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Item, Kind, MediaFacts } from '../../src/domain/item.ts';
import type { ObjectStorage } from '../../src/domain/storage.ts';
import { makeProber } from '../../src/source/probe.ts';
import { makeSparse, type SparseFile } from '../support/sparse-film.ts';

const folder = join(import.meta.dirname, '..', 'fixtures', 'media');

/** What ffprobe says of a file; the duration of pictures and of recordings is `N/A`. */
export interface Truth {
  readonly seconds: string;
  readonly size: string;
  readonly keyFrames: number;
}

export const truths = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Record<string, Truth>;

export function loadFixture(name: string): Buffer {
  return readFileSync(join(folder, name));
}

export interface Probed {
  readonly facts: MediaFacts;
  readonly reads: number;
  readonly bytes: number;
}

/** As an object whose size the listing tells. */
export async function probeFile(given: SparseFile | Uint8Array, kind: Kind): Promise<Probed> {
  const file = given instanceof Uint8Array ? makeSparse([given]) : given;
  const count = { reads: 0, bytes: 0 };
  const storage: ObjectStorage = {
    list: async () => ({ objects: [], isTruncated: false }),
    head: async () => ({ sizeBytes: file.sizeBytes }),
    read: async (_, start, end) => {
      const bytes = file.read(start, end);
      count.reads += 1;
      count.bytes += bytes.length;
      return bytes;
    },
    sign: async () => ({ url: '' }),
    close: () => undefined,
  };
  const urlReader = { read: async () => ({ ok: false, message: 'not asked for' }) as const };
  const item: Item = {
    id: 'i',
    position: new Uint8Array(),
    kind,
    object: { storage: 'main', bucket: 'media', key: 'file' },
    sizeBytes: file.sizeBytes,
  };
  const facts = await makeProber({ storage, urlReader })(item);
  return { facts, ...count };
}
