/** Manifests in every form, place and encoding. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item, SourcePage } from '../../src/domain/item.ts';
import type { CsvSource, InventorySource, JsonlSource, SelectSettings } from '../../src/domain/settings.ts';
import { openSource } from '../../src/source/open-source.ts';
import { type MemoryObject, openMemoryStorage } from './memory-storage.ts';

const path = 's3://main/lists/rows';
const csv: CsvSource = {
  form: 'csv',
  path,
  header: true,
  columns: {},
  delimiter: ',',
  encoding: 'utf-8',
  allowPrivateAddresses: false,
};
const jsonl: JsonlSource = { form: 'jsonl', path, encoding: 'utf-8', allowPrivateAddresses: false };

interface Given {
  readonly objects?: readonly MemoryObject[];
  readonly standardInput?: AsyncIterable<unknown>;
  readonly select?: Partial<SelectSettings>;
  readonly readEarlier?: (ids: readonly string[]) => Promise<readonly Item[]>;
}

async function readPages(
  source: CsvSource | JsonlSource | InventorySource,
  content: string | Uint8Array,
  given: Given = {},
): Promise<readonly SourcePage[]> {
  const manifest = { key: 'rows', bytes: Buffer.from(content) };
  const storage = openMemoryStorage([manifest, ...(given.objects ?? [])]);
  const select = { include: [], exclude: [], kinds: [], ...given.select };
  const { standardInput, readEarlier } = given;
  const tools = { storage, nowMs: 0, standardInput, readEarlier };
  const pages: SourcePage[] = [];
  for await (const page of openSource({ source, select }, tools)) pages.push(page);
  return pages;
}

async function read(...given: Parameters<typeof readPages>) {
  const pages = await readPages(...given);
  return {
    items: pages.flatMap((page) => page.items),
    broken: pages.flatMap((page) => page.broken),
    unselected: pages.reduce((sum, page) => sum + page.unselected, 0),
  };
}

const table = 'key,title,etag,size\n视频/a+b.mp4,北京 😀,e1,12\nb.jpg,"x,\ny",e2,13\n';
const tableItems = [
  { key: '视频/a+b.mp4', title: '北京 😀', etag: 'e1', sizeBytes: 12 },
  { key: 'b.jpg', title: 'x,\ny', etag: 'e2', sizeBytes: 13 },
];
const marks = { 'utf-8': [0xef, 0xbb, 0xbf], 'utf-16le': [0xff, 0xfe], 'utf-16be': [0xfe, 0xff] } as const;
const inUtf16 = Buffer.from(table, 'utf16le');
/** `key,title\nb.jpg,视频\n`, with the two characters as GB18030 has them. */
const inGb18030 = Buffer.concat([
  Buffer.from('key,title\nb.jpg,'),
  Buffer.from([0xca, 0xd3, 0xc6, 0xb5]),
  Buffer.from('\n'),
]);

