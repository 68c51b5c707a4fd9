import { describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/cli/spine.ts';
import type { Cause } from '../../src/domain/summary.ts';
import {
  makeBillRow,
  makeReport,
  makeResult,
  makeRun,
  makeSummary,
  makeTerminal,
  speak,
  type Terminal,
} from './desk.ts';

async function print(result: Partial<RunResult>, terminal?: Terminal): Promise<readonly string[]> {
  const { out } = await speak(
    'run a.yaml',
    { run: async () => makeResult(result) },
    terminal ? { terminal } : {},
  );
  return out.trimEnd().split('\n');
}

function makeCause(given: Partial<Cause> = {}): Cause {
  return {
    service: 'qiniu/video-censor',
    status: 'failed',
    class: 'media-unreadable',
    code: '424',
    httpStatus: 400,
    count: 9,
    examples: [{ item: 'media/a.mp4', message: 'cannot open the file' }],
    ...given,
  };
}

test.each([
  [{ unselected: 0 }, 'nothing is in the source: look at its bucket and prefix, or its path'],
  [{ unselected: 1200 }, 'nothing was selected of the 1,200 that the source held: look at select'],
  [{ broken: 3 }, undefined],
])('a run over nothing, %j, says so', async (counts, words) => {
  const none = { items: 0, answered: 0, notApplicable: 0, ...counts };
  const lines = await print({ summary: makeSummary({ counts: none }) });
  expect(lines.find((line) => line.includes('nothing'))?.trim()).toBe(words);
});

test('a run that takes up the troubled ones of another says nothing of the source', async () => {
  const summary = makeSummary({ counts: { items: 0, answered: 0, notApplicable: 0 } });
  const lines = await print({ summary, run: makeRun({ onlyFailed: '20261119T020000Z-audit' }) });
  expect(lines.join()).not.toContain('nothing');
});

describe('the change since the run before', () => {
  test('stands below the verdicts', async () => {
    const change = {
      previous: '20261119T020000Z-audit',
      previousStartedAt: '2026-11-19T02:00:00.000Z',
      new: 3,
      changed: 0,
      gone: 1,
      verdictChanged: 1,
      verdicts: [{ from: 'pass', to: 'review', count: 1 }] as const,
      newlyFlagged: 2,
      cleared: 0,
      scoreMoved: 1,
      movedBy: 0.1,
      charge: { before: '1', after: '2', currency: 'CNY', complete: true },
    };
    const { out } = await speak('report', {
      report: async () => makeReport({ summary: makeSummary({ change }) }),
    });
    expect(out).toContain(`  since 20261119T020000Z-audit: 2 newly flagged, 0 cleared
  new 3   changed 0   gone 1   verdict changed 1 (1 pass -> review)   score moved > 0.1: 1
`);
  });
});

describe('the summary', () => {
  test.each([
    [
      { state: 'stopped', items: 10, ended: 20, failed: 3, chargePerItem: '0.0046' },
      'canary of 10 items stopped the run: 3 of 20 tasks failed, 0.0046 CNY an item',
    ],
    [
      { state: 'overridden', items: 1, ended: 1, failed: 1 },
      'canary of 1 item overridden (--resume): 1 of 1 task failed',
    ],
    [{ state: 'waiting', items: 200 }, 'canary of 200 items: has not come to an end'],
  ] as const)('tells what the canary said: %o', async (canary, line) => {
    const { out } = await speak('report', {
      report: async () => makeReport({ summary: makeSummary({ canary }) }),
    });
    expect(out).toContain(`  ${line}\n`);
  });

  test('of a nightly run is the answer, the accounts, the verdicts, the charge, the failures and the report', async () => {
    const summary = makeSummary({
      exitCode: 1,
      counts: {
        items: 118_204,
        notApplicable: 118_204,
        answered: 114_041,
        reused: 4112,
        skipped: 37,
        failed: 14,
        unselected: 5,
      },
      verdicts: { block: 12, review: 431, incomplete: 14, pass: 117_747 },
      units: { 'pai/basic': 21_857, 'qiniu/pulp-image': 3_402_118 },
      charge: '5098.12',
      complete: false,
    });
    const bill = [
      makeBillRow(),
      makeBillRow({
        account: 'qiniu-prod',
        vendor: 'qiniu',
        sku: 'qiniu/pulp-image',
        observed: 2,
        estimated: 3_401_000,
        uncertain: 3,
        isComplete: false,
      }),
    ];
    const causes = [
      makeCause(),
      makeCause({
        service: 'pai/视频',
        class: 'not-found',
        code: 'not-found',
        httpStatus: undefined,
        count: 1204,
        examples: [],
      }),
      makeCause({
        status: 'held',
        class: 'unknown-fate',
        code: '',
        httpStatus: 504,
        count: 2,
        examples: [{ item: '图片/猫.jpg', message: '' }],
      }),
    ];
    const state = 'skipped';
    const skips = [
      { service: 'pai/视频', state, reason: 'fit: at least 320 x 240 pixels', count: 6 },
      { service: 'pai/视频', state, reason: 'fit: at most 100 MB', count: 31 },
    ] as const;
    expect(await print({ exitCode: 1, summary, bill, causes, skips })).toEqual([
      'audit 20261120T020000Z-audit finished in 9 h 04 min with 14 failures  (exit 1)',
      '  118,204 items x 2 services = 118,204 not applicable + 114,041 answered + 4,112 reused + 37 skipped + 14 failed; 5 not selected',
      '  block 12   review 431   incomplete 14   pass 117,747',
      '  charged at least 5,098.12 CNY (incomplete: 3,401,002 unpriced units; set a price for qiniu/pulp-image in config/prices/); 3 units uncertain, billed perhaps',
      '  units: pai/basic 21,857, qiniu/pulp-image 3,402,118',
      '  skipped  31  pai/视频  fit: at most 100 MB',
      '  skipped   6  pai/视频  fit: at least 320 x 240 pixels',
      '  failed      9  qiniu/video-censor  media-unreadable (424 400)  e.g. media/a.mp4: cannot open the file',
      '  failed  1,204  pai/视频            not-found',
      '  held        2  qiniu/video-censor  unknown-fate (504)          e.g. 图片/猫.jpg',
      '  /srv/reports/audit/20261120T020000Z-audit/report.html',
    ]);
  });

  test('of a complete run is short', async () => {
    expect(await print({})).toEqual([
      'audit 20261120T020000Z-audit finished in 9 h 04 min  (exit 0)',
      '  100 items x 2 services = 100 not applicable + 100 answered',
      '  block 0   review 0   incomplete 0   pass 100',
      '  charged 0.4600 CNY (complete)',
      '  units: pai/basic 100',
      '  /srv/reports/audit/20261120T020000Z-audit/report.html',
    ]);
  });

  test('says what failed tasks were billed, and by which rule of which account', async () => {
    const rule = { refused: 'free', modelFailed: 'billed', failedJob: 'billed' } as const;
    const one = makeSummary({ counts: { failed: 3 }, booking: { 'pai-prod': rule, 'qiniu-prod': rule } });
    expect(await print({ summary: one })).toContain(
      '  failures billed: none (by booking: refused calls free, failed models billed, failed jobs billed)',
    );
    const two = makeSummary({
      counts: { failed: 3 },
      booking: { 'pai-prod': rule, 'qiniu-prod': { ...rule, refused: 'billed' } },
      billedFailures: { tasks: 2, units: { 'pai/basic': 2 }, charge: '0.0092' },
    });
    expect(await print({ summary: two })).toContain(
      '  failures billed: 2, 0.0092 CNY (by booking: pai-prod: refused calls free, failed models billed, failed jobs billed; qiniu-prod: refused calls billed, failed models billed, failed jobs billed)',
    );
  });

  test('says what conditions saved', async () => {
    const saved = { tasks: 1204, units: { 'pai/advanced': 1204 }, charge: '66.22', complete: true };
    expect(await print({ summary: makeSummary({ saved }) })).toContain(
      '  saved by `when`: 1,204 tasks not asked, 1,204 units, about 66.22 CNY (estimated)',
    );
  });

  test('says how far each cap has come, and what passed its reservation', async () => {
    const summary = makeSummary({
      caps: [
        { cap: 'caps.run', spent: '499.98', reserved: '0.01', limit: '500' },
        {
          cap: 'caps.units.qiniu/pulp-image',
          sku: 'qiniu/pulp-image',
          spent: 1200,
          reserved: 0,
          limit: 100_000,
        },
      ],
      overrun: { 'qiniu/pulp-image': 12 },
    });
    expect((await print({ summary })).slice(5, -1)).toEqual([
      '  caps.run: 499.98 CNY spent + 0.0100 CNY reserved of 500.00 CNY',
      '  caps.units.qiniu/pulp-image: 1,200 spent of 100,000 units',
      '  overrun: 12 units beyond what was reserved (qiniu/pulp-image 12)',
    ]);
  });

  test('of nothing at all adds up to 0', async () => {
    const counts = { items: 0, services: 1, notApplicable: 0, answered: 0 };
    const summary = makeSummary({ counts, units: {}, charge: '0', currency: '' });
    const lines = await print({ summary, bill: [] });
    expect(lines[1]).toBe('  0 items x 1 service = 0');
    expect(lines[2]).toContain('nothing is in the source');
    expect(lines[4]).toBe('  charged 0.00 (complete)');
    expect(lines.length).toBe(6);
  });

  test('says what halted, why, what to check, and that running again goes on', async () => {
    const summary = makeSummary({
      exitCode: 3,
      counts: { answered: 0, open: 1204 },
      why: 'halted: ... Run again to go on.',
    });
    const halts = [
      { account: 'pai-prod', reason: '"sign error" (401)' },
      { account: 'pai-prod', service: 'pai/video-labels', reason: '"model not found" (404).' },
    ];
    const lines = await print({ exitCode: 3, summary, halts });
    expect(lines[0]).toBe('audit 20261120T020000Z-audit halted after 9 h 04 min  (exit 3)');
    expect(lines.slice(5, 8)).toEqual([
      '  account "pai-prod" halted: "sign error" (401). Check its endpoint in config/accounts.yaml, and the variables that its credentials come from.',
      '  service "pai/video-labels" on account "pai-prod" halted: "model not found" (404). Check its options and model_name.',
      '  1,204 tasks are still open. Run again to go on.',
    ]);
  });

  test('says why listing broke off', async () => {
    const summary = makeSummary({ exitCode: 3, listing: 'partial', counts: { open: 1 } });
    const lines = await print({
      exitCode: 3,
      summary,
      sourceTrouble: 'bucket "media": 503 from https://s3.example',
    });
    expect(lines[1]).toContain('; not listed to the end');
    expect(lines.slice(5, 7)).toEqual([
      '  listing broke off: bucket "media": 503 from https://s3.example.',
      '  1 task is still open. Run again to go on.',
    ]);
  });

  test.each([
    [
      4,
      'stopped after',
      { overCap: 88 },
      'stopped at the cap (caps.run), 88 tasks over it. Raise it and run again to go on.',
      ['stopped at the cap (caps.run), 88 tasks over it. Raise it and run again to go on.'],
    ],
    [
      5,
      'finished in',
      {},
      'finished, and 3 items flagged (--fail-on review)',
      ['finished, and 3 items flagged (--fail-on review)'],
    ],
    [
      130,
      'interrupted after',
      { open: 7 },
      'interrupted. Run again to go on.',
      ['7 tasks are still open. Run again to go on.'],
    ],
    [143, 'terminated after', {}, 'terminated. Run again to go on.', ['Run again to go on.']],
    [
      3,
      'halted after',
      { open: 9 },
      '9 tasks are still open. Run again to go on.',
      ['9 tasks are still open. Run again to go on.'],
    ],
    [
      70,
      'stopped after',
      {},
      'the accounts do not balance: 9 tasks expected, 8 found.',
      ['the accounts do not balance: 9 tasks expected, 8 found.'],
    ],
  ] as const)('of exit %i says "%s" and what to do', async (exitCode, words, counts, why, said) => {
    const lines = await print({ exitCode, summary: makeSummary({ exitCode, counts, why }) });
    expect(lines[0]).toContain(` ${words} 9 h 04 min`);
    expect(lines.slice(5, -1)).toEqual(said.map((line) => `  ${line}`));
  });

  test('counts failures and held tasks in its first line', async () => {
    const first = async (failed: number, held: number) =>
      (await print({ summary: makeSummary({ counts: { failed, held } }) }))[0];
    expect(await first(1, 0)).toContain('9 h 04 min with 1 failure ');
    expect(await first(0, 2)).toContain('9 h 04 min with 2 held tasks ');
    expect(await first(2, 1)).toContain('9 h 04 min with 2 failures and 1 held task ');
  });

  test('shows the first broken rows with their lines', async () => {
    const rows = [1, 2, 3, 4].map((line) => ({ line, message: `row ${line} has no url` }));
    const lines = await print({ summary: makeSummary({ counts: { broken: 1040 } }), broken: rows });
    expect(lines[1]).toContain('; 1,040 broken rows');
    expect(lines.slice(5, 10)).toEqual([
      '  1,040 rows of the manifest could not be read:',
      '    line 1: row 1 has no url',
      '    line 2: row 2 has no url',
      '    line 3: row 3 has no url',
      '    and 1,037 more',
    ]);
  });

  test('fits one screen of a terminal, whatever went wrong', async () => {
    const rest = { item: `图片/${'猫'.repeat(80)}.jpg`, message: 'x'.repeat(500) };
    const many = Array.from({ length: 60 }, (_, index) => index);
    const lines = await print(
      {
        exitCode: 3,
        summary: makeSummary({
          exitCode: 3,
          counts: { broken: 900, failed: 6000, held: 40, open: 77, unselected: 5 },
          units: Object.fromEntries(many.map((index) => [`v/sku-${index}`, 1000])),
        }),
        halts: many.map((index) => ({ account: `account-${index}`, reason: '"sign error" (401)' })),
        causes: many.map(() => makeCause({ count: 100, examples: [rest] })),
        broken: many.map((line) => ({ line, message: 'm'.repeat(300) })),
        skips: many.map((count) => ({ service: 's', state: 'skipped', reason: `no-link: ${count}`, count })),
      },
      makeTerminal({ isTerminal: true, columns: 120 }),
    );
    expect(lines.length).toBeLessThanOrEqual(34);
    expect(lines).toContain('  and 5,500 of other causes, in failures.csv');
    expect(lines).toContain('  55 more halted');
    expect(lines).toContain('  and 1,596 for other reasons, in tasks.jsonl');
    expect(lines.join('\n')).toContain('54 more in bill.csv');
    const { displayWidth } = await import('../../src/cli/print/table.ts');
    expect(Math.max(...lines.slice(1).map((line) => displayWidth(line)))).toBeLessThanOrEqual(120);
    expect(lines.at(-1)).toMatch(/report\.html$/);
  });

  test('shows what strangers wrote, and obeys none of it', async () => {
    const examples = [{ item: 'a\x1b]0;x\x07.jpg', message: 'no\nfile' }];
    const lines = await print({
      causes: [makeCause({ service: 's', class: 'c', code: '', httpStatus: undefined, examples })],
      halts: [{ account: 'a', reason: '"\x1b[2J"' }],
    });
    expect(lines.join('\n').replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(lines.join('\n')).toContain('e.g. a\\x1b]0;x\\x07.jpg: no\\nfile');
  });

  test('names the folder where no report.html was asked for', async () => {
    expect((await print({ files: ['summary.json'] })).at(-1)).toBe(
      '  /srv/reports/audit/20261120T020000Z-audit',
    );
  });

  test('of a run that goes on, or was superseded, says so', async () => {
    const first = async (state: 'running' | 'superseded') => {
      const summary = makeSummary({ exitCode: null, endedAt: null, why: null });
      const report = async () => makeReport({ run: makeRun({ state }), summary });
      return (await speak('report', { report })).out.split('\n')[0];
    };
    expect(await first('running')).toBe(
      'audit 20261120T020000Z-audit has not ended; this is what is known so far',
    );
    expect(await first('superseded')).toBe('audit 20261120T020000Z-audit was superseded by a later run');
  });

  test('has colours on a terminal that has them, and the same words', async () => {
    const given = {
      exitCode: 1,
      summary: makeSummary({ exitCode: 1, counts: { failed: 1 }, verdicts: { block: 2 } }),
      causes: [makeCause()],
    } as const;
    const coloured = await print(given, makeTerminal({ useColour: true }));
    expect(coloured.join('\n')).toContain('\x1b[31mblock 2\x1b[39m');
    expect(coloured.join('\n')).toContain('\x1b[31mfailed\x1b[39m');
    // oxlint-disable-next-line no-control-regex -- the colours are what is to be taken out
    expect(coloured.map((line) => line.replace(/\x1b\[\d+m/g, ''))).toEqual(await print(given));
  });
});
