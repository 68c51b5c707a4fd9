/** What `mediasweep reconcile` says, asks for and refuses. */
import { describe, expect, test } from 'vitest';
import type { ReconcileFlags, ReconcileResult } from '../../src/cli/spine.ts';
import { speak } from './desk.ts';

const cent = 10_000_000n;
const ours = {
  observed: 100,
  estimated: 0,
  uncertain: 2,
  free: 0,
  pack: 0,
  charge: 46n * cent,
  isComplete: true,
};

const result: ReconcileResult = {
  account: 'pai-prod',
  month: '2026-11',
  currency: 'CNY',
  by: 'day',
  counts: { matched: 19, differs: 1, 'theirs-only': 1, 'ours-only': 0 },
  differences: [
    {
      is: 'differs',
      when: '2026-11-20',
      sku: 'pai/basic',
      theirs: { units: 102, amount: 47n * cent },
      ours,
      note: 'units: +2; within the 2 uncertain units of ours',
    },
    { is: 'theirs-only', when: '2026-11-21', sku: 'Storage', theirs: { units: 1 }, note: '' },
  ],
  totals: {
    theirs: { units: 2000, amount: 920n * cent },
    ours: { ...ours, observed: 1997, charge: 918n * cent },
  },
  ignoredRows: 3,
  otherMonths: 1,
  unknownNames: ['Storage'],
};

const words = [
  'reconcile',
  'usage.csv',
  '--account',
  'pai-prod',
  '--month',
  '2026-11',
  '--columns',
  'date=Bill day,sku=Item,units=Count,amount=Due',
];

async function ask(more: readonly string[] = [], told = result) {
  const asked: { flags?: ReconcileFlags } = {};
  const spoken = await speak([...words, ...more], {
    reconcile: async (flags) => {
      asked.flags = flags;
      return told;
    },
  });
  return { ...spoken, ...asked };
}

describe('reconcile', () => {
  test('names what differs, with what may explain it, and exits 1', async () => {
    const { out, exitCode } = await ask();
    expect(exitCode).toBe(1);
    expect(out.split('\n')).toEqual([
      'pai-prod 2026-11 by day and SKU: 19 matched, 1 differs, 1 theirs-only',
      '  units: 2,000 theirs, 1,997 ours and 2 uncertain; money: 9.20 CNY theirs, 9.18 CNY ours',
      '  3 rows ignored',
      '  1 row of other months left out',
      '  no SKU of ours: "Storage". Name ours with --map "theirs=ours", or leave it out with --ignore.',
      '',
      '             date        SKU        theirs  ours  their amount  our charge  note',
      'differs      2026-11-20  pai/basic     102   100    0.4700 CNY  0.4600 CNY  units: +2; within the 2 uncertain units of ours',
      'theirs-only  2026-11-21  Storage         1',
      '',
    ]);
  });

  test('exits 0 where all match', async () => {
    const counts = { matched: 20, differs: 0, 'theirs-only': 0, 'ours-only': 0 };
    const { exitCode, out } = await ask([], { ...result, counts, differences: [] });
    expect([exitCode, out.split('\n', 1)[0]]).toEqual([0, 'pai-prod 2026-11 by day and SKU: 20 matched']);
  });

  test('asks for what the flags say', async () => {
    const { flags } = await ask(
      [
        '--map',
        'a=b=pai/basic',
        '--map',
        '基础=pai/basic',
        '--ignore',
        'CDN',
        '--ignore',
        'OSS',
        '--encoding',
        'gb18030',
      ].concat(['--delimiter', '\\t', '--tolerance', '0.5']),
    );
    expect(flags).toMatchObject({
      path: 'usage.csv',
      columns: { date: 'Bill day', sku: 'Item', units: 'Count', amount: 'Due' },
      ignored: ['CDN', 'OSS'],
      encoding: 'gb18030',
      delimiter: '\t',
      tolerance: 50n * cent,
    });
    expect([...(flags?.names ?? [])]).toEqual([
      ['a=b', 'pai/basic'],
      ['基础', 'pai/basic'],
    ]);
  });

  test('is one document for scripts', async () => {
    const told = JSON.parse((await ask(['--json'])).out);
    expect(told).toMatchObject({
      by: 'day',
      counts: { matched: 19, 'theirs-only': 1 },
      totals: { theirs: { amount: '9.2' } },
      differences: [
        { result: 'differs', date: '2026-11-20', theirs: { amount: '0.47' } },
        { result: 'theirs-only' },
      ],
    });
  });

  test.each([
    [
      ['--columns', 'day=Date,sku=Item,units=N'],
      'expected fields of date, sku, units, amount, id with their columns, such as sku=Item.',
    ],
    [['--columns', 'date=Date,sku=Item'], 'expected sku, and units or amount or both.'],
    [['--map', 'pai/basic'], 'expected "their name=our SKU".'],
    [['--delimiter', ';;'], 'expected one character, such as ";" or "\\t".'],
    [['--tolerance', 'much'], 'expected an amount such as 0.01.'],
    [['--json', '--csv', '-'], 'expected --json or --csv - on stdout, found both.'],
  ])('refuses %j', async (more, said) => {
    const { exitCode, err } = await ask(more);
    expect(exitCode).toBe(2);
    expect(err).toContain(said);
  });
});
