/** A parallel listing over a socket, against the embedded store and a real one: every key once, killed and resumed anywhere. */
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Storage } from '../../src/domain/settings.ts';
import type { ObjectStorage } from '../../src/domain/storage.ts';
import { openSource } from '../../src/source/open-source.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { openClient } from '../support/embedded-store.ts';
import { describeReal } from '../support/server.ts';
import { stores } from '../support/stores.ts';

const folders = [
  '',
  'ugc/',
  'ugc/2026/',
  '用户上传/',
  'a+b/',
  '100%/',
  'emoji/😀/',
  'control/\u0001\t\n/',
  '\uffee/',
];
const names = [
  '1.jpg',
  '照片 一.jpg',
  '照片 二.jpg',
  'x+y.mp4',
  '%2F.jpg',
  ' ',
  '👍🏽.png',
  '\u007f',
  'é',
  'e\u0301',
  '=&?#',
];
const keys = folders.flatMap((folder) => [
  ...names.map((name) => folder + name),
  ...Array.from({ length: 12 }, (_, number) => `${folder}img-${String(number * 7).padStart(3, '0')}.jpg`),
]);

function sortKeys(unsorted: readonly string[]): readonly string[] {
  return unsorted
    .map((key) => Buffer.from(key))
    .sort((left, right) => Buffer.compare(left, right))
    .map(String);
}

for (const { name, missing, start } of stores) {
  describeReal(name, missing, () => {
    let store: Awaited<ReturnType<typeof start>>;
    let storage: ObjectStorage;

    beforeAll(async () => {
      store = await start();
      const client = openClient(store);
      await client.send(new CreateBucketCommand({ Bucket: 'media' }));
      for (const Key of keys) await client.send(new PutObjectCommand({ Bucket: 'media', Key, Body: 'x' }));
      client.destroy();
      const settings: Storage = { name: 'main', region: 'us-east-1', pathStyle: true, ...store };
      storage = openObjectStorage(new Map([['main', settings]]));
    }, 90_000);

    afterAll(async () => {
      storage?.close();
      await store?.stop();
    });

    it('brings every key once, whatever the page size, the width and the page of a kill', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(3, 7, 20, 1000),
          fc.array(fc.tuple(fc.constantFrom(1, 2, 5, 16), fc.nat({ max: 30 })), { maxLength: 3 }),
          async (maxKeys, sessions) => {
            const small = {
              ...storage,
              list: (request: Parameters<ObjectStorage['list']>[0]) => storage.list({ ...request, maxKeys }),
            };
            const found: string[] = [];
            const warnings: string[] = [];
            const log = { info: () => undefined, warn: (message: string) => void warnings.push(message) };
            let checkpoint: string | undefined;
            for (const [parallel, most] of [...sessions, [8, Number.POSITIVE_INFINITY] as const]) {
              const source = {
                form: 'bucket',
                storage: 'main',
                bucket: 'media',
                prefixes: [''],
                parallel,
              } as const;
              const select = { include: [], exclude: [], kinds: [] };
              let pages = 0;
              for await (const page of openSource(
                { source, select },
                { storage: small, nowMs: 0, log },
                checkpoint,
              )) {
                found.push(...page.items.map((item) => item.key ?? ''));
                checkpoint = page.checkpoint;
                pages += 1;
                if (pages > most) break;
              }
            }
            expect(sortKeys(found)).toEqual(sortKeys(keys));
            expect(warnings).toEqual([]);
          },
        ),
        { numRuns: 25 },
      );
    });
  });
}
