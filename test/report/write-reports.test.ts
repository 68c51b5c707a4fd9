/** The pass over the ledger, the summary, and what happens when something goes wrong on the way. */
import { describe, expect, test } from 'vitest';
import type { ItemRow } from '../../src/domain/ledger.ts';
import { writeReports } from '../../src/report/write-reports.ts';
import {
  censor,
  makeBill,
  makeFinding,
  makeFolder,
  makeItem,
  makeLedger,
  makeRequest,
  makeRun,
  makeTask,
  quality,
} from './library.ts';

function makeRows(count: number): readonly ItemRow[] {
  return Array.from({ length: count }, (_, index) => ({
    item: makeItem(index, `${String(index).padStart(6, '0')}.jpg`),
    tasks: [makeTask(quality, { finding: makeFinding({ metrics: { iqa_result: index % 100 } }) })],
  }));
}

describe('the files', () => {
  const always = ['bill.csv', 'bill.json', 'broken.csv', 'summary.json'];
  test.each([
    [['csv'] as const, ['items.csv', 'findings.csv', 'segments.csv', 'review.csv', 'failures.csv']],
    [['jsonl'] as const, ['tasks.jsonl']],
    [['html'] as const, ['report.html']],
    [[] as const, []],
  ])('for formats %j are those of the formats, and bill, broken rows and summary always', async (formats, expected) => {
    const request = makeRequest(makeRows(1), {
      reports: { formats, timezone: 'UTC', excel: true, language: 'en' },
    });
    const { files } = await writeReports(request);
    expect([...files].sort()).toEqual([...expected, ...always].sort());
    expect([...request.folder.files.keys()].sort()).toEqual([...files].sort());
  });

  test('are fed by one pass over the ledger, 200 items at a time, in source order', async () => {
    const rows = makeRows(1201);
    const ledger = makeLedger(rows);
    const request = makeRequest(rows, { ledger });
    await writeReports(request);
    expect(ledger.calls).toBe(8);
    const keys = (request.folder.files.get('tasks.jsonl') ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { key: string }).key);
    expect(keys).toEqual(rows.map((row) => row.item.object?.key));
  });

  test('name every row of a manifest that could not be used, however many there are', async () => {
    const broken = Array.from({ length: 2500 }, (_, index) => ({
      line: index + 2,
      message: index === 7 ? '=no url' : 'no url, no key',
    }));
    const rows = makeRows(1);
    const run = makeRun(rows, [quality, censor]);
    const counters = { ...run.counters, broken: broken.length };
    const request = makeRequest(rows, { run: { ...run, counters }, broken });
    const { files } = await writeReports(request);
    expect(files).toContain('broken.csv');
    const lines = (request.folder.files.get('broken.csv') ?? '').split('\r\n');
    expect(lines).toHaveLength(2502);
    expect(lines[0]).toBe('\uFEFFline,message');
    expect(lines[1]).toBe('2,"no url, no key"');
    expect(lines[8]).toBe("9,'=no url");
    expect(lines.at(-2)).toBe('2501,"no url, no key"');

    // The rows were mended, and the run gone on with.
    await writeReports({ ...request, run, ledger: makeLedger(rows) });
    expect(request.folder.files.get('broken.csv')).toBe('\uFEFFline,message\r\n');
  });

  test('of an earlier report stay where one cannot be written, and the error is the folder’s own', async () => {
    const folder = makeFolder((name) => name === 'segments.csv');
    await expect(writeReports(makeRequest(makeRows(1), { folder }))).rejects.toThrow(
      'no space left for segments.csv',
    );
    expect([...folder.files.keys()]).toEqual([]);
  });

  test('are the same bytes when the same ledger is reported again', async () => {
    const [one, other] = [makeRequest(makeRows(700)), makeRequest(makeRows(700))];
    await writeReports(one);
    await writeReports(other);
    expect([...one.folder.files]).toEqual([...other.folder.files]);
  });
});

