import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Item, SourcePage } from '../../src/domain/item.ts';
import { Stop } from '../../src/domain/problem.ts';
import type { CsvSource, SelectSettings } from '../../src/domain/settings.ts';
import { openSource } from '../../src/source/open-source.ts';
import { makeObjects, type MemoryStorage, openMemoryStorage } from './memory-storage.ts';

let folder = '';
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifest-'));
});
afterAll(async () => await rm(folder, { recursive: true }));

interface Given {
  readonly source?: Partial<CsvSource>;
  readonly select?: Partial<SelectSettings>;
  readonly storage?: MemoryStorage;
}

async function readPages(content: string | Buffer, given: Given = {}): Promise<readonly SourcePage[]> {
  files += 1;
  const path = join(folder, `${files}.csv`);
  await writeFile(path, content);
  const defaults = {
    header: true,
    columns: {},
    delimiter: ',',
    encoding: 'utf-8',
    allowPrivateAddresses: false,
  } as const;
  const source: CsvSource = { form: 'csv', path, ...defaults, ...given.source };
  const select = { include: [], exclude: [], kinds: [], ...given.select };
  const storage = given.storage ?? openMemoryStorage([]);
  const pages: SourcePage[] = [];
  for await (const page of openSource({ source, select }, { storage, nowMs: 0 })) pages.push(page);
  return pages;
}

async function read(content: string | Buffer, given?: Given): Promise<Omit<SourcePage, 'isLast'>> {
  const pages = await readPages(content, given);
  return {
    items: pages.flatMap((page) => page.items),
    unselected: pages.reduce((sum, page) => sum + page.unselected, 0),
    broken: pages.flatMap((page) => page.broken),
  };
}

async function stopOf(content: string | Buffer, given?: Given): Promise<Stop> {
  const error: unknown = await readPages(content, given).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Stop) return error;
  throw new Error('expected a Stop', { cause: error });
}

/** The items' own fields, without those that every item has. */
function bare(item: Item | undefined): Partial<Item> {
  const facts = Object.entries(item ?? {}).filter(
    ([name, value]) => name !== 'position' && value !== undefined,
  );
  return Object.fromEntries(facts);
}

