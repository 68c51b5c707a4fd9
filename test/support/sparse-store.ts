/** The embedded store over films that take no room: a bucket `films` whose objects are made as they are read. */
import { openShelf } from '../../src/rehearsal/shelf.ts';
import { makeStore, type Store } from '../../src/rehearsal/store.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { type RunningServer, serve } from '../../src/wire/server.ts';
import type { SparseFile } from './sparse-film.ts';

export const filmKeys = { accessKeyId: 'AKIDFILMS', secretAccessKey: 'secret-of-the-films' } as const;

export interface SparseStore {
  readonly store: Store;
  readonly server: RunningServer;
  /** Bytes that were read of objects so far. */
  readonly bytesRead: () => number;
}

export async function startSparseStore(
  films: Readonly<Record<string, SparseFile>>,
  delayMs = 0,
): Promise<SparseStore> {
  let bytesRead = 0;
  const refuse = async () => await Promise.reject(new Error('films are only read'));
  const shelf = await openShelf({
    load: async () => [
      {
        bucket: { name: 'films', createdMs: 0 },
        records: Object.entries(films).map(([key, { sizeBytes }]) => ({
          key,
          place: key,
          sizeBytes,
          etag: 'd41d8cd98f00b204e9800998ecf8427e',
          lastModifiedMs: 0,
          contentType: 'video/mp4',
          metadata: {},
        })),
      },
    ],
    read: async (_, place, start, end) => {
      const bytes = films[place]?.read(start, end) ?? Buffer.alloc(0);
      bytesRead += bytes.length;
      return bytes;
    },
    addBucket: refuse,
    write: refuse,
    forget: refuse,
  });
  const credentials = { [filmKeys.accessKeyId]: filmKeys.secretAccessKey };
  const store = makeStore({ clock: systemClock, shelf, credentials, delayMs });
  const server = await serve(store.handler, { maxBodyBytes: 1_000_000, timeoutMs: 30_000 });
  return { store, server, bytesRead: () => bytesRead };
}
