/** What `mediasweep cost` says, asks for and refuses. */
import { describe, expect, test } from 'vitest';
import type { CostFlags, CostOutput } from '../../src/cli/spine.ts';
import type { CostLine } from '../../src/domain/cost.ts';
import type { CostResult } from '../../src/domain/cost-result.ts';
import { speak } from './desk.ts';

const cent = 10_000_000n;

function makeLine(of: CostLine['of'], changes: Partial<CostLine> = {}): CostLine {
  const none = { observed: 0, estimated: 0, uncertain: 0, free: 0, pack: 0 };
  return { of, ...none, observed: 1200, charge: 512n * cent, isComplete: true, ...changes };
}

function makeResult(changes: Partial<CostResult> = {}): CostResult {
  const projected = { units: 1800, charge: 768n * cent, isComplete: true };
  const november = makeLine({ month: '2026-11' }, { uncertain: 3, projected });
  return {
    currency: 'CNY',
    timezone: 'Asia/Shanghai',
    month: '2026-11',
    isPlayed: false,
    playedUnits: 0,
    total: november,
    projection: { since: '2026-11-01', until: '2026-11-20', today: '2026-11-20', daysSeen: 20, daysLeft: 10 },
    months: [makeLine({ month: '2026-10' }), november],
    days: [],
    skus: [makeLine({ account: 'pai-prod', sku: 'pai/basic' }, { estimated: 4, projected })],
    pipelines: [makeLine({ pipeline: 'nightly' }, { isComplete: false })],
    accounts: [
      {
        account: 'pai-prod',
        sku: 'pai/basic',
        unit: 'call',
        tierUnits: 1200,
        elsewhere: 200,
        freeLeft: 7,
        price: { amount: 4_600_000n, per: 1, upTo: 5_000_000 },
        packs: [
          {
            units: 10,
            expires: '2026-10-31',
            cost: 10n,
            used: 4,
            left: 6,
            sunk: 600n * cent,
            isExpired: true,
          },
          { units: 10, expires: '2027-06-30', cost: 10n, used: 10, left: 0, sunk: 0n, isExpired: false },
        ],
      },
    ],
    rows: [makeLine({ month: '2026-11', pipeline: 'nightly' })],
    by: ['month', 'pipeline'],
    isGrouped: false,
    ...changes,
  };
}

async function ask(line: string, result = makeResult()) {
  const asked: { flags?: CostFlags; output?: CostOutput } = {};
  const spoken = await speak(line, {
    cost: async (flags, _, output) => {
      Object.assign(asked, { flags, output });
      return result;
    },
  });
  return { ...spoken, ...asked };
}