describe('a row of a manifest', () => {
  it('fills every field', async () => {
    const header =
      'id,bucket,key,version,url,etag,size,last_modified,content_type,kind,title,text,images,video_url,duration';
    const row =
      'p1,media,a/b.mp4,v7,https://h.example/a.mp4?X-Amz-Signature=s,"""e1""",12,2026-11-01 08:00:00+0800,video/mp4,' +
      'Video,T,"two\nlines","[""https://h/1.jpg"", ""https://h/2.jpg""]",https://h/v.mp4,12.5';
    const { items } = await read(`${header}\n${row}\n`, { source: { storage: 'main' } });
    expect(bare(items[0])).toEqual({
      id: 'p1',
      kind: 'video',
      object: { storage: 'main', bucket: 'media', key: 'a/b.mp4', version: 'v7' },
      bucket: 'media',
      key: 'a/b.mp4',
      version: 'v7',
      url: 'https://h.example/a.mp4?X-Amz-Signature=s',
      etag: 'e1',
      sizeBytes: 12,
      lastModified: '2026-11-01T00:00:00.000Z',
      contentType: 'video/mp4',
      title: 'T',
      text: 'two\nlines',
      images: ['https://h/1.jpg', 'https://h/2.jpg'],
      videoUrl: 'https://h/v.mp4',
      durationSeconds: 12.5,
    });
  });

  it.each([
    ['its own id', 'id,bucket,key,url\nmine,b,k.jpg,https://h/x.jpg', 'mine'],
    ['bucket and key', 'id,bucket,key,url\n,b,k.jpg,https://h/x.jpg', 'b/k.jpg'],
    ['its key', 'id,bucket,key,url\n,,k.jpg,https://h/x.jpg', 'k.jpg'],
    ['its URL without signature', 'url\nhttps://h/x.jpg?v=2&X-Amz-Signature=s', 'https://h/x.jpg?v=2'],
    ['its line', 'text\n\nwords', 'row-3'],
  ])('is named by %s', async (_, content, id) => {
    const { items } = await read(content);
    expect(items.map((item) => item.id)).toEqual([id]);
  });

  it('takes storage and bucket of the source where it names none', async () => {
    const storage = openMemoryStorage([]);
    const content = 'bucket,key,etag,size\n,a.jpg,e,1\nother,b.jpg,e,1\n';
    const { items } = await read(content, { storage, source: { storage: 'main', bucket: 'media' } });
    expect(items.map((item) => item.object)).toEqual([
      { storage: 'main', bucket: 'media', key: 'a.jpg', version: undefined },
      { storage: 'main', bucket: 'other', key: 'b.jpg', version: undefined },
    ]);
    expect(storage.heads).toEqual([]);
  });

  it('keeps bucket and key as plain facts where no storage is known', async () => {
    const { items } = await read('bucket,key\nb,a.jpg\n');
    expect(bare(items[0])).toEqual({ id: 'b/a.jpg', bucket: 'b', key: 'a.jpg', kind: 'image' });
  });

  it('leaves a URL without key outside the bucket of the source', async () => {
    const { items } = await read('url\nhttps://h/a.jpg\n', { source: { storage: 'main', bucket: 'media' } });
    expect(bare(items[0])).toEqual({ id: 'https://h/a.jpg', url: 'https://h/a.jpg', kind: 'image' });
  });

  it('takes images between white space', async () => {
    const { items } = await read('images\n"https://h/1.jpg  https://h/2.jpg\nhttps://h/3.jpg"\n');
    expect(items[0]?.images).toEqual(['https://h/1.jpg', 'https://h/2.jpg', 'https://h/3.jpg']);
    expect(items[0]?.kind).toBe('post');
  });

  it('takes a time without zone for UTC, and a day for its beginning', async () => {
    const { items } = await read('key,last_modified\na.jpg,2026-11-01 08:30\nb.jpg,2026-11-01\n');
    expect(items.map((item) => item.lastModified)).toEqual([
      '2026-11-01T08:30:00.000Z',
      '2026-11-01T00:00:00.000Z',
    ]);
  });

  it('keeps spaces in keys, and cuts them from numbers', async () => {
    const { items } = await read('key,size\n a b.jpg, 12 \n');
    expect(items[0]).toMatchObject({ key: ' a b.jpg', sizeBytes: 12 });
  });

  it('is placed by its line, so that byte order is the order of the file', async () => {
    const { items } = await read(
      `key\n${Array.from({ length: 300 }, (_, index) => `${index}.jpg`).join('\n')}`,
    );
    const sorted = [...items].sort((left, right) => Buffer.compare(left.position, right.position));
    expect(sorted.map((item) => item.key)).toEqual(items.map((item) => item.key));
    expect(Buffer.from(items[0]?.position ?? []).toString('hex')).toBe('0000000000000002');
  });
});

describe('columns', () => {
  it('stand under other names, and unknown ones are passed over', async () => {
    const columns = { url: 'link', title: 'name' };
    const { items } = await read('score, link ,name,title\n1,https://h/a.jpg,N,ignored\n', {
      source: { columns },
    });
    expect(items[0]).toMatchObject({ url: 'https://h/a.jpg', title: 'N' });
  });

  it('that are mapped are not taken by their own name for another field too', async () => {
    const { items } = await read('key,title\na.jpg,words\n', { source: { columns: { text: 'title' } } });
    expect(items[0]?.text).toBe('words');
    expect(items[0]?.title).toBeUndefined();
  });

  it('stand at positions where there is no header', async () => {
    const columns = { bucket: 1, key: 2 };
    const { items } = await read('b,k.jpg\nb,l.jpg\n', { source: { header: false, columns } });
    expect(items.map((item) => item.id)).toEqual(['b/k.jpg', 'b/l.jpg']);
    expect(Buffer.from(items[0]?.position ?? []).at(-1)).toBe(1);
  });

  it('stand in our order where there is neither header nor mapping', async () => {
    const { items } = await read('i1,b,k.jpg,v7\n', { source: { header: false } });
    expect(items[0]).toMatchObject({ id: 'i1', bucket: 'b', key: 'k.jpg', version: 'v7' });
  });

  it.each<[string, string, Partial<CsvSource>, string]>([
    [
      'missing',
      'a,b\n',
      { columns: { url: 'link' } },
      'columns.url: expected a column "link", found "a", "b". Correct the name.',
    ],
    [
      'twice',
      'link,link\n',
      { columns: { url: 'link' } },
      'columns.url: expected one column "link", found it as columns 1 and 2. Rename one, or set columns.url to the position.',
    ],
    [
      'twice under our own name',
      'bucket,key,size,key\n',
      {},
      'expected one column "key", found it as columns 2 and 4. Rename one, or say which with columns: { key: 2 }.',
    ],
    [
      'divided otherwise',
      'key;bucket\n',
      {},
      'expected a column for one of key, url, text, images, video_url, found "key;bucket", whose columns seem to be divided by ";" (delimiter). Map them with "columns".',
    ],
    [
      'too far',
      'a,b\n',
      { header: false, columns: { url: 3 } },
      'columns.url: expected a position from 1 to 2, found 3. Correct it.',
    ],
    [
      'named without header',
      'a,b\n',
      { header: false, columns: { url: 'a' } },
      'columns.url: expected a position because header is false, found "a".',
    ],
    [
      'useless',
      'a,etag\n',
      {},
      'expected a column for one of key, url, text, images, video_url, found "a", "etag". Map them with "columns".',
    ],
  ])('that are %s end the run', async (_, content, source, message) => {
    const stop = await stopOf(content, { source });
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toContain(`.csv: ${message}`);
  });
});

