/** Listing over a socket, against the embedded store and real ones: every key once, killed and resumed anywhere; and what the doctor says of them. */
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { examineStorage } from '../../src/doctor/storage.ts';
import type { Pipeline, Storage } from '../../src/domain/settings.ts';
import type { ObjectStorage } from '../../src/domain/storage.ts';
import { openSource } from '../../src/source/open-source.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { openClient } from '../support/embedded-store.ts';
import { describeReal } from '../support/server.ts';
import { listedStores } from '../support/stores.ts';

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

for (const { name, missing, start } of listedStores) {
  describeReal(name, missing, () => {
    let store: Awaited<ReturnType<typeof start>>;
    let settings: Storage;
    let storage: ReturnType<typeof openObjectStorage>;

    beforeAll(async () => {
      store = await start();
      const client = openClient(store);
      await client.send(new CreateBucketCommand({ Bucket: 'media' }));
      const left = [...keys];
      const put = async (): Promise<void> => {
        for (let Key = left.pop(); Key !== undefined; Key = left.pop()) {
          await client.send(new PutObjectCommand({ Bucket: 'media', Key, Body: 'x' }));
        }
      };
      await Promise.all(Array.from({ length: 8 }, put));
      client.destroy();
      settings = { name: 'main', region: 'us-east-1', pathStyle: true, ...store };
      storage = openObjectStorage(new Map([['main', settings]]));
    }, 180_000);

    afterAll(async () => {
      storage?.close();
      await store?.stop();
    });

    it('is found in order by the doctor', async () => {
      const pipeline = {
        source: { form: 'bucket', storage: 'main', bucket: 'media', prefixes: [''] },
        storages: new Map([['main', settings]]),
        access: { mode: 'presigned', expiresInSeconds: 3600 },
      } as unknown as Pipeline;
      const glance = () => openSource(pipeline, { storage, nowMs: 0, isGlance: true });
      const { diagnoses, item } = await examineStorage(pipeline, { storage, clock: systemClock, glance });
      expect(diagnoses.map(({ level, message }) => `${level} ${message}`)).toEqual([
        'ok bucket "media" reached (region us-east-1, path style) and signature accepted; lists in order, pages go on, StartAfter works',
        'ok clock in step',
      ]);
      expect(keys).toContain(item?.key);
    });

    it('is told from one with wrong keys, and from one without that bucket', async () => {
      const request = { storage: 'main', bucket: 'media', prefix: '' };
      const wrong = { ...settings, secretAccessKey: 'wrong' };
      const stranger = openObjectStorage(new Map([['main', wrong]]), { maxAttempts: 1 });
      expect(await stranger.examine(request)).toMatchObject({ about: 'keys', stop: { exitCode: 2 } });
      stranger.close();
      const elsewhere = await storage.examine(request, { region: 'mars-1' });
      // Some take any region; the others name theirs.
      expect('stop' in elsewhere ? elsewhere.region : 'us-east-1').toBe('us-east-1');
      expect(await storage.examine({ ...request, bucket: 'no-such-bucket' })).toMatchObject({
        about: 'other',
        stop: { message: expect.stringContaining('there is no such bucket') as string },
      });
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
        { numRuns: name === 'the embedded store' ? 25 : 8 },
      );
    }, 180_000);
  });
}