describe('a manifest', () => {
  it.each<[string, CsvSource['encoding'], Buffer]>([
    ['in UTF-8 with a mark', 'gb18030', Buffer.concat([Buffer.from(marks['utf-8']), Buffer.from(table)])],
    [
      'in UTF-16 with a mark, whatever is configured',
      'utf-8',
      Buffer.concat([Buffer.from(marks['utf-16le']), inUtf16]),
    ],
    [
      'in big-endian UTF-16 with a mark',
      'utf-8',
      Buffer.concat([Buffer.from(marks['utf-16be']), Buffer.from(inUtf16).swap16()]),
    ],
    ['in UTF-16 without a mark', 'utf-16le', inUtf16],
    ['in big-endian UTF-16 without a mark', 'utf-16be', Buffer.from(inUtf16).swap16()],
    ['compressed', 'utf-8', gzipSync(table)],
    [
      'compressed in two members and in UTF-16',
      'utf-16le',
      Buffer.concat([gzipSync(inUtf16.subarray(0, 31)), gzipSync(inUtf16.subarray(31))]),
    ],
  ])('%s is read', async (_, encoding, bytes) => {
    expect((await read({ ...csv, encoding }, bytes)).items).toMatchObject(tableItems);
  });

  it('in GB18030 is read where that is configured', async () => {
    const { items } = await read({ ...csv, encoding: 'gb18030' }, inGb18030);
    expect(items).toMatchObject([{ key: 'b.jpg', title: '视频' }]);
  });

  it('is read from standard input, in chunks cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(table, gzipSync(table), inUtf16),
        fc.integer({ min: 1, max: 40 }),
        async (content, step) => {
          const bytes = Buffer.from(content);
          const chunks = Array.from({ length: Math.ceil(bytes.length / step) }, (_, at) =>
            bytes.subarray(at * step, (at + 1) * step),
          );
          const encoding = content === inUtf16 ? 'utf-16le' : 'utf-8';
          const { items } = await read({ ...csv, path: '-', encoding }, '', {
            standardInput: Readable.from(chunks),
          });
          expect(items).toMatchObject(tableItems);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each<[string, CsvSource, Buffer, string]>([
    [
      'is not there',
      { ...csv, path: 's3://main/lists/other' },
      Buffer.from(table),
      's3://main/lists/other: there is no such object. Correct the path.',
    ],
    [
      'is cut in its compressed form',
      csv,
      gzipSync(table).subarray(0, 30),
      's3://main/lists/rows: the manifest cannot be unpacked: unexpected end of file. Pack it again.',
    ],
    [
      'has another encoding',
      { ...csv, encoding: 'gb18030' },
      Buffer.concat([Buffer.from('key\na.jpg\n'), Buffer.from([0xff, 0xff, 0x0a])]),
      's3://main/lists/rows: expected text in gb18030, found other bytes in or behind line 1. Correct "encoding: ...", or the file.',
    ],
    [
      'is in UTF-8 where GB18030 is configured, though most of it could be read so',
      { ...csv, encoding: 'gb18030' },
      Buffer.from(table),
      's3://main/lists/rows: expected text in gb18030, found what looks like utf-8. Set "encoding: utf-8", or correct the file.',
    ],
    [
      'is in UTF-8 where UTF-16 is configured',
      { ...csv, encoding: 'utf-16le' },
      Buffer.from('key\na.jpg\n'),
      's3://main/lists/rows: expected text in utf-16le, found what looks like utf-8. Set "encoding: utf-8", or correct the file.',
    ],
    [
      'is in GB18030 where UTF-16 is configured',
      { ...csv, encoding: 'utf-16be' },
      inGb18030,
      's3://main/lists/rows: expected text in utf-16be, found what looks like gb18030. Set "encoding: gb18030", or correct the file.',
    ],
    [
      'is in UTF-16 without a mark where nothing is configured',
      csv,
      inUtf16,
      's3://main/lists/rows: expected text in utf-8 (the default), found what looks like utf-16le. Set "encoding: utf-16le", or correct the file.',
    ],
    [
      'is in UTF-16 of the other byte order',
      { ...csv, encoding: 'utf-16le' },
      Buffer.from(inUtf16).swap16(),
      's3://main/lists/rows: expected text in utf-16le, found what looks like utf-16be. Set "encoding: utf-16be", or correct the file.',
    ],
    [
      'is in GB18030 where nothing is configured',
      csv,
      inGb18030,
      's3://main/lists/rows:2: expected text in UTF-8, found other bytes. Set "encoding" (gb18030 for most files of Chinese Excel), or save it as UTF-8 (in Excel: "CSV UTF-8").',
    ],
  ])('that %s ends the run as wrong use', async (_, source, bytes, message) => {
    await expect(read(source, bytes)).rejects.toMatchObject({ exitCode: 2, message });
  });

  it('of plain ASCII is read under any encoding that could hold it', async () => {
    for (const encoding of ['utf-8', 'gb18030'] as const) {
      const { items } = await read({ ...csv, encoding }, 'key\na.jpg\n');
      expect(items.map(({ key }) => key)).toEqual(['a.jpg']);
    }
  });

  it('in UTF-8 is not taken for another encoding where a character is cut by the end of what is looked at', async () => {
    for (let cut = 0; cut < 4; cut += 1) {
      const rows = `text\n${'x'.repeat(4083 + cut)}视频猫.jpg\n`;
      await expect(read({ ...csv, encoding: 'gb18030' }, rows)).rejects.toMatchObject({ exitCode: 2 });
      expect((await read(csv, rows)).items).toHaveLength(1);
    }
  });

  it('ends the run when more rows are broken than may be, after those were told', async () => {
    const rows = `key,size,etag\n${Array.from({ length: 1200 }, (_, row) => `${row}.jpg,${row % 400 === 7 ? 'x' : 1},e`).join('\n')}\n`;
    expect((await read({ ...csv, maxBrokenRows: 3 }, rows)).broken).toHaveLength(3);
    const told: SourcePage[] = [];
    const storage = openMemoryStorage([{ key: 'rows', bytes: Buffer.from(rows) }]);
    const select = { include: [], exclude: [], kinds: [] };
    const reading = async () => {
      const source = { ...csv, maxBrokenRows: 2 };
      for await (const page of openSource({ source, select }, { storage, nowMs: 0 })) told.push(page);
    };
    await expect(reading()).rejects.toMatchObject({
      exitCode: 2,
      message:
        's3://main/lists/rows: too many broken rows: expected at most 2 (maxBrokenRows), found 3. Correct them, or raise maxBrokenRows.',
    });
    expect(told.flatMap((page) => page.broken)).toHaveLength(3);
    // The third of them is in row 807.
    expect(told.map((page) => page.isLast)).toEqual(Array.from({ length: 9 }, () => false));
  });
});

describe('a manifest of JSON lines', () => {
  it('has the same fields', async () => {
    const rows = [
      { id: 'p1', text: '两\n行', images: ['https://h/1.jpg'], title: null, service: 'mine' },
      {
        key: 'v.mp4',
        size: 12,
        etag: '"e"',
        duration: 3.5,
        last_modified: '2026-11-01',
        bucket: 'b',
        other: { deep: 1 },
      },
    ];
    const { items, broken } = await read(
      { ...jsonl, storage: 'main' },
      `${rows.map((row) => JSON.stringify(row)).join('\r\n')}`,
    );
    expect(broken).toEqual([]);
    expect(items).toMatchObject([
      { id: 'p1', kind: 'post', text: '两\n行', images: ['https://h/1.jpg'] },
      {
        id: 'b/v.mp4',
        kind: 'video',
        sizeBytes: 12,
        etag: 'e',
        durationSeconds: 3.5,
        lastModified: '2026-11-01T00:00:00.000Z',
        object: { storage: 'main', bucket: 'b', key: 'v.mp4' },
      },
    ]);
    expect(items[0]?.onlyServices).toBeUndefined();
    expect(items.map((item) => item.position.at(-1))).toEqual([1, 2]);
  });

  it.each([
    ['{"key":', 'expected a JSON object. Correct the row.'],
    ['["a.jpg"]', 'expected a JSON object. Correct the row.'],
    ['{"key":["a"]}', 'key: expected a text or a number, found a list. Correct it.'],
    ['{"size":1}', 'expected a key, url, text, images or video_url, found none. Fill one of them.'],
    [
      `{"key":"${'x'.repeat(1024 * 1024)}"}`,
      'a line beyond 1048576 bytes: expected one JSON object a line. Correct the row.',
    ],
  ])('tells the line of a broken row and goes on', async (line, message) => {
    const { items, broken } = await read(jsonl, `\n{"key":"a.jpg"}\n${line}\n\n{"key":"b.jpg"}`);
    expect(broken).toEqual([{ line: 3, message }]);
    expect(items.map((item) => item.key)).toEqual(['a.jpg', 'b.jpg']);
  });
});

describe('our own reports as manifests', () => {
  it('failures.csv is known by its columns, and rows of one item are one item with those services', async () => {
    const header = 'item,bucket,key,url,service,status,code,http_status,message,attempts';
    const rows = [
      'media/a.mp4,media,a.mp4,,pai/video-quality,failed,x,400,"no, not",3',
      'media/a.mp4,media,a.mp4,,qiniu/video-censor,held,,,,1',
      'mine,,,https://h/b.jpg,pai/image-quality,failed,x,400,m,1',
    ];
    const { items, broken } = await read({ ...csv, storage: 'main' }, `${header}\n${rows.join('\n')}\n`, {
      objects: [{ key: 'a.mp4', bytes: Buffer.from('x') }],
    });
    expect(broken).toEqual([]);
    expect(items).toMatchObject([
      { id: 'media/a.mp4', key: 'a.mp4', onlyServices: ['pai/video-quality', 'qiniu/video-censor'] },
      { id: 'mine', url: 'https://h/b.jpg', onlyServices: ['pai/image-quality'] },
    ]);
  });

  it('tasks.jsonl is known by its columns', async () => {
    const task = (item: string, service: string) =>
      JSON.stringify({
        item,
        bucket: 'media',
        key: 'a.mp4',
        url: null,
        kind: 'video',
        sizeBytes: 5,
        etag: 'e',
        duration: 2,
        service,
        account: 'a',
        status: 'failed',
        usage: {},
        error: { code: 'x' },
      });
    const lines = [task('one', 's1'), task('one', 's2'), task('two', 's1'), task('one', 's3')];
    const { items } = await read(jsonl, lines.join('\n'));
    expect(items.map(({ id, onlyServices }) => [id, onlyServices])).toEqual([
      ['one', ['s1', 's2']],
      ['two', ['s1']],
      ['one', ['s3']],
    ]);
    expect(items[0]).toMatchObject({ kind: 'video', sizeBytes: 5, etag: 'e', durationSeconds: 2 });
  });

  const header = 'item,bucket,key,url,service,status,code,http_status,message,attempts';

  it('refuse a row whose link was cut, as the ledger tells, and take other links', async () => {
    const rows = [
      'https://h/a.jpg,,,https://h/a.jpg,pai/image-quality,failed,x,400,m,1',
      'https://h/b.jpg,,,https://h/b.jpg,pai/image-quality,failed,x,400,m,1',
      'mine,,,https://h/other.jpg,pai/image-quality,failed,x,400,m,1',
      'never seen,,,https://h/c.jpg,pai/image-quality,failed,x,400,m,1',
    ];
    const known = (id: string, url: string, isUrlCut?: boolean): Item => ({
      id,
      position: Buffer.from(id),
      url,
      isUrlCut,
    });
    const earlier = [
      known('https://h/a.jpg', 'https://h/a.jpg', true),
      known('https://h/b.jpg', 'https://h/b.jpg'),
      known('mine', 'https://h/x.jpg', true),
    ];
    const asked: (readonly string[])[] = [];
    const readEarlier = async (ids: readonly string[]) => {
      asked.push(ids);
      return earlier;
    };
    const { items, broken } = await read(csv, `${header}\n${rows.join('\n')}\n`, { readEarlier });
    expect(broken).toEqual([
      {
        line: 2,
        message:
          'url: cut in the report since it may be signed: run that pipeline with --only-failed RUN. Expected a whole link, found "https://h/a.jpg".',
      },
    ]);
    expect(items.map(({ url }) => url)).toEqual([
      'https://h/b.jpg',
      'https://h/other.jpg',
      'https://h/c.jpg',
    ]);
    expect(asked).toEqual([['https://h/a.jpg', 'https://h/b.jpg', 'mine', 'never seen']]);
  });

  it('do not ask the ledger about rows of other manifests, or with a key', async () => {
    const readEarlier = async () => {
      throw new Error('asked');
    };
    const { items } = await read(csv, 'url\nhttps://h/a.jpg\n', { readEarlier });
    expect(items).toHaveLength(1);
    const rows = 'media/a.mp4,media,a.mp4,,pai/video-quality,failed,x,400,m,3\n';
    expect((await read(csv, `${header}\n${rows}`, { readEarlier })).items).toHaveLength(1);
  });

  it.each<[string, CsvSource | JsonlSource, string]>([
    ['failures.csv', csv, `${header}\nrow-2,,,,pai/post-labels,failed,x,400,m,1\n`],
    [
      'tasks.jsonl',
      jsonl,
      '\n{"item":"p","url":"https://h/p","kind":"post","service":"pai/post-labels","account":"a","status":"held"}',
    ],
  ])('refuse a post of %s, whose fields are not there', async (_, source, content) => {
    expect((await read(source, content)).broken).toEqual([
      {
        line: 2,
        message:
          "a post's fields are not in reports: run that pipeline with --only-failed RUN. Expected a key or url, found neither text nor media.",
      },
    ]);
  });

  it('rows of one item are one item also where a page ends between them', async () => {
    const rows = Array.from(
      { length: 1500 },
      (_, row) => `i${Math.floor(row / 3)},,,https://h/${Math.floor(row / 3)}.jpg,s${row % 3},failed,,,,1`,
    );
    const { items } = await read(csv, `${header}\n${rows.join('\n')}\n`);
    expect(items).toHaveLength(500);
    expect(items.every((item) => item.onlyServices?.join() === 's0,s1,s2')).toBe(true);
  });
});

describe('a manifest of S3 Batch', () => {
  it('has bucket, encoded key and version, and no header', async () => {
    const rows = 'media,%E8%A7%86%E9%A2%91/a%2Bb+c.mp4,v1\nmedia,a%20b+c.mp4,\nmedia,100%.jpg,\n';
    const { items, broken } = await read({ ...csv, header: false }, rows);
    expect(items.map(({ key, version }) => [key, version])).toEqual([
      ['视频/a+b c.mp4', 'v1'],
      ['a b+c.mp4', undefined],
    ]);
    expect(broken).toEqual([
      { line: 3, message: 'key: expected a URL-encoded key in UTF-8, found "100%.jpg". Correct it.' },
    ]);
  });

  it('may have no versions', async () => {
    const { items } = await read({ ...csv, header: false }, 'media,a%2Bb.mp4\n');
    expect(items[0]).toMatchObject({ bucket: 'media', key: 'a+b.mp4' });
  });
});

describe('an S3 Inventory', () => {
  const source: InventorySource = {
    form: 'inventory',
    manifest: 's3://main/inventory/rows',
    storage: 'media-storage',
  };
  const schema = 'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag';
  const parts = [
    gzipSync(
      '"media","ugc/%E7%8C%AB+1.jpg","v2","true","false","12","2026-11-01T00:00:00.000Z","e1"\n' +
        '"media","old.jpg","v1","false","false","12","2026-11-01T00:00:00.000Z","e0"\n' +
        '"media","gone.jpg","v3","true","true","","2026-11-01T00:00:00.000Z",""\n' +
        '"media","folder/","v3","true","false","0","2026-11-01T00:00:00.000Z","e"\n',
    ),
    gzipSync(
      '"media","b.mp4","","true","false","x","2026-11-01T00:00:00.000Z","e1"\n"media","a.mp4","","true","false","9","2026-11-01T00:00:00.000Z","e2"\n',
    ),
  ] as const;
  const objects = [
    { key: 'part 1.csv.gz', bytes: parts[0] },
    { key: 'part2.csv.gz', bytes: parts[1] },
  ];
  const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');
  const manifest = (change: object = {}) =>
    JSON.stringify({
      sourceBucket: 'media',
      fileFormat: 'CSV',
      fileSchema: schema,
      files: [
        { key: 'part 1.csv.gz', size: parts[0].length, MD5checksum: md5(parts[0]) },
        { key: 'part2.csv.gz', size: parts[1].length, MD5checksum: md5(parts[1]).toUpperCase() },
      ],
      ...change,
    });
  it('brings what its parts name, without delete markers, old versions and folders', async () => {
    const { items, unselected, broken } = await read(source, manifest(), { objects });
    expect(items.map(({ object, sizeBytes, etag }) => ({ object, sizeBytes, etag }))).toEqual([
      {
        object: { storage: 'media-storage', bucket: 'media', key: 'ugc/猫 1.jpg' },
        sizeBytes: 12,
        etag: 'e1',
      },
      { object: { storage: 'media-storage', bucket: 'media', key: 'a.mp4' }, sizeBytes: 9, etag: 'e2' },
    ]);
    expect(unselected).toBe(3);
    expect(broken).toEqual([
      {
        line: 2 ** 32 + 1,
        message: 'part2.csv.gz: size: expected a whole number of bytes, found "x". Correct it.',
      },
    ]);
    expect(items.map((item) => Buffer.from(item.position).toString('hex'))).toEqual([
      '0000000000000001',
      '0000000100000002',
    ]);
  });

  it.each([
    [
      'is no manifest',
      '{}',
      'expected the manifest.json of an S3 Inventory with fileFormat, fileSchema and files, found something else. Correct the path.',
    ],
    [
      'is in another format',
      manifest({ fileFormat: 'Parquet' }),
      'expected fileFormat "CSV", found "Parquet". Set the inventory\'s format to CSV.',
    ],
    [
      'names no keys',
      manifest({ fileSchema: 'Bucket, Size' }),
      'expected Bucket and Key in fileSchema, found "Bucket, Size". Check the inventory.',
    ],
  ])('that %s ends the run as wrong use', async (_, content, message) => {
    await expect(read(source, content, { objects })).rejects.toMatchObject({
      exitCode: 2,
      message: `s3://main/inventory/rows: ${message}`,
    });
  });
});

describe('a part of an inventory', () => {
  const source: InventorySource = {
    form: 'inventory',
    manifest: 's3://main/inventory/rows',
    storage: 'main',
  };
  const part = {
    key: 'part.csv',
    bytes: Buffer.from('"media","a.jpg","1","e1"\n"media","b.jpg","1","e2"\n'),
  };
  const manifest = (file: object) =>
    JSON.stringify({
      fileFormat: 'CSV',
      fileSchema: 'Bucket, Key, Size, ETag',
      files: [{ key: 'part.csv', ...file }],
    });
  const action = 'It was changed or damaged: take another inventory; what was read of it counts as listed.';

  it('that is as the manifest says is read, and so is one of which it says nothing', async () => {
    const MD5checksum = createHash('md5').update(part.bytes).digest('hex');
    for (const file of [{ size: part.bytes.length, MD5checksum }, {}]) {
      expect((await read(source, manifest(file), { objects: [part] })).items).toHaveLength(2);
    }
  });

  it('of another size is not begun', async () => {
    await expect(read(source, manifest({ size: 7 }), { objects: [part] })).rejects.toMatchObject({
      exitCode: 2,
      message: `s3://main/inventory/part.csv: expected the size that the manifest names, 7, found 50. ${action}`,
    });
  });

  it('with another checksum ends the run', async () => {
    const MD5checksum = 'd41d8cd98f00b204e9800998ecf8427e';
    await expect(read(source, manifest({ MD5checksum }), { objects: [part] })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(
        /part\.csv: expected the MD5 that the manifest names, d41d8cd98f00b204e9800998ecf8427e, found [\da-f]{32}\. It was changed/,
      ) as string,
    });
  });
});

describe('a sample', () => {
  it('is the same whatever else is listed, about as large as asked for, and within a larger one', async () => {
    const rows = (count: number) =>
      `key,etag,size\n${Array.from({ length: count }, (_, row) => `${row}.jpg,e,1`).join('\n')}\n`;
    const sample = async (count: number, share: number) =>
      (await read(csv, rows(count), { select: { sample: share } })).items.map((item) => item.key);
    const [few, many, more] = [await sample(2000, 0.1), await sample(4000, 0.1), await sample(2000, 0.3)];
    expect(many.slice(0, few.length)).toEqual(few);
    expect(few.every((key) => more.includes(key))).toBe(true);
    expect(Math.abs(few.length - 200)).toBeLessThan(60);
    expect(await sample(100, 1)).toHaveLength(100);
  });
});
