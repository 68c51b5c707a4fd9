/** Faults of source, select and access. */
import { expect, test } from 'vitest';
import { type Changes, load, withLines, withSource } from './project.ts';

const p = (text: string, more: Changes = {}): Changes => ({ 'pipelines/p.yaml': text, ...more });

const cases: readonly (readonly [
  claim: string,
  changes: Changes,
  problems: readonly string[],
  warnings: readonly string[],
])[] = [
  [
    'a pipeline without source lacks it',
    p('services: [{ use: toy/image }]\n'),
    [
      'pipelines/p.yaml:1:1 source: this key is missing: expected a map with exactly one of bucket, csv, jsonl, inventory.',
    ],
    [],
  ],
  [
    'two sources are one too many',
    p(withSource('{ bucket: { storage: main, bucket: m }, csv: { path: a.csv } }')),
    [
      'pipelines/p.yaml:1:9 source: expected exactly one of bucket, csv, jsonl, inventory, found bucket and csv.',
    ],
    [],
  ],
  [
    'a source without a form has none',
    p(withSource('{}')),
    ['pipelines/p.yaml:1:9 source: expected exactly one of bucket, csv, jsonl, inventory, found none.'],
    [],
  ],
  [
    'a misspelt form is told with the right one',
    p(withSource('{ buckit: { storage: main, bucket: m } }')),
    [
      'pipelines/p.yaml:1:9 source: expected exactly one of bucket, csv, jsonl, inventory, found none.',
      'pipelines/p.yaml:1:11 source.buckit: unknown key "buckit". Did you mean "bucket"?',
    ],
    [],
  ],
  [
    'every fault of a manifest of JSON lines is told at once',
    p(
      withSource('{ jsonl: { path: s3://mian/rows.jsonl/x, header: true, maxBrokenRows: -1, encoding: 3 } }'),
    ),
    [
      'pipelines/p.yaml:1:26 source.jsonl.path: there is no storage "s3://mian/rows.jsonl/x" in config/storages.yaml. Did you mean "main"?',
      'pipelines/p.yaml:1:50 source.jsonl.header: unknown key "header". Known here: path, encoding, storage, bucket, allowPrivateAddresses, maxBrokenRows.',
      'pipelines/p.yaml:1:79 source.jsonl.maxBrokenRows: expected a whole number that is at least 0, found -1.',
      'pipelines/p.yaml:1:93 source.jsonl.encoding: expected an encoding: "utf-8", "gb18030", "utf-16le" or "utf-16be", found 3.',
    ],
    [],
  ],
  [
    'an inventory lies in a bucket of a storage that is known',
    p(withSource('{ inventory: { manifest: inv/manifest.json, storage: mian } }')),
    [
      'pipelines/p.yaml:1:34 source.inventory.manifest: expected s3://storage/bucket/key, with a storage of config/storages.yaml, found "inv/manifest.json".',
      'pipelines/p.yaml:1:62 source.inventory.storage: there is no storage "mian" in config/storages.yaml. Did you mean "main"?',
    ],
    [],
  ],
  [
    'every fault of a bucket is told at once',
    p(withSource('{ bucket: { storage: mian, bukcet: m, prefix: [], parallel: 65 } }')),
    [
      'pipelines/p.yaml:1:19 source.bucket.bucket: this key is missing: expected a text that is not empty.',
      'pipelines/p.yaml:1:30 source.bucket.storage: there is no storage "mian" in config/storages.yaml. Did you mean "main"?',
      'pipelines/p.yaml:1:36 source.bucket.bukcet: unknown key "bukcet". Did you mean "bucket"?',
      'pipelines/p.yaml:1:55 source.bucket.prefix: expected a text or a list of at least 1 entry, found an empty list.',
      'pipelines/p.yaml:1:69 source.bucket.parallel: expected a whole number from 1 to 64, found 65.',
    ],
    [],
  ],
  [
    'parallel is at least 1',
    p(withSource('{ bucket: { storage: main, bucket: m, parallel: 0, prefix: 3 } }')),
    [
      'pipelines/p.yaml:1:57 source.bucket.parallel: expected a whole number from 1 to 64, found 0.',
      'pipelines/p.yaml:1:68 source.bucket.prefix: expected a prefix, or a list of at least one, found 3.',
    ],
    [],
  ],
  [
    'every fault of a CSV manifest is told at once',
    p(
      withSource(
        '{ csv: { path: s3://a/b.csv, encoding: big5, delimiter: ";;", columns: { urll: a, id: 0 }, maxBrokenRows: x, header: yes } }',
      ),
    ),
    [
      'pipelines/p.yaml:1:24 source.csv.path: expected a path, s3://storage/bucket/key, or "-" for standard input, found "s3://a/b.csv".',
      'pipelines/p.yaml:1:48 source.csv.encoding: expected an encoding: "utf-8", "gb18030", "utf-16le" or "utf-16be", found "big5".',
      'pipelines/p.yaml:1:65 source.csv.delimiter: expected one character, such as "," or "\\t", found ";;".',
      'pipelines/p.yaml:1:82 source.csv.columns.urll: unknown key "urll". Did you mean "url"?',
      'pipelines/p.yaml:1:95 source.csv.columns.id: expected a text that is not empty or a whole number that is at least 1, found 0.',
      'pipelines/p.yaml:1:115 source.csv.maxBrokenRows: expected a whole number that is at least 0, found "x".',
      'pipelines/p.yaml:1:126 source.csv.header: expected true or false, found "yes".',
    ],
    [],
  ],
  [
    'columns without header are positions',
    p(withSource('{ csv: { path: "-", header: false, columns: { url: link } } }')),
    [
      'pipelines/p.yaml:1:60 source.csv.columns.url: expected a position from 1, since header is false, found "link".',
    ],
    [],
  ],
  [
    'columns with a header are names or positions, and a storage must be known',
    p(withSource('{ csv: { path: a.csv, columns: { url: 2 }, storage: mainn, encoding: UTF8 } }')),
    [
      'pipelines/p.yaml:1:61 source.csv.storage: there is no storage "mainn" in config/storages.yaml. Did you mean "main"?',
    ],
    [],
  ],
  [
    'a manifest needs a path',
    p(withSource('{ csv: { allowPrivateAddresses: 1 } }')),
    [
      'pipelines/p.yaml:1:16 source.csv.path: this key is missing: expected a path, s3://storage/bucket/key, or "-" for standard input.',
      'pipelines/p.yaml:1:41 source.csv.allowPrivateAddresses: expected true or false, found 1.',
    ],
    [],
  ],
  [
    'every fault of select is told at once',
    p(
      withLines(
        'select: { include: [], exclude: 3, kinds: [video, imgae], minSize: 1XB, maxSize: -1, modifiedAfter: 2026-02-30, modifiedWithin: 2, sample: 0%, fit: of }\n',
      ),
    ),
    [
      'pipelines/p.yaml:5:20 select.include: expected a text that is not empty or a list of at least 1 entry, found an empty list.',
      'pipelines/p.yaml:5:33 select.exclude: expected a text that is not empty, or a list of at least one, found 3.',
      'pipelines/p.yaml:5:51 select.kinds[1]: expected one of "image", "video", "post", found "imgae".',
      'pipelines/p.yaml:5:68 select.minSize: expected a size such as "1KB", "100MB" or "2 GiB", or a whole number of bytes, found "1XB".',
      'pipelines/p.yaml:5:82 select.maxSize: expected a size such as "1KB", "100MB" or "2 GiB", or a whole number of bytes, found -1.',
      'pipelines/p.yaml:5:101 select.modifiedAfter: expected a day such as "2026-01-01" (its beginning in UTC) or an instant with its zone such as "2026-01-01T00:00:00+08:00", found "2026-02-30".',
      'pipelines/p.yaml:5:129 select.modifiedWithin: expected a duration with its unit (ms, s, m, h, d, w), such as "30m", found 2.',
      'pipelines/p.yaml:5:140 select.sample: expected a share above 0 and up to 1, such as "1%" or 0.01, found "0%".',
      'pipelines/p.yaml:5:149 select.fit: expected one of "off", "warn", "skip", found "of".',
    ],
    [],
  ],
  [
    'the largest size is not below the smallest, and fit is a word',
    p(withLines('select: { minSize: 2KB, maxSize: 1KB, fit: yes }\n')),
    [
      'pipelines/p.yaml:5:34 select.maxSize: expected no less than minSize ("2KB"), found "1KB".',
      'pipelines/p.yaml:5:44 select.fit: expected one of "off", "warn", "skip", found "yes".',
    ],
    [],
  ],
  [
    'an instant without zone is refused',
    p(withLines('select: { modifiedAfter: "2026-01-01T00:00:00" }\n')),
    [
      'pipelines/p.yaml:5:26 select.modifiedAfter: expected a day such as "2026-01-01" (its beginning in UTC) or an instant with its zone such as "2026-01-01T00:00:00+08:00", found "2026-01-01T00:00:00".',
    ],
    [],
  ],
  [
    'every fault of private links is told at once',
    p(withLines('access: { mode: qiniu-private, baseUrl: x, account: toy-prd, expiresIn: 1 }\n')),
    [
      'pipelines/p.yaml:5:41 access.baseUrl: expected an http or https address without user name, query or fragment, such as "https://cdn.example/media/", found "x".',
      'pipelines/p.yaml:5:53 access.account: there is no account "toy-prd" in config/accounts.yaml. Add it to config/accounts.yaml.',
      'pipelines/p.yaml:5:73 access.expiresIn: expected a duration with its unit (ms, s, m, h, d, w), such as "30m", found 1.',
    ],
    [],
  ],
  [
    'private links are signed by an account whose vendor signs links',
    p(withLines('access: { mode: qiniu-private, baseUrl: "https://m.example", account: toy-prod }\n')),
    [
      'pipelines/p.yaml:5:71 access.account: expected an account of a vendor that signs links to an object store of its own, found "toy-prod" of "toy". Add it to config/accounts.yaml.',
    ],
    [],
  ],
  [
    'a misspelt mode is told with all modes',
    p(withLines('access: { mode: publc }\n')),
    [
      'pipelines/p.yaml:5:17 access.mode: expected one of "presigned", "public", "qiniu-private", "inline", found "publc".',
    ],
    [],
  ],
  [
    'a base address shows neither its user nor its query',
    p(withLines('access: { mode: public, baseUrl: "ftp://user:pw@x/?a=secret", expiresIn: 24h }\n')),
    [
      'pipelines/p.yaml:5:34 access.baseUrl: expected an http or https address without user name, query or fragment, such as "https://cdn.example/media/", found "ftp://x/".',
      'pipelines/p.yaml:5:63 access.expiresIn: unknown key "expiresIn". Known here: mode, baseUrl.',
    ],
    [],
  ],
  [
    'public access needs a base address',
    p(withLines('access: { mode: public }\n')),
    [
      'pipelines/p.yaml:5:9 access.baseUrl: this key is missing: expected an http or https address without user name, query or fragment, such as "https://cdn.example/media/".',
    ],
    [],
  ],
  [
    'links live a week at most',
    p(withLines('access: { expiresIn: 8d }\n')),
    [
      'pipelines/p.yaml:5:22 access.expiresIn: expected a duration from 1s to 7d with its unit (ms, s, m, h, d, w), such as "30m", found "8d".',
    ],
    [],
  ],
  [
    'access is a map',
    p(withLines('access: public\n')),
    ['pipelines/p.yaml:5:9 access: expected a map, found "public".'],
    [],
  ],
];

