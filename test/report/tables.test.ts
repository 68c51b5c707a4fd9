/** The tables read back by another parser, cell by cell. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guardFormula, renderCsvHeader, renderCsvRows } from '../../src/report/table/csv.ts';
import { findTop } from '../../src/report/table/item-table.ts';
import { writeReports } from '../../src/report/write-reports.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { Units } from '../../src/domain/usage.ts';
import type { Column } from '../../src/report/table/column.ts';
import {
  censor,
  makeBill,
  makeFinding,
  makeFolder,
  makeItem,
  makeRequest,
  makeTask,
  type MemoryFolder,
  quality,
} from './library.ts';

function readCsv(folder: MemoryFolder, name: string): Record<string, string>[] {
  return parse(folder.files.get(name) ?? '', { bom: true, columns: true });
}

function readHeader(folder: MemoryFolder, name: string): string {
  return (folder.files.get(name) ?? '').split('\r\n', 1)[0] ?? '';
}

const video = makeItem(1, '用户/clip.mp4', { durationSeconds: 12.5 });
const answered = makeTask(censor, {
  units: { 'qiniu/politician-image': 3 },
  basis: 'observed',
  charge: 4_650_000n,
  job: 'job-1',
  finding: makeFinding({
    labels: [
      {
        op: 'politician',
        label: '张三',
        score: 0.5,
        reportedScore: 0.7,
        beginMs: 0,
        endMs: 5000,
        segments: 2,
        needsReview: true,
      },
      { op: 'pulp', label: '2', score: 0.99 },
      { op: 'pulp', label: '1', score: 0.2 },
    ],
    segments: [
      { op: 'politician', beginMs: 0, endMs: 5000, label: '张三', maxScore: 0.5, cuts: 2, needsReview: true },
    ],
  }),
});
const failed = makeTask(quality, {
  status: 'failed',
  reason: 'media-unreadable',
  attempts: 4,
  error: {
    class: 'media-unreadable',
    code: '',
    httpStatus: 400,
    message: 'cannot open https://s3.example/a.jpg?X-Amz-Signature=canary',
  },
});

describe('the columns', () => {
  test.each([
    [
      'items.csv',
      '\uFEFFitem,bucket,key,url,kind,size_bytes,etag,last_modified,verdict,reasons,status,pai/image-quality.iqa_result,qiniu/video-censor.politician.top_label,qiniu/video-censor.politician.top_score,qiniu/video-censor.pulp.top_label,qiniu/video-censor.pulp.top_score,qiniu/video-censor.terror.top_label,qiniu/video-censor.terror.top_score',
    ],
    [
      'findings.csv',
      '\uFEFFitem,bucket,key,url,service,op,label,score,reported_score,begin_ms,end_ms,segments,needs_review,verdict',
    ],
    [
      'segments.csv',
      '\uFEFFitem,bucket,key,url,service,op,begin_ms,end_ms,label,max_score,cuts,needs_review',
    ],
    ['failures.csv', 'item,bucket,key,url,service,status,code,http_status,message,attempts'],
    [
      'bill.csv',
      '\uFEFFaccount,vendor,sku,unit,units_observed,units_estimated,units_uncertain,units_free,units_pack,unit_price,charge,currency,complete',
    ],
  ])('of %s stand in the order of the contract', async (name, header) => {
    const request = makeRequest([]);
    await writeReports(request);
    expect(readHeader(request.folder, name)).toBe(header);
  });

  test('of tasks.jsonl stand in the order of the contract, with null for what is not there', async () => {
    const request = makeRequest([{ item: video, tasks: [answered] }]);
    await writeReports(request);
    const line = (request.folder.files.get('tasks.jsonl') ?? '').trimEnd();
    expect(Object.entries(JSON.parse(line) as object)).toEqual([
      ['item', 'media/用户/clip.mp4'],
      ['bucket', 'media'],
      ['key', '用户/clip.mp4'],
      ['url', null],
      ['kind', 'video'],
      ['sizeBytes', 1001],
      ['etag', '"e1"'],
      ['duration', 12.5],
      ['service', 'qiniu/video-censor'],
      ['account', 'qiniu-prod'],
      ['status', 'answered'],
      ['reason', ''],
      ['finding', answered.finding],
      ['usage', { units: { 'qiniu/politician-image': 3 }, basis: 'observed' }],
      ['charge', '0.00465'],
      ['attempts', 1],
      ['jobId', 'job-1'],
      ['error', null],
      ['startedAt', '2026-11-20T02:00:01Z'],
      ['endedAt', '2026-11-20T02:00:02Z'],
    ]);
  });
});

describe('the rows', () => {
  test('of an item carry verdict, reasons and the top labels, and are empty where a service does not apply', async () => {
    const request = makeRequest([
      { item: video, tasks: [answered] },
      { item: makeItem(2, 'readme.txt', { kind: undefined }), tasks: [] },
    ]);
    await writeReports(request);
    const [first, second] = readCsv(request.folder, 'items.csv');
    expect(first).toMatchObject({
      item: 'media/用户/clip.mp4',
      verdict: 'review',
      reasons: 'sensitive person',
      status: 'answered',
      size_bytes: '1001',
      'pai/image-quality.iqa_result': '',
      'qiniu/video-censor.politician.top_label': '张三',
      'qiniu/video-censor.politician.top_score': '0.5',
      'qiniu/video-censor.pulp.top_label': '1',
      'qiniu/video-censor.pulp.top_score': '0.2',
      'qiniu/video-censor.terror.top_label': '',
    });
    expect(second).toMatchObject({ item: 'media/readme.txt', kind: '', verdict: '', status: '' });
  });

  test('of findings carry the verdict of each label alone', async () => {
    const request = makeRequest([{ item: video, tasks: [answered] }]);
    await writeReports(request);
    const rows = readCsv(request.folder, 'findings.csv');
    expect(
      rows.map((row) => [row.label, row.score, row.reported_score, row.needs_review, row.verdict]),
    ).toEqual([
      ['张三', '0.5', '0.7', 'true', 'review'],
      ['2', '0.99', '', '', 'pass'],
      ['1', '0.2', '', '', 'pass'],
    ]);
    expect(readCsv(request.folder, 'segments.csv')).toEqual([
      expect.objectContaining({
        begin_ms: '0',
        end_ms: '5000',
        label: '张三',
        max_score: '0.5',
        cuts: '2',
        needs_review: 'true',
      }),
    ]);
  });

  test('of failures hold failed and held tasks only, our word where the vendor has no code, and no link’s query', async () => {
    const held = makeTask(censor, { status: 'held', reason: 'reset before the answer' });
    const request = makeRequest([
      { item: makeItem(1, 'a.jpg'), tasks: [failed] },
      { item: video, tasks: [held] },
      { item: makeItem(3, 'b.mp4'), tasks: [answered] },
    ]);
    await writeReports(request);
    expect(readCsv(request.folder, 'failures.csv')).toEqual([
      {
        item: 'media/a.jpg',
        bucket: 'media',
        key: 'a.jpg',
        url: '',
        service: 'pai/image-quality',
        status: 'failed',
        code: 'media-unreadable',
        http_status: '400',
        message: 'cannot open https://s3.example/a.jpg',
        attempts: '4',
      },
      expect.objectContaining({ status: 'held', message: 'reset before the answer' }),
    ]);
    for (const text of request.folder.files.values()) expect(text).not.toContain('canary');
  });

  test('give the worst status of an item in the order answered, reused, skipped, over-cap, open, held, failed', async () => {
    const order = ['answered', 'reused', 'skipped', 'over-cap', 'open', 'held', 'failed'] as const;
    const rows = order.slice(1).map((status, index) => ({
      item: makeItem(index, `${index}.jpg`),
      tasks: [makeTask(quality, { status }), makeTask(censor, { status: order[index] ?? 'answered' })],
    }));
    const request = makeRequest(rows);
    await writeReports(request);
    expect(readCsv(request.folder, 'items.csv').map((row) => row.status)).toEqual(order.slice(1));
  });

  test('never show a signature, wherever the link stands', async () => {
    const url = 'https://user:canary@s3.example/a.jpg?X-Amz-Signature=canary&X-Amz-Date=1';
    const request = makeRequest([
      { item: makeItem(1, 'a.jpg', { id: url, url, object: undefined }), tasks: [failed] },
    ]);
    await writeReports(request);
    expect(readCsv(request.folder, 'items.csv')[0]).toMatchObject({
      item: 'https://s3.example/a.jpg',
      url: 'https://s3.example/a.jpg',
    });
    for (const text of request.folder.files.values()) expect(text).not.toContain('canary');
  });
});

describe('a top label', () => {
  const labels = [
    { op: 'terror', label: '0', score: 0.99 },
    { op: 'terror', label: '3', score: 0.3 },
    { op: 'terror', label: '4', score: 0.3 },
    { op: 'pulp', label: '0', score: 1 },
  ];
  test.each([
    ['passes over the normal label if there is another', { op: 'terror', normal: ['0'] }, labels, '3'],
    ['is the normal label if there is no other', { op: 'terror', normal: ['0'] }, labels.slice(0, 1), '0'],
    ['is the highest of all where the column names no op', { normal: [] }, labels, '0'],
    ['is absent without labels', { op: 'terror', normal: [] }, [], undefined],
  ])('%s', (_, top, found, expected) => {
    expect(findTop(top, makeFinding({ labels: found }))?.label).toBe(expected);
  });
});

describe('the bill', () => {
  const bill = [
    makeBill({
      observed: 2,
      estimated: 4_999_998,
      uncertain: 7,
      charge: 7_550_000_000_000n,
      assumptions: { 'duration 10m': 3 },
    }),
    makeBill({
      sku: 'qiniu/pulp-image',
      estimated: 10,
      isComplete: false,
      assumptions: { 'duration 10m': 2 },
    }),
    makeBill({ sku: 'pai/basic', observed: 203, free: 200, charge: 10_000_000n }),
    makeBill({ sku: 'pai/advanced', observed: 5, free: 5 }),
  ];

  test('gives charge over charged units as the price, and leaves unknown charges empty', async () => {
    const request = makeRequest([], { bill });
    await writeReports(request);
    const rows = readCsv(request.folder, 'bill.csv');
    expect(rows.map((row) => [row.sku, row.unit_price, row.charge, row.complete])).toEqual([
      ['qiniu/politician-image', '0.00151', '7550', 'true'],
      ['qiniu/pulp-image', '', '', 'false'],
      ['pai/basic', '0.003333333', '0.01', 'true'],
      ['pai/advanced', '', '0', 'true'],
    ]);
  });

  test('holds money as decimal strings in JSON, with the total and the assumptions', async () => {
    const request = makeRequest([], { bill });
    await writeReports(request);
    const document = JSON.parse(request.folder.files.get('bill.json') ?? '') as Record<string, unknown>;
    expect(document).toMatchObject({
      run: '20261120T020000Z-nightly',
      pipeline: 'nightly',
      total: { charge: '7550.01', currency: 'CNY', complete: false },
      assumptions: { 'duration 10m': 3 },
    });
    const [first] = document.skus as Record<string, unknown>[];
    expect(Object.keys(first ?? {}).join(',')).toBe(
      'account,vendor,sku,unit,units_observed,units_estimated,units_uncertain,units_free,units_pack,unit_price,charge,currency,complete',
    );
    expect(first).toMatchObject({ charge: '7550', units_estimated: 4_999_998, complete: true });
  });

  test('says what a finding cost, and what conditions saved', async () => {
    const poor = makeFinding({ metrics: { iqa_result: 12 } });
    const fine = makeFinding({ metrics: { iqa_result: 80 } });
    const asked = (finding: Finding, charge: bigint) => makeTask(quality, { finding, charge });
    const spared = makeTask(censor, {
      status: 'skipped',
      reason: 'when: pai/image-quality iqa_result < 20 does not hold',
      spared: { 'qiniu/politician-image': 120 },
    });
    const rows = [
      { item: makeItem(1, 'a.jpg'), tasks: [asked(poor, 4_600_000n), spared] },
      { item: makeItem(2, 'b.jpg'), tasks: [asked(fine, 4_600_000n), spared] },
      { item: makeItem(3, 'c.jpg'), tasks: [asked(poor, 0n)] },
    ];
    const bought = [makeBill({ account: 'pai-prod', sku: 'pai/basic', observed: 2, charge: 9_200_000n })];
    const quoted: unknown[] = [];
    const request = makeRequest(rows, {
      bill: bought,
      quote: async (account, units) => {
        quoted.push([account, units]);
        return { charge: 372_000_000n, isComplete: true };
      },
    });
    const { summary } = await writeReports(request);
    const saved = { tasks: 2, units: { 'qiniu/politician-image': 240 }, charge: '0.372', complete: true };
    expect(summary.saved).toEqual(saved);
    expect(quoted).toEqual([['qiniu-prod', { 'qiniu/politician-image': 240 }]]);
    expect(JSON.parse(request.folder.files.get('bill.json') ?? '')).toMatchObject({
      saved,
      costs: {
        perFlagged: '0.0046',
        services: [
          { service: quality.name, charge: '0.0092', answers: 3, flagged: 2, perFlagged: '0.0046' },
          { service: censor.name, charge: '0', answers: 0, flagged: 0, perFlagged: null },
        ],
      },
    });
    const page = request.folder.files.get('report.html') ?? '';
    expect(page).toContain('0.0046 CNY for each of 2 flagged items.');
    expect(page).toContain('2 tasks not asked, 240 units, about 0.3720 CNY, as estimated.');
  });

  test('says nothing of findings where none was flagged, and of savings that have no price, at least', async () => {
    const task = makeTask(censor, {
      status: 'skipped',
      reason: 'when: pai/image-quality iqa_result < 20 does not hold',
      spared: { 'qiniu/pulp-image': 3 },
    });
    const request = makeRequest([{ item: makeItem(1, 'a.mp4'), tasks: [task] }], { bill });
    const { summary } = await writeReports(request);
    expect(summary.saved).toMatchObject({ charge: '0', complete: false });
    expect(request.folder.files.get('bill.json')).not.toContain('perFlagged');
    expect(request.folder.files.get('report.html')).toContain('1 task not asked, 3 units, at least 0.00 CNY');
  });

  test('says by which rule failed calls were booked, and what that came to', async () => {
    const rule = { refused: 'free', modelFailed: 'billed', failedJob: 'billed' } as const;
    const task = (status: 'failed' | 'answered', units: Units) =>
      makeTask(quality, { status, units, charge: 4_600_000n * BigInt(units['pai/basic'] ?? 0) });
    const rows = [
      { item: makeItem(1, 'a.jpg'), tasks: [task('failed', { 'pai/basic': 2 })] },
      { item: makeItem(2, 'b.jpg'), tasks: [task('failed', {}), task('answered', { 'pai/basic': 1 })] },
    ];
    const request = makeRequest(rows, { bill, bookings: { 'pai-prod': rule } });
    const { summary } = await writeReports(request);
    const billedFailures = { tasks: 1, units: { 'pai/basic': 2 }, charge: '0.0092' };
    const booking = { 'pai-prod': rule };
    expect(summary).toMatchObject({ booking, billedFailures });
    const { files } = request.folder;
    expect(JSON.parse(files.get('bill.json') ?? '')).toMatchObject({ booking, billedFailures });
    const page = files.get('report.html') ?? '';
    expect(page).toContain(
      'Booked for failed calls of pai-prod: refused calls free, failed models billed, failed jobs billed.',
    );
    expect(page).toContain('1 failed task billed, 2 units, 0.0092 CNY: within the bill.');
  });
});

describe('spreadsheets', () => {
  const hostile = [
    '=cmd|calc',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    '＝1',
    '＋1',
    '－1',
    '＠a',
    ' =1',
    '\u0000=1',
    '\u200B=1',
    '\uFEFF@a',
  ];

  const guard = (text: string): string => `'${text.replace(/^([\t\r\n])/, "$1'")}`;

  test.each(hostile)('take no cell such as %j for a formula', (text) => {
    expect(guardFormula(text)).toBe(guard(text));
  });

  test.each([
    ['a;=1', "a;'=1"],
    ['a\t =1', "a\t '=1"],
    ['a\r\n+1;@b', "a\r\n'+1;'@b"],
    ['a;\u200B＝1', "a;\u200B'＝1"],
  ])('take no part of %j for a formula where they cut at other separators', (text, guarded) => {
    expect(guardFormula(text)).toBe(guarded);
  });

  test.each(['a=1', '0', '', '中文', "'=1", 'x-1.jpg', '用户/＝.jpg'])('%j stays as it is', (text) => {
    expect(guardFormula(text)).toBe(text);
  });

  test('get guarded text cells in every table for people, and exact ones in failures.csv and tasks.jsonl', async () => {
    const request = makeRequest(
      hostile.map((text, index) => ({
        item: makeItem(index, text, { id: text, kind: 'video' }),
        tasks: [
          makeTask(quality, {
            status: 'failed',
            reason: text,
            error: { class: text, code: text, message: text },
          }),
          makeTask(censor, {
            finding: makeFinding({
              labels: [{ op: text, label: text, score: 1 }],
              segments: [
                { op: text, label: text, beginMs: 0, endMs: 0, maxScore: 1, cuts: 1, needsReview: false },
              ],
            }),
          }),
        ],
      })),
    );
    await writeReports(request);
    for (const name of ['items.csv', 'findings.csv', 'segments.csv']) {
      const rows = readCsv(request.folder, name);
      expect(rows.map((row) => row.key)).toEqual(hostile.map(guard));
      for (const cell of rows.flatMap((row) => Object.values(row))) expect(guardFormula(cell)).toBe(cell);
    }
    const failures = readCsv(request.folder, 'failures.csv');
    expect(failures.map((row) => row.key)).toEqual(hostile);
    const lines = (request.folder.files.get('tasks.jsonl') ?? '').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { key: string }).key)).toEqual(
      hostile.flatMap((key) => [key, key]),
    );
  });

  test('sort negative numbers: a number cell is never guarded', async () => {
    const task = makeTask(quality, { finding: makeFinding({ metrics: { iqa_result: -12.5 } }) });
    const request = makeRequest([{ item: makeItem(1, 'a.jpg'), tasks: [task] }]);
    await writeReports(request);
    expect(readCsv(request.folder, 'items.csv')[0]?.['pai/image-quality.iqa_result']).toBe('-12.5');
  });

  test('get a metric that is text guarded like any other text', async () => {
    const task = makeTask(quality, { finding: makeFinding({ metrics: { iqa_result: '=1+1' } }) });
    const request = makeRequest([{ item: makeItem(1, 'a.jpg'), tasks: [task] }]);
    await writeReports(request);
    expect(readCsv(request.folder, 'items.csv')[0]?.['pai/image-quality.iqa_result']).toBe("'=1+1");
  });

  test('are given up with excel: false, for exact bytes without a byte order mark', async () => {
    const request = makeRequest([{ item: makeItem(1, '=1'), tasks: [] }], {
      reports: { formats: ['csv'], timezone: 'UTC', excel: false, language: 'en' },
    });
    await writeReports(request);
    expect(request.folder.files.get('items.csv')?.startsWith('item,')).toBe(true);
    expect(request.folder.files.get('bill.csv')?.startsWith('account,')).toBe(true);
    expect(readCsv(request.folder, 'items.csv')[0]?.key).toBe('=1');
  });
});

test('any text comes back from an exact CSV as it went in', () => {
  const columns: readonly Column<readonly string[]>[] = [0, 1, 2].map((index) => ({
    name: `c${index}`,
    kind: 'text',
    read: (row) => row[index],
  }));
  const cell = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('"', '\r', '\n', '\r\n', ',', '"\r', '\uFEFF', ' ', '\0'),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1 }), (rows) => {
      const text = renderCsvHeader(columns, 'exact') + renderCsvRows(columns, rows, 'exact');
      const back: string[][] = parse(text, { from_line: 1, record_delimiter: '\r\n' });
      expect(back.slice(1)).toEqual(rows);
    }),
  );
});

test('no rows at all leave the headers', async () => {
  const folder = makeFolder();
  await writeReports(makeRequest([], { folder }));
  expect(readCsv(folder, 'items.csv')).toEqual([]);
  expect(folder.files.get('tasks.jsonl')).toBe('');
});
