import { describe, expect, test } from 'vitest';
import type { RehearsalFlags, RunFlags } from '../../src/cli/spine.ts';
import { makeReport, makeResult, makeSummary, speak } from './desk.ts';

async function readFlags(line: string): Promise<RunFlags> {
  let flags: RunFlags | undefined;
  await speak(line, {
    run: async (given) => {
      flags = given;
      return makeResult();
    },
  });
  if (!flags) throw new Error('nothing was run');
  return flags;
}

describe('run', () => {
  const standard = {
    path: 'a.yaml',
    limit: undefined,
    cap: undefined,
    startNew: undefined,
    resumeAnyAge: undefined,
    graceMs: 25_000,
    backUpEveryMs: 72_000_000,
    failOn: undefined,
    isFresh: undefined,
    onlyFailed: undefined,
    until: undefined,
    waits: undefined,
    plan: undefined,
  };
  test.each([
    ['run a.yaml', {}],
    ['run a.yaml --limit 100', { limit: 100 }],
    ['run a.yaml --cap 100CNY', { cap: { amount: 100_000_000_000n, currency: 'CNY' } }],
    ['run a.yaml --cap 0.5', { cap: { amount: 500_000_000n } }],
    ['run --new a.yaml', { startNew: true }],
    ['run a.yaml --resume', { resumeAnyAge: true }],
    ['run a.yaml --grace 2m', { graceMs: 120_000 }],
    ['run a.yaml --grace=0s', { graceMs: 0 }],
    ['run a.yaml --fail-on review', { failOn: 'review' }],
    ['run a.yaml --fresh', { isFresh: true }],
    ['run a.yaml --only-failed nightly~1', { onlyFailed: 'nightly~1' }],
    ['run a.yaml --until 06:00', { until: { hour: 6, minute: 0 } }],
    ['run a.yaml --wait --until 23:59', { waits: true, until: { hour: 23, minute: 59 } }],
    ['run a.yaml --backup 7d', { backUpEveryMs: 7 * 86_400_000 }],
    ['run a.yaml --backup off', { backUpEveryMs: 'off' }],
    ['run a.yaml --plan p.json', { plan: { file: 'p.json', tolerance: 0 } }],
    ['run a.yaml --plan p.json --tolerance 2%', { plan: { file: 'p.json', tolerance: 0.02 } }],
    ['run a.yaml --fail-on block --limit 1', { failOn: 'block', limit: 1 }],
  ])('"%s" asks for what it says', async (line, flags) => {
    expect(await readFlags(line)).toEqual({ ...standard, ...flags });
  });

  test.each([
    0, 1, 3, 4, 5, 70, 130, 143,
  ] as const)('exits %i where the run came to that', async (exitCode) => {
    const result = makeResult({ exitCode, summary: makeSummary({ exitCode }) });
    const spoken = await speak('run a.yaml', { run: async () => result });
    expect(spoken.exitCode).toBe(exitCode);
    expect(spoken.out).toContain(`(exit ${exitCode})`);
  });

  test('with --json prints the summary with folder, files, halts and failures as one document', async () => {
    const cause = {
      service: 's',
      status: 'failed',
      class: 'bad',
      code: '400',
      count: 1,
      examples: [],
    } as const;
    const halts = [{ account: 'pai-prod', reason: '"sign error" (401)' }];
    const broken = [{ line: 3, message: 'no url' }];
    const result = makeResult({ exitCode: 3, halts, causes: [cause], broken, sourceTrouble: 'lost' });
    const { exitCode, out, err } = await speak('run a.yaml --json', { run: async () => result });
    expect([exitCode, err]).toEqual([3, '']);
    expect(JSON.parse(out)).toEqual({
      ...makeSummary(),
      folder: '/srv/reports/audit/20261120T020000Z-audit',
      files: ['items.csv', 'report.html', 'summary.json'],
      halts,
      skips: [],
      sourceTrouble: 'lost',
      failures: [cause],
      brokenRows: broken,
    });
  });
});

describe('rehearse', () => {
  test.each([
    ['rehearse', { faults: 'some', graceMs: 25_000 }],
    ['rehearse --faults none --grace 1s', { faults: 'none', graceMs: 1000 }],
  ])('"%s" asks for what it says, and prints like a run', async (line, flags) => {
    const asked: RehearsalFlags[] = [];
    const rehearse = async (given: RehearsalFlags) => {
      asked.push(given);
      return makeResult({ exitCode: 1, summary: makeSummary({ exitCode: 1 }) });
    };
    const { exitCode, out } = await speak(line, { rehearse });
    expect(exitCode).toBe(1);
    expect(asked).toEqual([flags]);
    expect(out).toMatch(/report\.html\n$/);
  });

  test('has no other faults', async () => {
    const { exitCode, err } = await speak('rehearse --faults many');
    expect(exitCode).toBe(2);
    expect(err).toContain('"many" is invalid. Allowed choices are none, some.');
  });
});

describe('report', () => {
  test.each([
    ['report', 'latest'],
    ['report nightly~1', 'nightly~1'],
  ])('"%s" writes the reports of %s again and exits 0, whatever the run came to', async (line, selector) => {
    const asked: string[] = [];
    const report = async (given: string) => {
      asked.push(given);
      return makeReport({ summary: makeSummary({ exitCode: 1, counts: { failed: 2 } }) });
    };
    const { exitCode, out } = await speak(line, { report });
    expect([exitCode, asked]).toEqual([0, [selector]]);
    expect(out).toContain('with 2 failures  (exit 1)');
  });
});