describe('a broken row', () => {
  it.each([
    [
      'has too few columns',
      'key,size\na.jpg\n',
      'expected 2 columns, found 1. Correct the row or quote its fields.',
    ],
    [
      'has too many columns',
      'key,size\na.jpg,1,2\n',
      'expected 2 columns, found 3. Correct the row or quote its fields.',
    ],
    [
      'has a bad size',
      'key,size\na.jpg,1 KB\n',
      'size: expected a whole number of bytes, found "1 KB". Correct it.',
    ],
    [
      'has a negative size',
      'key,size\na.jpg,-1\n',
      'size: expected a whole number of bytes, found "-1". Correct it.',
    ],
    [
      'has a bad date',
      'key,last_modified\na,yesterday\n',
      'last_modified: expected an ISO 8601 time such as 2026-11-20T02:00:00Z, found "yesterday". Correct it.',
    ],
    [
      'has a day that is none',
      'key,last_modified\na,2026-02-30\n',
      'last_modified: expected an ISO 8601 time such as 2026-11-20T02:00:00Z, found "2026-02-30". Correct it.',
    ],
    [
      'has a bad kind',
      'key,kind\na,audio\n',
      'kind: expected image, video, post, found "audio". Correct it or leave it empty.',
    ],
    [
      'has a bad duration',
      'key,duration\na,1:30\n',
      'duration: expected seconds such as 12.5, up to 10000000, found "1:30". Correct it.',
    ],
    [
      'has a duration that nobody can believe',
      'key,duration\na,99999999999999999999\n',
      'duration: expected seconds such as 12.5, up to 10000000, found "99999999999999999999". Correct it.',
    ],
    [
      'has another scheme',
      'url\nftp://u:p@h/a.jpg\n',
      'url: expected an http or https URL, found "ftp://h/a.jpg". Correct it.',
    ],
    ['has no URL', 'url\nhttp://\n', 'url: expected an http or https URL, found "http://". Correct it.'],
    [
      'has a bad video URL',
      'video_url\nv.mp4\n',
      'video_url: expected an http or https URL, found "v.mp4". Correct it.',
    ],
    [
      'has images that are no JSON',
      'images\n"[""https://h/1.jpg"""\n',
      'images: expected a JSON array of URLs, or URLs between white space. Correct it.',
    ],
    [
      'has images that are no texts',
      'images\n[1]\n',
      'images: expected a JSON array of URLs, or URLs between white space. Correct it.',
    ],
    [
      'has images that are no URLs',
      'images\nhttps://h/1.jpg 2.jpg\n',
      'images: expected http or https URLs, found "2.jpg". Correct it.',
    ],
    [
      'leads nowhere',
      'key,url,title\n,,T\n',
      'expected a key, url, text, images or video_url, found none. Fill one of them.',
    ],
  ])('that %s is reported', async (_, content, message) => {
    const { items, broken } = await read(content);
    expect({ items, broken }).toEqual({ items: [], broken: [{ line: 2, message }] });
  });

  it('does not stop the rest, and lines are counted through quoted fields, empty lines and both line ends', async () => {
    const content = 'key,text\r\na.jpg,"one\r\ntwo"\r\n\r\nbad\nb.jpg,x\n\n\nworse\nc.jpg,"1\n2\n3"\nworst';
    const { items, broken } = await read(content);
    expect(items.map((item) => item.key)).toEqual(['a.jpg', 'b.jpg', 'c.jpg']);
    expect(broken.map((row) => row.line)).toEqual([5, 9, 13]);
    expect(items.map((item) => item.position.at(-1))).toEqual([2, 6, 10]);
  });

  it('does not show a signature', async () => {
    const { broken } = await read('url\nhttps//h/a.jpg?X-Amz-Signature=secret\n');
    expect(broken[0]?.message).toContain('found "https//h/a.jpg"');
    expect(broken[0]?.message).not.toContain('secret');
  });

  it.each([
    [
      'a stray quote',
      'key,text\na.jpg,5" wide\nb.jpg,x\n',
      2,
      'a quote within a field that does not begin with one',
      ['b.jpg'],
    ],
    [
      'words after a closing quote',
      'key,text\na.jpg,"x"y\nb.jpg,x\n',
      2,
      'a quote in a quoted field',
      ['b.jpg'],
    ],
    [
      'an unclosed quote',
      'key,text\na.jpg,"x\nb.jpg,y\nc.jpg,z\n',
      2,
      'a quoted field that nothing closes',
      ['b.jpg', 'c.jpg'],
    ],
    [
      'an unclosed quote before quoted rows',
      'key,text\na.jpg,"x\nb.jpg,"y"\nc.jpg,"z"\n',
      2,
      'a quote in a quoted field',
      ['b.jpg', 'c.jpg'],
    ],
    ['a stray quote in the last row', 'key,text\na.jpg,x\nb.jpg,5"', 3, 'a quote within a field', ['a.jpg']],
    [
      'an unclosed quote after an empty line',
      'key,text\n\na.jpg,"x\nb.jpg,y\n',
      3,
      'a quoted field that nothing closes',
      ['b.jpg'],
    ],
  ])('with %s swallows no other', async (_, content, line, message, keys) => {
    const { items, broken } = await read(content);
    expect(items.map((item) => item.key)).toEqual(keys);
    expect(broken.map((row) => row.line)).toEqual([line]);
    expect(broken[0]?.message).toContain(message);
  });

  it('with an unclosed quote before a megabyte costs one row, not the file', async () => {
    const rows = Array.from({ length: 120_000 }, (_, index) => `${index}.jpg,words\n`);
    const { items, broken } = await read(`key,text\na.jpg,"x\n${rows.join('')}`);
    expect(items).toHaveLength(120_000);
    expect(broken).toEqual([
      {
        line: 2,
        message: 'a row beyond 1048576 characters: expected a closing quote before that. Correct the row.',
      },
    ]);
  });

  it('accounts for every line, whatever the quotes', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', '""', ' ', '猫', '1'), maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 12 }), async (rows) => {
        const lines = rows.map(([left, right]) => `k${left},${right}`);
        const { items, broken } = await read(`key,title\n${lines.join('\n')}\nlast.jpg,x\n`);
        expect(items.at(-1)?.key).toBe('last.jpg');
        const starts = [...items.map((item) => item.position.at(-1) ?? 0), ...broken.map((row) => row.line)];
        expect(new Set(starts).size).toBe(starts.length);
        // A line without quotes cannot be lost, unless a quoted field that began above it takes it in.
        const firstQuote = lines.findIndex((line) => line.includes('"'));
        const safe = firstQuote === -1 ? lines : lines.slice(0, firstQuote);
        expect(starts).toEqual(expect.arrayContaining(safe.map((_, index) => index + 2)));
      }),
      { numRuns: 200 },
    );
  });
});

