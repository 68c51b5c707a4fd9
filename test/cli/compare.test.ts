/** What `judge` and `diff` ask of the program, and what they print. */
import { describe, expect, test } from 'vitest';
import type { DiffResult, JudgeResult, RowOutput } from '../../src/cli/spine.ts';
import type { RunChange } from '../../src/domain/change.ts';
import { makeRun, makeTerminal, speak } from './desk.ts';

const item = { id: 'media/猫\x1b[2J.mp4', position: new Uint8Array() };

const judged: JudgeResult = {
  run: makeRun(),
  policies: { from: 'strict', to: 'milder' },
  items: 118_204,
  flips: 7,
  verdicts: [
    { from: 'pass', to: 'review', count: 5 },
    { from: 'review', to: 'block', count: 2 },
  ],
  worst: [
    {
      item,
      from: 'review',
      to: 'block',
      evidence: {
        rule: 'pornography',
        service: 'qiniu/video-censor',
        op: 'pulp',
        name: '0',
        value: 0.912345,
      },
    },
  ],
  warnings: [
    { file: 'config/policies/milder.yaml', line: 3, column: 5, path: 'rules[0].op', message: 'hm.' },
  ],
};

const change: RunChange = {
  previous: '20261119T020000Z-audit',
  previousStartedAt: '2026-11-19T02:00:00.000Z',
  new: 1204,
  changed: 88,
  gone: 310,
  verdictChanged: 7,
  verdicts: judged.verdicts,
  newlyFlagged: 6,
  cleared: 0,
  scoreMoved: 41,
  movedBy: 0.1,
  charge: { before: '1000', after: '969', currency: 'CNY', complete: true },
};

const diffed: DiffResult = {
  before: makeRun({ id: '20261119T020000Z-audit' }),
  after: makeRun(),
  change,
  worst: [
    {
      item,
      is: 'changed',
      verdict: 'review',
      verdictBefore: 'pass',
      movement: { service: 'pai/image-quality', name: 'iqa_result', before: 80, after: 20, by: 0.75 },
    },
    { item: { ...item, id: 'media/new.jpg' }, is: 'new', verdict: 'block' },
  ],
};

describe('judge', () => {
  test('prints the counts both ways, then the worst flips with rule, label and score', async () => {
    const { exitCode, out, err } = await speak('judge latest --policy milder', { judge: async () => judged });
    expect(exitCode).toBe(0);
    expect(out).toBe(
      `20261120T020000Z-audit policy strict -> milder: 7 flips (5 pass -> review, 2 review -> block), of 118,204 items

  verdict          rule         by                                item
  review -> block  pornography  qiniu/video-censor pulp 0 0.9123  media/猫\\x1b[2J.mp4
  6 more: --show N, or all with --csv FILE
`,
    );
    expect(err).toBe('warn config/policies/milder.yaml:3:5 rules[0].op: hm.\n');
  });

  test('says so where nothing flips', async () => {
    const none = { ...judged, flips: 0, verdicts: [], worst: [] };
    const { out } = await speak('judge latest --policy milder', { judge: async () => none });
    expect(out).toBe('20261120T020000Z-audit policy strict -> milder: no verdict flips, of 118,204 items\n');
  });

  test('hands on the run, the policy, the file and how many rows are shown', async () => {
    const asked: unknown[] = [];
    const judge = async (selector: string, policy: string, _: unknown, { csv, show }: RowOutput) => {
      asked.push(selector, policy, csv, show);
      return judged;
    };
    const { out } = await speak('judge nightly~1 --policy p.yaml --csv flips.csv --show 3', { judge });
    expect(asked).toEqual(['nightly~1', 'p.yaml', 'flips.csv', 3]);
    expect(out).toContain('all rows: flips.csv');
  });

  test('leaves stdout to the rows with --csv - and with --json', async () => {
    for (const flag of ['--csv -', '--json']) {
      const { out } = await speak(`judge latest --policy milder ${flag}`, {
        judge: async (_selector, _policy, _places, { stdout }) => {
          await stdout.write('the rows');
          return judged;
        },
      });
      expect(out).toBe('the rows');
    }
  });

  test.each([
    [
      'judge latest',
      'error required option "--policy <policy>" not specified. See: mediasweep judge --help\n',
    ],
    [
      'judge latest --policy a --json --csv -',
      'error mediasweep judge: expected --json or --csv - on stdout, found both. Give --csv a file, or leave one of them out.\n',
    ],
    [
      'judge latest --policy a --show 0',
      'error option "--show <count>" argument "0" is invalid: expected a whole number from 1 up. See: mediasweep judge --help\n',
    ],
  ])('%s is refused', async (line, message) => {
    expect(await speak(line)).toEqual({ exitCode: 2, out: '', err: message });
  });
});

describe('diff', () => {
  test('prints the counts on a line, the cost, and what most wants a look', async () => {
    const { exitCode, out } = await speak('diff audit~1 audit', { diff: async () => diffed });
    expect(exitCode).toBe(0);
    expect(out).toBe(
      `20261119T020000Z-audit -> 20261120T020000Z-audit
  new 1,204   changed 88   gone 310   verdict changed 7 (5 pass -> review, 2 review -> block)   score moved > 0.1: 41
  cost 1,000.00 CNY -> 969.00 CNY (-3.1 %)

           verdict         score of                      moved     item
  changed  pass -> review  pai/image-quality iqa_result  80 -> 20  media/猫\\x1b[2J.mp4
  new      block                                                   media/new.jpg
  39 more: --show N, or all with --csv FILE
`,
    );
  });

  test('says where the runs are of two pipelines, which need not ask the same', async () => {
    const other = { ...diffed, after: { ...diffed.after, pipeline: 'library' } };
    const { out } = await speak('diff audit library', { diff: async () => other });
    expect(out).toContain('\n  runs of two pipelines, audit and library: new and gone is also what only one');
  });

  test.each([
    ['diff audit', { after: 'audit' }],
    ['diff audit~7 audit', { before: 'audit~7', after: 'audit' }],
    ['diff audit latest~1 latest', { before: 'audit~1', after: 'audit' }],
  ])('%s compares the runs meant', async (line, expected) => {
    let asked: unknown;
    await speak(line, {
      diff: async (selectors) => {
        asked = selectors;
        return diffed;
      },
    });
    expect(asked).toEqual(expected);
  });

  test('says what it cannot know, and what a cost lacks', async () => {
    const partial = { ...change, gone: null, charge: { ...change.charge, before: '0', complete: false } };
    const { out } = await speak('diff audit', {
      diff: async () => ({ ...diffed, change: partial, worst: [] }),
    });
    expect(out).toContain('gone not known (not listed to the end)');
    expect(out).toContain('cost 0.00 CNY -> 969.00 CNY; incomplete, since units without a price are in it\n');
  });

  test('in colour says the same', async () => {
    const terminal = makeTerminal({ isTerminal: true, useColour: true, columns: 160 });
    const { out } = await speak('diff audit', { diff: async () => diffed }, { terminal });
    expect(out).toContain('\x1b[33mreview\x1b[39m');
  });

  test.each([
    ['diff', 'missing required argument "runs"'],
    ['diff a b c d', 'expected one run or two, found 4'],
    ['diff a --moved 2', 'expected a chance from 0 to 1'],
  ])('%s is refused', async (line, message) => {
    const { exitCode, err } = await speak(line);
    expect(exitCode).toBe(2);
    expect(err).toContain(message);
  });
});