describe('summary.json', () => {
  const rows: readonly ItemRow[] = [
    {
      item: makeItem(1, 'a.mp4'),
      tasks: [
        makeTask(censor, { finding: makeFinding({ labels: [{ op: 'pulp', label: '0', score: 0.95 }] }) }),
      ],
    },
    { item: makeItem(2, 'b.jpg'), tasks: [makeTask(quality, { status: 'over-cap' })] },
    { item: makeItem(3, 'c.jpg'), tasks: [makeTask(quality, { status: 'open' })] },
    {
      item: makeItem(4, 'd.jpg'),
      tasks: [makeTask(quality, { status: 'reused', finding: makeFinding({ metrics: { iqa_result: 12 } }) })],
    },
    { item: makeItem(5, 'e.jpg'), tasks: [makeTask(quality)] },
    { item: makeItem(6, 'f.txt', { kind: undefined }), tasks: [] },
  ];

  test('holds counts, units, charge and verdicts under the names of the contract', async () => {
    const bill = [
      makeBill({ sku: 'pai/basic', account: 'a', observed: 2, charge: 9_200_000n }),
      makeBill({ sku: 'pai/basic', account: 'b', estimated: 3, uncertain: 9, charge: 13_800_000n }),
    ];
    const request = makeRequest(rows, {
      bill,
      run: makeRun(rows, [quality, censor], { exitCode: 4, why: 'stopped at the cap' }),
    });
    await writeReports(request);
    const text = request.folder.files.get('summary.json') ?? '';
    expect(text.endsWith('}\n')).toBe(true);
    expect(Object.entries(JSON.parse(text) as object)).toEqual([
      ['run', '20261120T020000Z-nightly'],
      ['pipeline', 'nightly'],
      ['configHash', '9c1f00aa'],
      ['listing', 'complete'],
      [
        'counts',
        {
          items: 6,
          services: 2,
          notApplicable: 7,
          answered: 2,
          reused: 1,
          skipped: 0,
          failed: 0,
          held: 0,
          overCap: 1,
          open: 1,
          unselected: 3,
          broken: 0,
        },
      ],
      ['startedAt', '2026-11-20T02:00:00Z'],
      ['endedAt', '2026-11-20T11:04:00Z'],
      ['units', { 'pai/basic': 5 }],
      ['charge', '0.023'],
      ['currency', 'CNY'],
      ['complete', false],
      ['verdicts', { pass: 1, incomplete: 2, review: 1, block: 1 }],
      ['exitCode', 4],
      ['why', 'stopped at the cap'],
    ]);
  });

  test('and the page say how far each cap had come, and what passed its reservation', async () => {
    const own = { scope: 'run', isLoopback: false } as const;
    const request = makeRequest(rows, {
      run: makeRun(rows, [quality, censor], {
        exitCode: 4,
        why: 'stopped at the cap (caps.run), 1 task over it.',
      }),
      spending: {
        spent: 5_000_000_001n,
        reserved: 0n,
        currency: 'CNY',
        caps: [
          { ...own, name: 'caps.run', spent: 5_000_000_001n, reserved: 0n, limit: 5_000_000_000n },
          {
            ...own,
            name: 'caps.units.pai/basic',
            sku: 'pai/basic',
            spent: 1200n,
            reserved: 3n,
            limit: 9000n,
          },
        ],
        overrun: { 'pai/basic': 2 },
      },
    });
    await writeReports(request);
    const summary = JSON.parse(request.folder.files.get('summary.json') ?? '');
    expect(summary.caps).toEqual([
      { cap: 'caps.run', spent: '5.000000001', reserved: '0', limit: '5' },
      { cap: 'caps.units.pai/basic', sku: 'pai/basic', spent: 1200, reserved: 3, limit: 9000 },
    ]);
    expect(summary.overrun).toEqual({ 'pai/basic': 2 });
    const page = request.folder.files.get('report.html') ?? '';
    expect(page).toContain('<strong>Stopped</strong> at the cap (caps.run), 1 task over it.');
    expect(page).toContain('<span class="id">caps.run</span> <strong>5.00 of 5.00 CNY</strong>');
    expect(page).toContain('1,200 + 3 reserved of 9,000');
    expect(page).toContain('<strong>overrun: 2 units of pai/basic beyond what was reserved</strong>');
  });

  test('takes exit code and words from the caller, who is told the verdicts first', async () => {
    const running = makeRun(rows, [quality, censor], {
      state: 'running',
      exitCode: undefined,
      why: undefined,
      endedAt: undefined,
    });
    const request = makeRequest(rows, {
      run: running,
      conclude: async (tally) => ({
        ...running,
        state: 'finished',
        endedAt: '2026-11-20T03:00:00Z',
        exitCode: tally.verdicts.block > 0 ? 5 : 0,
        why: `${tally.verdicts.block} to block`,
      }),
    });
    const { summary, run } = await writeReports(request);
    expect(run.state).toBe('finished');
    expect(summary).toMatchObject({ exitCode: 5, why: '1 to block', endedAt: '2026-11-20T03:00:00Z' });
    expect(request.folder.files.get('report.html')).toContain('exit code 5');
  });

  test('of a run that goes on has null for what is not known yet', async () => {
    const running = makeRun(rows, [quality, censor], {
      state: 'running',
      exitCode: undefined,
      why: undefined,
      endedAt: undefined,
    });
    const { summary } = await writeReports(makeRequest(rows, { run: running }));
    expect(summary).toMatchObject({ endedAt: null, exitCode: null, why: null });
  });
});

