/** A bucket listed by several listings at a time brings the same keys as one listing does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourcePage } from '../../src/domain/item.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import type { SelectSettings } from '../../src/domain/settings.ts';
import type { ListPage, ListRequest, ObjectStorage } from '../../src/domain/storage.ts';
import { openSource } from '../../src/source/open-source.ts';
import { compareUtf16, makeObjects, openMemoryStorage } from './memory-storage.ts';

const everything: SelectSettings = { include: [], exclude: [], kinds: [] };

interface Opening {
  readonly prefixes?: readonly string[];
  readonly parallel?: number;
  readonly checkpoint?: string | undefined;
  readonly warnings?: string[];
}

function open(storage: ObjectStorage, opening: Opening = {}): AsyncIterable<SourcePage> {
  const { prefixes = [''], parallel = 4, checkpoint, warnings = [] } = opening;
  const source = { form: 'bucket', storage: 'main', bucket: 'media', prefixes, parallel } as const;
  const log = { info: () => undefined, warn: (message: string) => void warnings.push(message) };
  return openSource({ source, select: everything }, { storage, nowMs: 0, log }, checkpoint);
}

async function collect(pages: AsyncIterable<SourcePage>, most = Infinity): Promise<readonly SourcePage[]> {
  const all: SourcePage[] = [];
  if (most === 0) return all;
  for await (const page of pages) {
    all.push(page);
    if (all.length >= most) break;
  }
  return all;
}

function keysOf(pages: readonly SourcePage[]): readonly string[] {
  return pages.flatMap((page) => page.items.map((item) => item.key ?? ''));
}

function sortKeys(keys: readonly string[]): readonly string[] {
  return keys
    .map((key) => Buffer.from(key))
    .sort((left, right) => Buffer.compare(left, right))
    .map(String);
}

/** Requests that take different times, so that pages come in any order; the times are not real. */
function shuffle(storage: ObjectStorage, turns: () => number): ObjectStorage {
  return {
    ...storage,
    list: async (request) => {
      for (let left = turns(); left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
      return await storage.list(request);
    },
  };
}

/** Answers in rounds, so that time is counted and does not pass; a page may take several. */
function countRounds(
  storage: ObjectStorage,
  measure: (page: ListPage) => number = () => 1,
): { readonly storage: ObjectStorage; readonly rounds: () => number } {
  let rounds = 0;
  let isTurning = false;
  let waiting: { left: number; readonly answer: () => void }[] = [];
  const turn = (): void => {
    rounds += 1;
    for (const one of waiting) one.left -= 1;
    const ready = waiting.filter(({ left }) => left <= 0);
    waiting = waiting.filter(({ left }) => left > 0);
    for (const { answer } of ready) answer();
    isTurning = waiting.length > 0;
    if (isTurning) setImmediate(turn);
  };
  const list: ObjectStorage['list'] = async (request) => {
    const page = await storage.list(request);
    if (!isTurning) setImmediate(turn);
    isTurning = true;
    await new Promise<void>((answer) => waiting.push({ left: measure(page), answer }));
    return page;
  };
  return { storage: { ...storage, list }, rounds: () => rounds };
}

const character = fc.oneof(
  fc.constantFrom('a', 'b', '0', '1', '9', '/', '+', '%', ' ', '.'),
  fc.constantFrom('\u0001', '\n', '\u007f', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}'),
  fc.constantFrom('猫', '视', '频', '一', '龥'),
);
const anyKey = fc.string({ unit: character, minLength: 1, maxLength: 8 });
/** Keys as people name them: folders, dates and numbers. */
const namedKey = fc
  .tuple(fc.constantFrom('ugc/', '用户上传/', ''), fc.nat({ max: 3 }), fc.nat({ max: 99 }))
  .map(([folder, day, number]) => `${folder}2026-11-0${day}/照片 ${String(number).padStart(4, '0')}.jpg`);
const keySet = fc.oneof(
  fc.uniqueArray(anyKey, { maxLength: 80 }),
  fc.uniqueArray(namedKey, { maxLength: 120, minLength: 20 }),
);
const delays = fc.infiniteStream(fc.nat({ max: 5 }));

describe('a parallel listing', () => {
  it('yields every key once, whatever the keys, the page size and the order in which pages come', async () => {
    await fc.assert(
      fc.asyncProperty(
        keySet,
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 2, max: 9 }),
        delays,
        async (keys, pageSize, parallel, waits) => {
          const memory = openMemoryStorage(makeObjects(keys), { pageSize });
          const storage = shuffle(memory, () => waits.next().value ?? 0);
          const pages = await collect(open(storage, { parallel }));
          expect(sortKeys(keysOf(pages))).toEqual(sortKeys(keys));
          expect(pages.map((page) => page.isLast)).toEqual(pages.map((_, at) => at === pages.length - 1));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('yields the rest and nothing twice after a kill at any page, with any width then', async () => {
    await fc.assert(
      fc.asyncProperty(
        keySet,
        fc.uniqueArray(fc.constantFrom('', 'a', 'ugc/', '用户', '2026-11-01/'), { minLength: 1 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat({ max: 12 })), { maxLength: 4 }),
        delays,
        async (keys, prefixes, pageSize, sessions, waits) => {
          const storage = shuffle(
            openMemoryStorage(makeObjects(keys), { pageSize }),
            () => waits.next().value ?? 0,
          );
          const found: string[] = [];
          let checkpoint: string | undefined;
          for (const [parallel, most] of [...sessions, [3, Infinity] as const]) {
            const pages = await collect(open(storage, { prefixes, parallel, checkpoint }), most);
            found.push(...keysOf(pages));
            checkpoint = pages.at(-1)?.checkpoint ?? checkpoint;
          }
          const expected = keys.filter((key) => prefixes.some((prefix) => key.startsWith(prefix)));
          expect(sortKeys(found)).toEqual(sortKeys(expected));
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each<[string, (number: number) => string]>([
    ['flat', (number) => `img-${(Math.imul(number, 2654435761) >>> 0).toString(16).padStart(8, '0')}.jpg`],
    ['numbered', (number) => `a/very/long/common/beginning/${String(number).padStart(9, '0')}.jpg`],
    ['deep', (number) => `ugc/2026/${(number % 12) + 1}/${number % 28}/user-${number % 97}/${number}.mp4`],
    ['Chinese', (number) => `用户上传/${'北京上海广州深圳杭州成都'[number % 12]}/照片 ${number}.jpg`],
    ['A to Z', (number) => `${String.fromCharCode(65 + (number % 26))}/${number}.jpg`],
  ])('of a %s bucket takes far fewer rounds than pages', async (_, nameKey) => {
    const keys = Array.from({ length: 8000 }, (_unused, number) => nameKey(number));
    const storage = openMemoryStorage(makeObjects(keys), { pageSize: 40 });
    const counted = countRounds(storage);
    const pages = await collect(open(counted.storage, { parallel: 16 }));
    expect(new Set(keysOf(pages)).size).toBe(new Set(keys).size);
    expect(counted.rounds()).toBeLessThan(45);
    expect(storage.listed.length).toBeLessThan(200 * 1.75);
  });

  it('cuts a range that is slow again and again', async () => {
    const keys = Array.from(
      { length: 8000 },
      (_, number) =>
        `${number % 4 === 0 ? 'slow' : `quick-${number % 3}`}/${String(number).padStart(6, '0')}.jpg`,
    );
    const storage = openMemoryStorage(makeObjects(keys), { pageSize: 40 });
    // 50 pages of ten rounds each: one listing would take 500 for them alone.
    const counted = countRounds(storage, (page) =>
      page.objects.at(-1)?.key.startsWith('slow') === true ? 10 : 1,
    );
    const pages = await collect(open(counted.storage, { parallel: 16 }));
    expect(sortKeys(keysOf(pages))).toEqual(sortKeys(keys));
    expect(counted.rounds()).toBeLessThan(130);
  });

  it('that is killed lists only what was not yielded, whenever that is', async () => {
    const keys = Array.from(
      { length: 2000 },
      (_, number) => `ugc/${number % 28}/user-${number % 97}/${number}.mp4`,
    );
    for (const most of [1, 20, 60, 120, 180]) {
      const storage = openMemoryStorage(makeObjects(keys), { pageSize: 10 });
      const before = await collect(open(storage, { parallel: 16 }), most);
      const asked = storage.listed.length;
      const checkpoint = before.at(-1)?.checkpoint;
      const rest = await collect(open(storage, { parallel: 16, checkpoint }));
      expect(sortKeys([...keysOf(before), ...keysOf(rest)])).toEqual(sortKeys(keys));
      const left = (keys.length - keysOf(before).length) / 10;
      expect(storage.listed.length - asked).toBeLessThan(left * 1.75 + 40);
      const yielded = new Set(keysOf(before));
      const again = storage.listed.slice(asked).filter(({ startAfter }) => startAfter === undefined);
      // Every range goes on behind a key; only tokens of this session follow.
      expect(again.every(({ token }) => token !== undefined && !yielded.has(token))).toBe(true);
    }
  });

  it('asks for no more pages than it may while nobody takes what has come', async () => {
    const keys = Array.from({ length: 500 }, (_, number) => `${number % 10}/${number}`);
    const storage = openMemoryStorage(makeObjects(keys), { pageSize: 5 });
    for await (const page of open(storage, { parallel: 4 })) {
      await new Promise((resolve) => setImmediate(resolve));
      const asked = storage.listed.length;
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(storage.listed.length).toBe(asked);
      expect(page.checkpoint?.length).toBeLessThan(300);
    }
    expect(storage.listed.length).toBeGreaterThan(99);
  });

  it('lists on where a server finds nothing behind a key that does not exist', async () => {
    const keys = Array.from({ length: 300 }, (_, number) => `${number % 10}/${number}`);
    const known = new Set(keys);
    const spoil = (page: ListPage, { startAfter }: ListRequest): ListPage =>
      startAfter === undefined || known.has(startAfter) ? page : { objects: [], isTruncated: false };
    const pages = await collect(open(openMemoryStorage(makeObjects(keys), { pageSize: 10, spoil })));
    expect(sortKeys(keysOf(pages))).toEqual(sortKeys(keys));
  });

  it('lists what a server skips behind a key that does not exist', async () => {
    const keys = Array.from({ length: 300 }, (_, number) => `${number % 10}/${number}`);
    const known = new Set(keys);
    const spoil = (page: ListPage, { startAfter }: ListRequest): ListPage =>
      startAfter === undefined || known.has(startAfter) ? page : { ...page, objects: page.objects.slice(3) };
    const pages = await collect(open(openMemoryStorage(makeObjects(keys), { pageSize: 10, spoil })));
    expect(sortKeys(keysOf(pages))).toEqual(sortKeys(keys));
  });
});

/** A bucket from which keys vanish once they were listed. */
function deleteListed(keys: readonly string[], doomed: ReadonlySet<string>, pageSize: number): ObjectStorage {
  const gone = new Set<string>();
  const list = async (request: ListRequest): Promise<ListPage> => {
    const left = keys.filter((key) => !gone.has(key));
    const page = await openMemoryStorage(makeObjects(left), { pageSize }).list(request);
    for (const { key } of page.objects) if (doomed.has(key)) gone.add(key);
    return page;
  };
  return { ...openMemoryStorage(makeObjects(keys)), list };
}

describe('keys that are deleted while their bucket is listed', () => {
  it('leave every other one listed once, also where they were the border of two ranges', async () => {
    const letters = fc.constantFrom('a', 'b', '/', '猫', '\u{FFFD}', '\u{20BB7}');
    const someKeys = fc.uniqueArray(
      fc.array(letters, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(
        someKeys,
        fc.infiniteStream(fc.boolean()),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(2, 4, 16),
        fc.infiniteStream(fc.nat(3)),
        async (some, dooms, pageSize, parallel, turns) => {
          const doomed = new Set(some.filter(() => dooms.next().value === true));
          const warnings: string[] = [];
          const bucket = deleteListed(some, doomed, pageSize);
          const storage = shuffle(bucket, () => turns.next().value ?? 0);
          const found = keysOf(await collect(open(storage, { parallel, warnings })));
          const stayed = some.filter((key) => !doomed.has(key));
          expect(sortKeys(found.filter((key) => !doomed.has(key)))).toEqual(sortKeys(stayed));
          expect(warnings).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a server that cannot list ranges', () => {
  const keys = Array.from(
    { length: 60 },
    (_, number) => `${number % 6}/${String(number).padStart(3, '0')}.jpg`,
  );
  const whenAfter =
    (spoil: (page: ListPage, request: ListRequest) => ListPage) =>
    (page: ListPage, request: ListRequest): ListPage =>
      request.startAfter === undefined ? page : spoil(page, request);

  it.each<[string, (page: ListPage, request: ListRequest) => ListPage, string]>([
    [
      'ignores StartAfter',
      whenAfter(() => ({ objects: [{ key: keys[0] ?? '', sizeBytes: 1 }], isTruncated: false })),
      'in the order of UTF-8 bytes, found "0/000.jpg"',
    ],
    [
      'repeats a token',
      whenAfter((page) => ({ ...page, isTruncated: true, nextToken: '0/006.jpg' })),
      'in the order of UTF-8 bytes, found',
    ],
    [
      'truncates without a token',
      whenAfter((page) => ({ ...page, isTruncated: true, nextToken: undefined })),
      'found a truncated page without one',
    ],
    [
      'truncates an empty page',
      whenAfter((page) => ({ ...page, isTruncated: true, nextToken: 'x', objects: [] })),
      'found an empty page that says more follow',
    ],
    [
      'refuses the request',
      whenAfter(() => {
        throw new Stop(exitCodes.wrongUse, 'storage "main": the server refused the request.');
      }),
      'was refused',
    ],
  ])('because it %s is listed once from the beginning, which is said', async (_, spoil, words) => {
    const warnings: string[] = [];
    const storage = openMemoryStorage(makeObjects(keys), { pageSize: 3, spoil });
    const pages = await collect(open(storage, { warnings }));
    expect(sortKeys(keysOf(pages))).toEqual(sortKeys(keys));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(words);
    expect(warnings[0]).toContain('going on with one listing from the beginning.');
  });

  it('and is killed goes on after the keys that were yielded', async () => {
    const spoil = whenAfter((page) => ({ ...page, isTruncated: true, nextToken: undefined }));
    const storage = openMemoryStorage(makeObjects(keys), { pageSize: 3, spoil });
    for (const most of [1, 2, 5, 11, 19]) {
      const before = await collect(open(storage), most);
      const rest = await collect(open(storage, { checkpoint: before.at(-1)?.checkpoint }));
      expect(sortKeys([...keysOf(before), ...keysOf(rest)])).toEqual(sortKeys(keys));
    }
  });

  it('and lists wrong by its own tokens too ends the run as halted', async () => {
    const spoil = (page: ListPage): ListPage => ({ ...page, isTruncated: true, nextToken: '0/006.jpg' });
    const storage = openMemoryStorage(makeObjects(keys), { pageSize: 3, spoil });
    const error: unknown = await collect(open(storage)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Stop);
    expect(error).toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(
        /the server's listing is faulty: expected a new continuation token after ".*", found one that was given before\. The listing would not be complete, and running again brings the same: use an S3 Inventory or another manifest of the bucket as the source, or have the server mended\.$/,
      ) as string,
    });
  });

  it('since it orders keys in a way of its own is listed by its tokens alone, also after a kill', async () => {
    const names = fc.constantFrom('a', 'b', '/', '猫', '\u{E000}', '\u{FFFD}', '\u{1F600}', '\u{20BB7}');
    const anyKeys = fc.uniqueArray(
      fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(
        anyKeys,
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1, 4),
        fc.nat(12),
        async (some, pageSize, parallel, most) => {
          const storage = openMemoryStorage(makeObjects(some), { pageSize, order: compareUtf16 });
          const before = await collect(open(storage, { parallel }), most);
          const rest = await collect(open(storage, { parallel, checkpoint: before.at(-1)?.checkpoint }));
          expect(new Set([...keysOf(before), ...keysOf(rest)])).toEqual(new Set(some));
          // Whatever came before it, a listing that began anew is whole by itself.
          const begins = rest.findIndex(({ anew }) => anew === 'first');
          const anew = begins < 0 ? [] : rest.slice(begins);
          expect(keysOf(anew)).toEqual(begins < 0 ? [] : [...some].sort(compareUtf16));
          expect(anew.every(({ checkpoint }) => checkpoint === '{"unordered":true}')).toBe(true);
        },
      ),
    );
  });

  it('since it orders keys in a way of its own loses none, in whatever order pages come and it is killed', async () => {
    const letters = fc.constantFrom('a', '猫', '\u{FFFD}', '\u{20BB7}');
    const someKeys = fc.uniqueArray(
      fc.array(letters, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(
        someKeys,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(2, 4, 16),
        fc.nat(12),
        fc.infiniteStream(fc.nat(3)),
        async (some, pageSize, parallel, most, turns) => {
          const storage = shuffle(
            openMemoryStorage(makeObjects(some), { pageSize, order: compareUtf16 }),
            () => turns.next().value ?? 0,
          );
          const before = await collect(open(storage, { parallel }), most);
          const rest = await collect(open(storage, { parallel, checkpoint: before.at(-1)?.checkpoint }));
          expect(new Set([...keysOf(before), ...keysOf(rest)])).toEqual(new Set(some));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('since it orders keys in a way of its own says so once, and what it means', async () => {
    const some = ['a', '\u{FFFD}', '\u{1F600}', 'b'];
    const warnings: string[] = [];
    const storage = openMemoryStorage(makeObjects(some), { pageSize: 1, order: compareUtf16 });
    const pages = await collect(open(storage, { parallel: 1, warnings }));
    expect(keysOf(pages.slice(pages.findIndex(({ anew }) => anew === 'first')))).toEqual(
      [...some].sort(compareUtf16),
    );
    expect(warnings).toEqual([
      'storage "main": listing bucket "media": expected a key after "\u{1F600}" in the order of UTF-8 bytes, found "\u{FFFD}". The server orders keys in a way of its own: going on with one listing from the beginning by its tokens alone. Nothing is planned twice; where the run is interrupted, it lists from the beginning again.',
    ]);
  });

  it('and whose tokens go round in a circle ends the run, however long the circle is', async () => {
    const some = Array.from({ length: 40 }, (_, number) => `${number === 0 ? 'b' : 'a'}${number}`);
    for (const length of [1, 2, 3, 7, 20]) {
      let asked = 0;
      const list = async (): Promise<ListPage> => {
        const key = some[asked % length] ?? '';
        asked += 1;
        return { objects: [{ key, sizeBytes: 1 }], isTruncated: true, nextToken: key };
      };
      const storage = { ...openMemoryStorage([]), list };
      await expect(collect(open(storage, { parallel: 1 }))).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringContaining('found one that was given before') as string,
      });
      expect(asked).toBeLessThan(length * 5 + 5);
    }
  });

  it('that is lost under many requests is asked by fewer, until it is lost under one', async () => {
    let underWay = 0;
    let bears = 3;
    const storage = openMemoryStorage(makeObjects(keys), { pageSize: 3 });
    const weak: ObjectStorage = {
      ...storage,
      list: async (request) => {
        underWay += 1;
        await new Promise((resolve) => setImmediate(resolve));
        const isLost = underWay > bears;
        underWay -= 1;
        if (isLost)
          throw new Stop(exitCodes.halted, 'storage "main": the server was lost. Run again to go on.');
        return await storage.list(request);
      },
    };
    const warnings: string[] = [];
    const pages = await collect(open(weak, { parallel: 8, warnings }));
    expect(sortKeys(keysOf(pages))).toEqual(sortKeys(keys));
    expect(warnings.at(-1)).toMatch(/Listing [21] at a time from here on\.$/);
    bears = 0;
    await expect(collect(open(weak, { parallel: 8 }))).rejects.toMatchObject({ exitCode: 3 });
  });
});
