/** Manifests that somebody broke or wrote to harm: each row is an item or broken in words, and memory stays flat. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BrokenRow, Item } from '../../src/domain/item.ts';
import type { CsvSource, InventorySource, JsonlSource } from '../../src/domain/settings.ts';
import { openSource } from '../../src/source/open-source.ts';
import { openMemoryStorage } from '../source/memory-storage.ts';
import { bombs } from './bombs.ts';
import { broken, deepTexts, endOf, fuzzTimeoutMs, nastyText, nastyValue, tries } from './hostile.ts';

const path = 's3://main/lists/rows';
const mebibyte = 1024 * 1024;
const signature = 'canary-signature';
const link = `https://cdn.example/a.jpg?X-Amz-Signature=${signature}`;

const csv: CsvSource = {
  form: 'csv',
  path,
  header: true,
  columns: {},
  delimiter: ',',
  encoding: 'utf-8',
  storage: 'main',
  bucket: 'media',
  allowPrivateAddresses: false,
};
const jsonl: JsonlSource = {
  form: 'jsonl',
  path,
  encoding: 'utf-8',
  storage: 'main',
  bucket: 'media',
  allowPrivateAddresses: false,
};
const inventory: InventorySource = { form: 'inventory', manifest: path, storage: 'main' };

interface Reading {
  readonly items: readonly Item[];
  readonly broken: readonly BrokenRow[];
  readonly most: number;
}

/** Reads a source to its end; keeps no page, and answers the most memory that was in use at any. */
async function readAll(
  source: CsvSource | JsonlSource | InventorySource,
  content: Uint8Array | AsyncIterable<unknown>,
  more: readonly { readonly key: string; readonly bytes: Uint8Array }[] = [],
): Promise<Reading> {
  const isBytes = content instanceof Uint8Array;
  const storage = openMemoryStorage([...(isBytes ? [{ key: 'rows', bytes: content }] : []), ...more]);
  const settings = isBytes || source.form === 'inventory' ? source : { ...source, path: '-' };
  const tools = { storage, nowMs: 0, standardInput: isBytes ? undefined : content };
  const items: Item[] = [];
  const faults: BrokenRow[] = [];
  let most = 0;
  for await (const page of openSource(
    { source: settings, select: { include: [], exclude: [], kinds: [] } },
    tools,
  )) {
    const light = page.items.filter(({ text = '', key = '' }) => text.length + key.length < 10_000);
    if (items.length < 100) items.push(...light.slice(0, 100));
    if (faults.length < 1000) faults.push(...page.broken);
    most = Math.max(most, process.memoryUsage().rss);
  }
  return { items, broken: faults, most };
}

/** Whatever was read: items that dispatch can take, and faults in words that show no signature. */
async function expectTold(work: Promise<Reading>): Promise<void> {
  const end = await endOf(() => work);
  if ('stop' in end) {
    assert.equal(end.stop.exitCode, 2);
    assert.match(end.stop.message, /^(?:s3:\/\/main\/|standard input|-:)[\s\S]+\.$/);
    assert(!end.stop.message.includes(signature), end.stop.message);
    return;
  }
  for (const { line, message } of end.value.broken) {
    expect(line).toBeGreaterThan(0);
    expect(message.length).toBeGreaterThan(10);
    expect(message.length).toBeLessThan(5000);
    expect(message).not.toContain(signature);
  }
  for (const item of end.value.items) {
    expect(item.id.length).toBeGreaterThan(0);
    expect(item.id).not.toMatch(/[?&]X-Amz-Signature=/);
    expect(item.position).toHaveLength(8);
    for (const url of [item.url, item.videoUrl, ...(item.images ?? [])]) {
      assert(url === undefined || /^https?:$/.test(new URL(url).protocol));
    }
    assert(item.sizeBytes === undefined || Number.isSafeInteger(item.sizeBytes));
    expect(item.durationSeconds ?? 0).toBeLessThanOrEqual(1e7);
    expect(Date.parse(item.lastModified ?? '2026-11-20')).not.toBeNaN();
  }
}

const fields =
  'id,bucket,key,version,url,etag,size,last_modified,content_type,kind,title,text,images,video_url,duration';
const tables = [
  `${fields}\n1,media,a.jpg,,,e1,7,2026-11-01,image/jpeg,image,"a ""title""",,,,\n2,,,,${link},e2,8,,,image,,,,,\n3,,,,,,,,,post,标题,正文,"[""https://x.example/1.jpg""]",https://x.example/v.mp4,\n4,media,b.mp4,,,e,9,2026-11-20T02:00:00Z,,,,,,,12.5\n`,
  `item,bucket,key,url,service,status,code,http_status,message,attempts\r\nmedia/a.jpg,media,a.jpg,,pai/image-quality,failed,x,400,m,1\r\nhttps://x/a.jpg,,,https://x/a.jpg,qiniu/video-censor,held,,,,2\r\n`,
];
const lines = [
  `{"key":"a.jpg","etag":"e1","size":7}\n{"url":${JSON.stringify(link)},"images":["https://x.example/1.jpg"],"text":"t","duration":1.5}\n{"id":"3","kind":"post","text":"x"}\n`,
  `{"item":"media/a.jpg","bucket":"media","key":"a.jpg","kind":"image","sizeBytes":7,"etag":"e","service":"pai/image-quality","account":"a","status":"failed"}\n`,
];