describe('cost', () => {
  test('tells the month in a line, how it was projected, and its tables', async () => {
    const { out, exitCode } = await ask('cost');
    expect(exitCode).toBe(0);
    expect(out.split('\n')).toEqual([
      '2026-11 5.12 CNY so far, 7.68 CNY projected; 3 units uncertain, billed perhaps',
      '  projected: as much a day as in the 20 days from 2026-11-01 to 2026-11-20, for 10 more days',
      '',
      'month    units  uncertain    charge  projected',
      '2026-10  1,200          0  5.12 CNY',
      '2026-11  1,200          3  5.12 CNY   7.68 CNY',
      '',
      '2026-11 by account and sku',
      'account   sku        units  estimated    charge  projected',
      'pai-prod  pai/basic  1,204          4  5.12 CNY   7.68 CNY',
      '',
      '2026-11 by pipeline',
      'pipeline  units             charge',
      'nightly   1,200  at least 5.12 CNY',
      '',
      'accounts in 2026-11',
      'pai-prod pai/basic: 1,200 units in the tiers (200 of them elsewhere, by billing:), next at 0.0046 CNY, to 5,000,000, 7 free left',
      '  pack of 10 to 2026-10-31: 4 used, 6 left, 6.00 CNY of it lost',
      '  pack of 10 to 2027-06-30: 10 used, used up',
      '',
    ]);
  });

  test('asks for what the flags say', async () => {
    const { flags, output } = await ask(
      'cost --month 2026-10 --pipeline nightly --prefix-depth 3 --by month,sku --by prefix --csv c.csv --html c.html',
    );
    expect(flags).toEqual({
      month: '2026-10',
      pipeline: 'nightly',
      prefixDepth: 3,
      by: ['month', 'sku', 'prefix'],
    });
    expect(output).toMatchObject({ csv: 'c.csv', html: 'c.html' });
  });

  test('is one table where dimensions are given, and says what was written', async () => {
    const { out } = await ask('cost --by month --by pipeline --csv c.csv', makeResult({ isGrouped: true }));
    expect(out).toContain('month    pipeline  units    charge\n2026-11  nightly   1,200  5.12 CNY\n');
    expect(out).toContain('written: c.csv');
    expect(out).not.toContain('accounts in');
  });

  test('leaves stdout to the CSV', async () => {
    expect((await ask('cost --csv -')).out).toBe('');
  });

  test('of a month without anything says so, and which months have something', async () => {
    const empty = makeResult({ month: '2026-09', skus: [], pipelines: [], accounts: [] });
    const { out, exitCode } = await ask('cost --month 2026-09', empty);
    expect([exitCode, out]).toEqual([0, 'nothing was used in 2026-09; there is usage of 2026-10, 2026-11\n']);
    expect((await ask('cost --month 2026-09', { ...empty, months: [] })).out).toBe(
      'nothing was used in 2026-09; nor in any other month\n',
    );
  });

  test('says that nothing was used, and what stand-ins used', async () => {
    const nothing = makeResult({ month: undefined, playedUnits: 12 });
    expect((await ask('cost --pipeline weekly', { ...nothing, pipeline: 'weekly' })).out).toBe(
      'nothing was used by "weekly" yet\n  left out: 12 units of stand-ins, which bill nobody\n',
    );
    expect((await ask('cost', makeResult({ isPlayed: true }))).out).toContain(
      'by stand-ins, which bill nobody',
    );
  });

  test('is one document for scripts, money as decimal strings', async () => {
    const told = JSON.parse((await ask('cost --json')).out);
    expect(told).toMatchObject({
      currency: 'CNY',
      month: '2026-11',
      total: { observed: 1200, uncertain: 3, charge: '5.12', complete: true, projected: { charge: '7.68' } },
      months: [{ month: '2026-10', charge: '5.12' }, { month: '2026-11' }],
      skus: [{ account: 'pai-prod', sku: 'pai/basic' }],
      projection: { since: '2026-11-01', daysLeft: 10 },
    });
    expect(told.rows).toBeUndefined();
  });

  test('has null where nothing of a charge could be priced, and a partial sum where some could', async () => {
    const unpriced = { observed: 7, charge: 0n, isComplete: false };
    const result = makeResult({});
    const skus = result.skus.map((line) => ({
      ...line,
      ...unpriced,
      projected: { units: 9, charge: 0n, isComplete: false },
    }));
    const told = JSON.parse(
      (await ask('cost --json', { ...result, skus, total: { ...result.total, isComplete: false } })).out,
    );
    expect(told.skus[0]).toMatchObject({
      charge: null,
      complete: false,
      projected: { units: 9, charge: null, complete: false },
    });
    expect(told.total).toMatchObject({ charge: '5.12', complete: false });
  });

  test.each([
    ['cost --month 2026-13', 'expected a month such as 2026-11.'],
    ['cost --by week', 'expected one of month, day, account, sku, pipeline, prefix.'],
    ['cost --prefix-depth 0', 'expected a whole number from 1 up.'],
    [
      'cost --json --csv -',
      'expected --json or --csv - on stdout, found both. Give --csv a file, or leave one of them out.',
    ],
    [
      'cost --by day,prefix',
      'expected --by prefix with month, account, sku or pipeline, found day. Leave --by day out.',
    ],
  ])('refuses %s', async (line, words) => {
    const { exitCode, err } = await ask(line);
    expect(exitCode).toBe(2);
    expect(err).toContain(words);
  });
});
