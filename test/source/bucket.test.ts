import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourcePage } from '../../src/domain/item.ts';
import type { Log } from '../../src/domain/log.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import type { SelectSettings } from '../../src/domain/settings.ts';
import type { ListPage, ListRequest, ObjectStorage } from '../../src/domain/storage.ts';
import { sortPrefixes } from '../../src/source/bucket.ts';
import { openSource } from '../../src/source/open-source.ts';
import { makeObjects, type MemoryStorage, openMemoryStorage } from './memory-storage.ts';

const everything: SelectSettings = { include: [], exclude: [], kinds: [] };

function open(
  storage: MemoryStorage,
  prefixes: readonly string[],
  { checkpoint, log }: { readonly checkpoint?: string | undefined; readonly log?: Log } = {},
): AsyncIterable<SourcePage> {
  const source = { form: 'bucket', storage: 'main', bucket: 'media', prefixes } as const;
  return openSource({ source, select: everything }, { storage, nowMs: 0, log }, checkpoint);
}

async function collect(pages: AsyncIterable<SourcePage>): Promise<readonly SourcePage[]> {
  const all: SourcePage[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

function keysOf(pages: readonly SourcePage[]): readonly (string | undefined)[] {
  return pages.flatMap((page) => page.items.map((item) => item.key));
}

describe('a bucket source', () => {
  it('describes each object as an item', async () => {
    const storage = openMemoryStorage(makeObjects(['ugc/猫 +%.mp4']));
    const [page] = await collect(open(storage, ['ugc/']));
    expect(page).toEqual({
      items: [
        {
          id: 'media/ugc/猫 +%.mp4',
          position: Buffer.from('ugc/猫 +%.mp4', 'utf8'),
          kind: 'video',
          object: { storage: 'main', bucket: 'media', key: 'ugc/猫 +%.mp4' },
          bucket: 'media',
          key: 'ugc/猫 +%.mp4',
          etag: 'etag-ugc/猫 +%.mp4',
          sizeBytes: 10,
          lastModified: '2026-11-01T00:00:00.000Z',
        },
      ],
      unselected: 0,
      broken: [],
      checkpoint: '[0,"ugc/猫 +%.mp4"]',
      isLast: true,
    });
  });

  it('yields one last page where there is nothing', async () => {
    const pages = await collect(open(openMemoryStorage([]), ['']));
    expect(pages.map(({ items, isLast }) => ({ items, isLast }))).toEqual([{ items: [], isLast: true }]);
  });

  it('asks for one page only when it is wanted', async () => {
    const storage = openMemoryStorage(makeObjects(['a', 'b', 'c']), { pageSize: 1 });
    for await (const page of open(storage, [''])) {
      expect(page.items).toHaveLength(1);
      break;
    }
    expect(storage.listed).toHaveLength(1);
  });

  it('counts folder markers as unselected, but not files whose name ends alike or that are empty', async () => {
    const markers = [
      { key: 'a/', bytes: new Uint8Array() },
      { key: 'b/', bytes: Buffer.from('x') },
      { key: 'c.jpg', bytes: new Uint8Array() },
    ];
    const [page] = await collect(open(openMemoryStorage(markers), ['']));
    expect(page?.items.map((item) => item.key)).toEqual(['b/', 'c.jpg']);
    expect(page?.unselected).toBe(1);
  });

  describe('of keys without an extension', () => {
    const objects = [
      { key: 'a', bytes: Buffer.from('0123456789'), contentType: 'image/webp' },
      { key: 'b', bytes: Buffer.from('0123456789'), contentType: 'video/mp4' },
      { key: 'c', bytes: Buffer.from('0123456789'), contentType: 'application/octet-stream' },
      { key: 'd.txt', bytes: Buffer.from('0123456789'), contentType: 'image/png' },
      { key: 'e.jpg', bytes: Buffer.from('0123456789') },
    ];
    const look = async (select: Partial<SelectSettings>, change: Partial<ObjectStorage> = {}) => {
      const storage = openMemoryStorage(objects);
      const warnings: string[] = [];
      const log = { info: () => undefined, warn: (message: string) => void warnings.push(message) };
      const source = { form: 'bucket', storage: 'main', bucket: 'media', prefixes: [''] } as const;
      const whole = { include: [], exclude: [], kinds: [], ...select };
      const tools = { storage: { ...storage, ...change }, nowMs: 0, log };
      const pages = await collect(openSource({ source, select: whole }, tools));
      const found = pages.flatMap((page) => page.items.map(({ key, kind }) => [key, kind]));
      return { found, heads: storage.heads, warnings };
    };

    it('the content type tells the kind, and others are not asked for', async () => {
      const { found, heads } = await look({});
      expect(found).toEqual([
        ['a', 'image'],
        ['b', 'video'],
        ['c', undefined],
        ['d.txt', undefined],
        ['e.jpg', 'image'],
      ]);
      expect(heads).toEqual(['a', 'b', 'c']);
    });

    it('kinds are chosen by it', async () => {
      expect((await look({ kinds: ['video'] })).found).toEqual([['b', 'video']]);
    });

    it.each<[string, Partial<SelectSettings>]>([
      ['the path leaves them out', { include: ['*.jpg'] }],
      ['the size leaves them out', { minSizeBytes: 11 }],
      ['no media are wanted', { kinds: ['post'] }],
    ])('nothing is asked where %s', async (_, select) => {
      expect((await look(select)).heads).toEqual([]);
    });

    it('stay of no known kind where heads are refused, which is said once', async () => {
      const head = async () => {
        throw new Stop(exitCodes.wrongUse, 'storage "main": access was refused. Check the credentials.');
      };
      const { found, warnings } = await look({}, { head });
      expect(found.map(([, kind]) => kind)).toEqual([undefined, undefined, undefined, undefined, 'image']);
      expect(warnings).toEqual([
        'storage "main": access was refused. Check the credentials. Keys without an extension are of no known kind, then.',
      ]);
    });

    it('end the run where the storage is lost', async () => {
      const head = async () => {
        throw new Stop(exitCodes.halted, 'storage "main": the server was lost. Run again to go on.');
      };
      await expect(look({}, { head })).rejects.toMatchObject({ exitCode: 3 });
    });
  });

  it('lists prefixes sorted, and none inside another', () => {
    expect(sortPrefixes(['b/', 'a/x/', 'a/', 'b', '\u{10000}', '\uffff'])).toEqual([
      'a/',
      'b',
      '\uffff',
      '\u{10000}',
    ]);
    expect(sortPrefixes(['a', ''])).toEqual(['']);
    expect(sortPrefixes(['a', 'a'])).toEqual(['a']);
  });

  const key = fc.string({
    unit: fc.constantFrom('a', 'b', '/', '+', '%', ' ', '\n', '猫', '\uffff', '😀'),
    minLength: 1,
    maxLength: 5,
  });

  it('yields every key of its prefixes once and in order, whatever the page size and wherever it is resumed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 30 }),
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '/', '猫'), maxLength: 2 }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat({ max: 10 }),
        async (keys, prefixes, pageSize, killedAfter) => {
          const expected = keys
            .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
            .map((name) => Buffer.from(name))
            .sort((left, right) => Buffer.compare(left, right))
            .map(String);
          const storage = openMemoryStorage(makeObjects(keys), { pageSize });
          const whole = await collect(open(storage, prefixes));
          expect(keysOf(whole)).toEqual(expected);
          expect(whole.map((page) => page.isLast)).toEqual(
            whole.map((_, index) => index === whole.length - 1),
          );
          const before = whole.slice(0, killedAfter);
          const rest = await collect(open(storage, prefixes, { checkpoint: before.at(-1)?.checkpoint }));
          expect([...keysOf(before), ...keysOf(rest)]).toEqual(expected);
        },
      ),
    );
  });

  it('goes on with StartAfter, and only until the first token', async () => {
    const storage = openMemoryStorage(makeObjects(['a/1', 'a/2', 'b/1', 'b/2', 'b/3']), { pageSize: 1 });
    const pages = await collect(open(storage, ['a/', 'b/'], { checkpoint: '[1,"b/1"]' }));
    expect(keysOf(pages)).toEqual(['b/2', 'b/3']);
    expect(storage.listed.map(({ startAfter, token }) => [startAfter, token])).toEqual([
      ['b/1', undefined],
      [undefined, 'b/2'],
    ]);
  });

  it.each([
    '',
    'nonsense',
    '[5,"a"]',
    '{"prefix":0}',
    '[0,1]',
    '{"next":2,"open":[]}',
    '{"next":1,"open":[[0,"a",1]]}',
    '{"next":1,"open":[[1,"a"]]}',
  ])('refuses the checkpoint %s', async (checkpoint) => {
    const stop = await stopOf(collect(open(openMemoryStorage([]), [''], { checkpoint })));
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toContain(
      `checkpoint "${checkpoint}": expected a prefix of this pipeline and a key, or ranges of keys.`,
    );
  });
});