const usualForms = { csv, jsonl } as const;
const widths = fc.integer({ min: 1, max: 200 });

/** The bytes in pieces of this length, as a pipe may give them. */
function inPieces(bytes: Buffer, length: number): AsyncIterable<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += length) pieces.push(bytes.subarray(at, at + length));
  return Readable.from(pieces);
}

describe.each([
  { form: 'csv', originals: tables },
  { form: 'jsonl', originals: lines },
] as const)('rows of $form', ({ form, originals }) => {
  const source = usualForms[form];

  it(
    'whose bytes were broken are items or told, whatever the pieces they come in',
    async () => {
      await fc.assert(
        fc.asyncProperty(broken(originals), widths, async (bytes, width) =>
          expectTold(readAll(source, inPieces(bytes, width))),
        ),
        tries(250),
      );
    },
    fuzzTimeoutMs,
  );

  it(
    'in any encoding, packed or not, are items or told',
    async () => {
      const encodings = fc.constantFrom('utf-8', 'utf-16le', 'utf-16be', 'gb18030');
      await fc.assert(
        fc.asyncProperty(broken(originals), encodings, fc.boolean(), async (bytes, encoding, isPacked) => {
          const content = isPacked ? gzipSync(bytes) : bytes;
          await expectTold(readAll({ ...source, encoding: encoding as 'utf-8' }, content));
        }),
        tries(150),
      );
    },
    fuzzTimeoutMs,
  );
});

it(
  'cells of any text are items or told',
  async () => {
    const names = fields.split(',');
    const cell = fc.oneof(
      { weight: 4, arbitrary: nastyText },
      fc.constantFrom(link, `see ${link}`, link.slice(8)),
    );
    const row = fc.array(fc.tuple(fc.constantFrom(...names), cell), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 8 }), async (rows) => {
        const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const made = rows.map((cells) => Object.fromEntries(cells));
        const table = [
          fields,
          ...made.map((cells) => names.map((name) => quote(cells[name] ?? '')).join(',')),
        ].join('\n');
        await expectTold(readAll(csv, Buffer.from(table)));
      }),
      tries(150),
    );
  },
  fuzzTimeoutMs,
);

it(
  'objects of any shape in JSON lines are items or told',
  async () => {
    const name = fc.constantFrom(...fields.split(','), 'item', 'service', 'account', 'status', 'sizeBytes');
    const row = fc
      .array(fc.tuple(name, nastyValue), { maxLength: 6 })
      .map((cells) => Object.fromEntries(cells));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(row, nastyValue), { maxLength: 8 }), async (rows) => {
        const text = rows.map((one) => JSON.stringify(one)).join('\n');
        await expectTold(readAll(jsonl, Buffer.from(text)));
      }),
      tries(200),
    );
  },
  fuzzTimeoutMs,
);

describe('an inventory', () => {
  const part = gzipSync(
    '"media","a.jpg","7","2026-11-01T00:00:00.000Z","e1"\n"media","b%20c.mp4","8",,"e2"\n',
  );
  const md5 = createHash('md5').update(part).digest('hex');
  const manifest = {
    sourceBucket: 'media',
    fileFormat: 'CSV',
    fileSchema: 'Bucket, Key, Size, LastModifiedDate, ETag',
    files: [{ key: 'parts/1.csv.gz', size: part.length, MD5checksum: md5 }],
  };
  const parts = [{ key: 'parts/1.csv.gz', bytes: part }];

  it('is read before anything is done to it', async () => {
    const { items } = await readAll(inventory, Buffer.from(JSON.stringify(manifest)), parts);
    expect(items.map(({ key }) => key)).toEqual(['a.jpg', 'b c.mp4']);
  });

  it(
    'whose manifest or parts were broken is items or told',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          broken([JSON.stringify(manifest)]),
          broken([part]),
          fc.boolean(),
          async (bytes, other, isPart) => {
            const given = isPart
              ? Buffer.from(JSON.stringify({ ...manifest, files: [{ key: 'parts/1.csv.gz' }] }))
              : bytes;
            const bytesOf = isPart ? [{ key: 'parts/1.csv.gz', bytes: other }] : parts;
            await expectTold(readAll(inventory, given, bytesOf));
          },
        ),
        tries(200),
      );
    },
    fuzzTimeoutMs,
  );

  it(
    'with anything in its manifest is items or told',
    async () => {
      const change = fc.tuple(fc.constantFrom(...Object.keys(manifest), '__proto__'), nastyValue);
      await fc.assert(
        fc.asyncProperty(change, async ([key, value]) => {
          const changed = `{${JSON.stringify(key)}:${JSON.stringify(value)},${JSON.stringify({ ...manifest, [key]: value }).slice(1)}`;
          await expectTold(readAll(inventory, Buffer.from(changed), parts));
        }),
        tries(100),
      );
    },
    fuzzTimeoutMs,
  );

  it('in JSON without bottom is refused', async () => {
    for (const text of deepTexts) await expectTold(readAll(inventory, Buffer.from(text)));
    const deep = `{"files":${deepTexts[0]},${JSON.stringify(manifest).slice(1)}`;
    await expectTold(readAll(inventory, Buffer.from(deep), parts));
  });
});