describe('the accounting identity', () => {
  test('holds where every item and service is accounted for', async () => {
    const found = await writeReports(makeRequest(makeRows(3)));
    expect(found).toMatchObject({ isBalanced: true, expected: 6, found: 6 });
  });

  test('does not hold where a task is missing, and the page says so', async () => {
    const rows = makeRows(3);
    const run = makeRun(rows, [quality, censor]);
    const request = makeRequest(rows, { run: { ...run, counters: { ...run.counters, items: 4 } } });
    const found = await writeReports(request);
    expect(found).toMatchObject({ isBalanced: false, expected: 8, found: 6 });
    expect(request.folder.files.get('report.html')).toContain('not balanced: 8 expected, 6 found');
  });

  test('does not hold where the tables of an ended run lost a task that the ledger counts', async () => {
    const rows = makeRows(3);
    const ledger = makeLedger(rows.slice(0, 2));
    ledger.countTasks = makeLedger(rows).countTasks;
    const found = await writeReports(makeRequest(rows, { ledger }));
    expect(found).toMatchObject({ isBalanced: false, expected: 6, found: 5 });
  });
});

test('causes of failures are counted, most frequent first, with a few examples', async () => {
  const fail = (number: number, cause: string) => ({
    item: makeItem(number, `${number}.jpg`),
    tasks: [
      makeTask(quality, {
        status: 'failed',
        reason: cause,
        error: { class: cause, code: '', message: `${cause} ${number}` },
      }),
    ],
  });
  const rows = [
    fail(0, 'deadline'),
    ...Array.from({ length: 9 }, (_, index) => fail(index + 1, 'media-unreadable')),
  ];
  const { causes } = await writeReports(makeRequest(rows));
  expect(causes.map(({ class: cause, count }) => [cause, count])).toEqual([
    ['media-unreadable', 9],
    ['deadline', 1],
  ]);
  expect(causes[0]?.examples).toHaveLength(5);
  expect(causes[0]?.examples[0]).toEqual({ item: 'media/1.jpg', message: 'media-unreadable 1' });
});

test('countless causes are kept within bounds', async () => {
  const rows = Array.from({ length: 450 }, (_, index) => ({
    item: makeItem(index, `${index}.jpg`),
    tasks: [
      makeTask(quality, {
        status: 'failed',
        reason: '',
        error: { class: 'vendor', code: `code ${index}`, message: '' },
      }),
    ],
  }));
  const { causes } = await writeReports(makeRequest(rows));
  expect(causes).toHaveLength(201);
  expect(causes[0]).toMatchObject({ class: 'other', count: 250 });
});