describe('a server that lists wrong', () => {
  const keys = ['a', 'b', 'c', 'd'];
  it.each([
    [
      'repeats its keys',
      (page: ListPage): ListPage => ({
        ...page,
        objects: page.objects.map(() => ({ key: 'a', sizeBytes: 1 })),
      }),
      'expected every key once, found "a" twice on a page',
    ],
    [
      'truncates without a token',
      (page: ListPage): ListPage => ({ ...page, nextToken: undefined }),
      'expected a continuation token after "b", found a truncated page without one',
    ],
    [
      'truncates an empty page',
      (page: ListPage): ListPage => ({ ...page, objects: [] }),
      'expected keys at the beginning, found an empty page that says more follow',
    ],
    [
      'repeats a token',
      (page: ListPage): ListPage => ({ ...page, isTruncated: true, nextToken: 'b' }),
      'expected a new continuation token after "d", found one that was given before',
    ],
  ])('that %s ends the run as halted', async (_, spoil, fault) => {
    const storage = openMemoryStorage(makeObjects(keys), { pageSize: 2, spoil });
    const stop = await stopOf(collect(open(storage, [''])));
    expect(stop.exitCode).toBe(3);
    expect(stop.message).toContain(
      `storage "main": listing bucket "media": the server's listing is faulty: ${fault}.`,
    );
  });

  it('that ignores StartAfter is listed from the beginning, and what was yielded before is passed over', async () => {
    const spoil = (page: ListPage, request: ListRequest): ListPage =>
      request.startAfter === undefined ? page : { objects: [{ key: 'a', sizeBytes: 1 }], isTruncated: false };
    const storage = openMemoryStorage(makeObjects(keys), { pageSize: 1, spoil });
    const warnings: string[] = [];
    const log = { info: () => undefined, warn: (message: string) => void warnings.push(message) };
    const pages = await collect(open(storage, [''], { checkpoint: '[0,"b"]', log }));
    expect(keysOf(pages)).toEqual(['c', 'd']);
    expect(warnings).toEqual([
      'storage "main": listing bucket "media": expected a key after "b" in the order of UTF-8 bytes, found "a". Ranges of keys cannot be listed there: going on with one listing from the beginning.',
    ]);
  });

  it('that answers keys beside the prefix is noticed', async () => {
    const spoil = (): ListPage => ({ objects: [{ key: 'x', sizeBytes: 1 }], isTruncated: false });
    const stop = await stopOf(collect(open(openMemoryStorage([], { spoil }), ['ugc/'])));
    expect(stop.message).toContain('expected keys that begin with "ugc/", found "x"');
  });
});

async function stopOf(work: Promise<unknown>): Promise<Stop> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Stop) return error;
  throw new Error('expected a Stop', { cause: error });
}