describe('a manifest file', () => {
  it('may begin with a byte order mark', async () => {
    const { items } = await read('\ufeffkey\n\ufeffa.jpg\n');
    expect(items.map((item) => item.key)).toEqual(['\ufeffa.jpg']);
  });

  it('may begin with a byte order mark and a quote', async () => {
    const { items } = await read('\ufeff"key","url"\na.jpg,\n');
    expect(items.map((item) => item.key)).toEqual(['a.jpg']);
  });

  it('may use another delimiter', async () => {
    const { items } = await read('key;title\na.jpg;"x;y"\n', { source: { delimiter: ';' } });
    expect(items[0]).toMatchObject({ key: 'a.jpg', title: 'x;y' });
  });

  it('comes in pages of 100 rows, the last one marked', async () => {
    const rows = Array.from({ length: 200 }, (_, index) => (index === 3 ? ',' : `${index}.jpg,t`));
    const pages = await readPages(`key,title\n${rows.join('\n')}\n`);
    expect(pages.map((page) => [page.items.length, page.broken.length, page.isLast])).toEqual([
      [99, 1, false],
      [100, 0, true],
    ]);
    expect(pages.every((page) => page.checkpoint === undefined)).toBe(true);
  });

  it('without rows yields one empty page', async () => {
    const pages = await readPages('key\n');
    expect(pages).toEqual([{ items: [], unselected: 0, broken: [], isLast: true }]);
  });

  it('that is empty has no header', async () => {
    expect((await stopOf('')).message).toContain('.csv: expected a header line, found an empty file.');
    expect(await readPages('', { source: { header: false } })).toHaveLength(1);
  });

  it('whose header cannot be read ends the run', async () => {
    const stop = await stopOf('key,ti"tle\na,b\n');
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toContain('.csv:1: a quote within a field that does not begin with one');
  });

  it('that is not there ends the run and is named', async () => {
    const stop = await stopOf('', { source: { path: join(folder, 'absent.csv') } });
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toMatch(
      /absent\.csv: the manifest cannot be read: ENOENT.*Check the path and its rights\.$/,
    );
  });

  it('that is a folder ends the run', async () => {
    expect((await stopOf('', { source: { path: folder } })).message).toContain('EISDIR');
  });

  it.each([
    [
      'GB18030',
      Buffer.concat([Buffer.from('key,title\na.jpg,x\nb.jpg,'), Buffer.from([0xca, 0xd3, 0xc6, 0xb5, 0x0a])]),
      3,
    ],
    ['bytes cut in the middle of a character', Buffer.from('key\na.jpg\n猫').subarray(0, 12), 3],
  ])('in %s ends the run and names the line', async (_, content, line) => {
    const stop = await stopOf(content);
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toMatch(
      new RegExp(`\\.csv:${line}: expected text in UTF-8, found other bytes\\. Set "encoding"`),
    );
  });
});