test.each(cases)('%s', async (_, changes, problems, warnings) => {
  const told = await load(changes);
  expect(told.problems).toEqual(problems);
  expect(told.warnings).toEqual(warnings);
  expect(told.pipeline === undefined).toBe(problems.length > 0);
});

test('manifests keep where they lie, in any encoding by its common name, and name the storages that they need', async () => {
  const sources = [
    '{ csv: { path: s3://main/lists/a.csv.gz, encoding: GBK, maxBrokenRows: 5, header: false } }',
    '{ jsonl: { path: "-", encoding: UTF8, storage: main, bucket: media } }',
    '{ inventory: { manifest: s3://main/inv/manifest.json } }',
  ];
  const told = await Promise.all(sources.map((source) => load(p(withSource(source)))));
  expect(told.map(({ problems }) => problems)).toEqual([[], [], []]);
  const manifest = { allowPrivateAddresses: false, encoding: 'utf-8' };
  expect(told.map(({ pipeline }) => pipeline?.source)).toEqual([
    {
      ...manifest,
      form: 'csv',
      path: 's3://main/lists/a.csv.gz',
      encoding: 'gb18030',
      maxBrokenRows: 5,
      header: false,
      columns: {},
      delimiter: ',',
    },
    { ...manifest, form: 'jsonl', path: '-', storage: 'main', bucket: 'media' },
    { form: 'inventory', manifest: 's3://main/inv/manifest.json', storage: 'main' },
  ]);
  expect(told.map(({ pipeline }) => [...(pipeline?.storages.keys() ?? [])])).toEqual([
    ['main'],
    ['main'],
    ['main'],
  ]);
});

test('a sample is a share however it is written', async () => {
  const told = await Promise.all(
    ['1%', '0.01', '"1 %"', '1'].map((share) => load(p(withLines(`select: { sample: ${share} }\n`)))),
  );
  expect(told.map(({ pipeline }) => pipeline?.select.sample)).toEqual([0.01, 0.01, 0.01, 1]);
});