describe('a signed link in the wrong column', () => {
  const amz = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=${signature}`;
  it.each([
    [
      'key',
      link,
      /^key: expected the key of an object, found a signed link, "https:\/\/cdn\.example\/a\.jpg"\. Put it into the column "url"\.$/,
    ],
    ['key', `pictures/a.jpg?${amz}`, /found a signed link, "pictures\/a\.jpg"\./],
    ['key', `//cdn.example/a.jpg?e=1&token=${signature}`, /found a signed link/],
    ['key', `a.jpg?Expires=1&OSSAccessKeyId=b&Signature=${signature}`, /found a signed link/],
    [
      'key',
      `https://me:${signature}@cdn.example/a.jpg`,
      /found a signed link, "https:\/\/cdn\.example\/a\.jpg"/,
    ],
    [
      'etag',
      link,
      /^etag: expected no link, found "https:\/\/cdn\.example\/a\.jpg"\. Correct the row or the columns\.$/,
    ],
    ['version', link, /^version: expected no link/],
    ['content_type', link, /^content_type: expected no link/],
    ['bucket', link, /^bucket: expected the name of a bucket/],
  ])('%s breaks the row, and no word of it is kept: %s', async (field, text, message) => {
    const row = { key: 'b.jpg', etag: 'e', size: '1', [field]: text };
    const bytes = Buffer.from(JSON.stringify(row));
    const { items, broken: told } = await readAll(jsonl, bytes, [{ key: 'b.jpg', bytes }]);
    expect([items, told]).toEqual([[], [{ line: 1, message: expect.stringMatching(message) as string }]]);
    await expectTold(Promise.resolve({ items, broken: told, most: 0 }));
  });

  it.each([
    'a?b=c.jpg',
    'https://not.signed/a.jpg',
    'x?token=1&y.jpg',
    '50%?e=mc2.png',
    '//a@b/c.jpg',
  ])('is not what an object is named, such as %s', async (key) => {
    const bytes = Buffer.from(JSON.stringify({ key, etag: 'e', size: '1', kind: 'image' }));
    expect((await readAll(jsonl, bytes)).items).toMatchObject([{ key }]);
  });
});

it('half a character breaks the row where it names something, and is a mark in running text', async () => {
  const half = '\\ud83d';
  const { items, broken: told } = await readAll(
    jsonl,
    Buffer.from(
      `{"key":"a${half}.jpg"}\n{"id":"${half}","url":"https://x.example/a.jpg"}\n{"id":"p","kind":"post","title":"cut ${half}","text":"${half}\\ude00 ${half}"}\n`,
    ),
  );
  expect(told).toEqual([
    { line: 1, message: 'key: expected whole characters, found half of one. Correct it.' },
    { line: 2, message: 'id: expected whole characters, found half of one. Correct it.' },
  ]);
  expect(items).toMatchObject([{ id: 'p', title: 'cut \uFFFD', text: '😀 \uFFFD' }]);
});

it('JSON lines without bottom are items or told', async () => {
  for (const deep of deepTexts) {
    await expectTold(readAll(jsonl, Buffer.from(`${deep}\n{"key":"a.jpg","images":${deep}}\n`)));
  }
});

describe('a gzip bomb', () => {
  it('of lines and quotes without end, the longest rows and zeros is read within 80 MiB', async () => {
    const script = join(import.meta.dirname, 'bomb-reader.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      import.meta.resolve('tsx'),
      script,
    ]);
    const told = stdout
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { name: string; items: number; broken: number; words: string; grown: number },
      );
    const words = [
      /^a row beyond 1048576 characters/,
      /^expected a key, url, text/,
      /^$/,
      /^$/,
      /^a row beyond 1048576 characters/,
      /found what looks like utf-16/,
    ];
    expect(told).toEqual(
      bombs.map(({ name }, index) => ({
        name,
        items: expect.any(Number) as number,
        broken: expect.any(Number) as number,
        words: expect.stringMatching(words[index] ?? /^never/) as string,
        grown: expect.toSatisfy((grown: number) => grown < 80, 'below 80 MiB') as number,
      })),
    );
  });

  it('in the place of an inventory is cut off', async () => {
    const bomb = gzipSync(Buffer.alloc(96 * mebibyte, '{"files":['));
    const end = await endOf(() => readAll(inventory, bomb));
    expect('stop' in end && end.stop.message).toMatch(/more than 67108864 bytes/);
  });
});