describe('a row without etag or size', () => {
  const source = { storage: 'main', bucket: 'media' };

  it('is completed by HEAD, its own facts kept', async () => {
    const storage = openMemoryStorage([{ key: 'a', bytes: Buffer.from('0123'), contentType: 'video/mp4' }]);
    const { items } = await read('key,etag\na,mine\n', { storage, source });
    expect(items[0]).toMatchObject({
      kind: 'video',
      etag: 'mine',
      sizeBytes: 4,
      lastModified: '2026-11-01T00:00:00.000Z',
      contentType: 'video/mp4',
    });
  });

  it('is completed too where only its content type can tell what it is', async () => {
    const storage = openMemoryStorage([
      { key: 'a', bytes: Buffer.from('0123'), contentType: 'video/mp4' },
      { key: 'b.jpg', bytes: Buffer.from('0123') },
    ]);
    const { items } = await read('key,etag,size,content_type\na,e,4,\nb.jpg,e,4,\nc,e,4,image/png\n', {
      source,
      storage,
    });
    expect(items.map(({ kind }) => kind)).toEqual(['video', 'image', 'image']);
    expect(storage.heads).toEqual(['a']);
  });

  it('is broken where its object is not there', async () => {
    const storage = openMemoryStorage(makeObjects(['a.jpg']));
    const { items, broken } = await read('key\nb.jpg\na.jpg\n', { storage, source });
    expect(items.map((item) => item.key)).toEqual(['a.jpg']);
    expect(broken).toEqual([
      {
        line: 2,
        message: 'no object "b.jpg" in bucket "media" of storage "main". Correct the row or remove it.',
      },
    ]);
  });

  it('costs no HEAD where its path is not selected, and is judged by what HEAD tells', async () => {
    const storage = openMemoryStorage(makeObjects(['a.jpg', 'b.jpg', 'c.png']));
    const select = { include: ['*.jpg'], minSizeBytes: 11 };
    const { items, unselected } = await read('key\na.jpg\nb.jpg\nc.png\n', { storage, source, select });
    expect(items).toEqual([]);
    expect(unselected).toBe(3);
    expect([...storage.heads].sort()).toEqual(['a.jpg', 'b.jpg']);
  });

  it('waits while eight others are asked for, and keeps its place', async () => {
    const keys = Array.from({ length: 60 }, (_, index) => `${String(index).padStart(2, '0')}.jpg`);
    const storage = openMemoryStorage(makeObjects(keys));
    const { items } = await read(`key\n${keys.join('\n')}\n`, { storage, source });
    expect(items.map((item) => item.key)).toEqual(keys);
    expect(storage.mostHeadsAtOnce()).toBe(8);
  });
});
