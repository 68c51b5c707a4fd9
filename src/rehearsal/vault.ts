/** Where the embedded store keeps bytes: in memory, or in a folder that outlives the process. */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectRecord, StoredBucket, Vault } from './shelf.ts';

/** Nothing outlives the process. */
export function makeMemoryVault(): Vault {
  const places = new Map<string, Uint8Array>();
  return {
    load: () => Promise.resolve([]),
    addBucket: () => Promise.resolve(),
    write: (bucket, record, bytes) => {
      places.set(`${bucket}/${record.place}`, Uint8Array.from(bytes));
      return Promise.resolve();
    },
    read: (bucket, place, start, end) =>
      Promise.resolve((places.get(`${bucket}/${place}`) ?? new Uint8Array(0)).subarray(start, end)),
    forget: (bucket, place) => {
      places.delete(`${bucket}/${place}`);
      return Promise.resolve();
    },
  };
}

const bucketFile = 'bucket.json';

/**
 * One folder a bucket. An object is a file of bytes, and a record named by the hash of its key, because keys hold
 * characters and lengths that no file system takes. A record is renamed into place after its bytes are there, so
 * that a crash leaves the old object or the new one.
 */
export function makeFolderVault(folder: string): Vault {
  const recordFile = (bucket: string, key: string): string =>
    join(folder, bucket, `${createHash('sha256').update(key).digest('hex')}.json`);
  const bytesFile = (bucket: string, place: string): string => join(folder, bucket, `${place}.bytes`);
  return {
    async load() {
      await mkdir(folder, { recursive: true });
      const entries = await readdir(folder, { withFileTypes: true });
      const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
      return Promise.all(names.map((name) => loadBucket(join(folder, name))));
    },
    async addBucket(bucket) {
      await mkdir(join(folder, bucket.name), { recursive: true });
      await writeFile(join(folder, bucket.name, bucketFile), JSON.stringify(bucket));
    },
    async write(bucket, record, bytes) {
      await writeFile(bytesFile(bucket, record.place), bytes);
      const file = recordFile(bucket, record.key);
      await writeFile(`${file}.new`, JSON.stringify(record));
      await rename(`${file}.new`, file);
    },
    async read(bucket, place, start, end) {
      const file = await open(bytesFile(bucket, place));
      try {
        const bytes = Buffer.alloc(Math.max(0, end - start));
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        return bytes.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
    async forget(bucket, place, key) {
      if (key !== undefined) await rm(recordFile(bucket, key), { force: true });
      await rm(bytesFile(bucket, place), { force: true });
    },
  };
}

async function loadBucket(folder: string): Promise<{ bucket: StoredBucket; records: ObjectRecord[] }> {
  const names = await readdir(folder);
  const files = names.filter((name) => name.endsWith('.json') && name !== bucketFile);
  const records = await Promise.all(files.map((name) => loadJson<ObjectRecord>(join(folder, name))));
  return { bucket: await loadJson<StoredBucket>(join(folder, bucketFile)), records };
}

/** Our own files, written by this module alone. */
async function loadJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}
