/** `caps:` of a pipeline and of an account, and `--cap`. */
import { expect, test } from 'vitest';
import { loadPipeline } from '../../src/config/load.ts';
import { join } from 'node:path';
import { toyCatalogue } from '../support/toy-catalogue.ts';
import { environment, load, loadFine, withLines, withProject } from './project.ts';

const account = (more: string) =>
  `accounts:\n  toy-prod: { vendor: toy, endpoint: "https://toy.example/v1/", key: "\${TOY_KEY}", secret: "\${TOY_SECRET}", ${more} }\n`;

test('caps are read in nano and units, and belong to the hash but not to the shape of a run', async () => {
  const bare = await loadFine(withLines(''));
  const capped = await loadFine(
    withLines('caps: { run: 500 CNY, month: 20000CNY, units: { toy/call: 100 } }\n'),
    {
      'config/accounts.yaml': account('caps: { month: 0.5 }'),
    },
  );
  expect(bare.caps).toBeUndefined();
  expect(capped.caps).toEqual({
    run: 500_000_000_000n,
    month: 20_000_000_000_000n,
    units: { 'toy/call': 100 },
  });
  expect(capped.services[0]?.account.caps).toEqual({ month: 500_000_000n });
  expect(capped.shapeHash).toBe(bare.shapeHash);
  expect(capped.hash).not.toBe(bare.hash);
});

const cases: readonly (readonly [
  claim: string,
  lines: string,
  more: Record<string, string>,
  problems: readonly string[],
])[] = [
  [
    'every fault of caps is told at once',
    'caps: { run: much, month: 3 USD, units: { toy/cal: 1, toy/call: 1.5 }, runs: 1 }\n',
    {},
    [
      'pipelines/p.yaml:5:14 caps.run: expected an amount of money with at most nine decimals, such as "500 CNY" or "0.10", found "much".',
      'pipelines/p.yaml:5:27 caps.month: expected an amount in CNY, the currency of the price book, found "3 USD".',
      'pipelines/p.yaml:5:65 caps.units.toy/call: expected a whole number that is at least 0, found 1.5.',
      'pipelines/p.yaml:5:72 caps.runs: unknown key "runs". Did you mean "run"?',
    ],
  ],
  [
    'units of a SKU that no vendor has are told with the right one',
    'caps: { units: { toy/cal: 1 } }\n',
    {},
    ['pipelines/p.yaml:5:18 caps.units.toy/cal: there is no SKU "toy/cal". Did you mean "toy/call"?'],
  ],
  [
    'a cap on money over units without a price is told where it stands',
    '  - { use: toy/watch, options: { ops: [{ op: faces }] } }\ncaps: { run: 5, month: 6 }\n',
    { 'config/accounts.yaml': account('caps: { month: 7 }') },
    [
      'pipelines/p.yaml:6:14 caps.run: a cap on money cannot hold over "toy/frame", which has no price: expected one in config/prices, or a cap on its units. Set its price, or bound it with caps: { units: { toy/frame: N } }.',
      'pipelines/p.yaml:6:24 caps.month: a cap on money cannot hold over "toy/frame", which has no price: expected one in config/prices, or a cap on its units. Set its price, or bound it with caps: { units: { toy/frame: N } }.',
      'config/accounts.yaml:2:124 accounts.toy-prod.caps.month: a cap on money cannot hold over "toy/frame", which has no price: expected one in config/prices, or a cap on its units. Set its price, or bound it with caps: { units: { toy/frame: N } }.',
    ],
  ],
  [
    'a cap on these units bounds them, so that caps on money may stand',
    '  - { use: toy/watch, options: { ops: [{ op: faces }] } }\ncaps: { run: 5, month: 6, units: { toy/frame: 100 } }\n',
    { 'config/accounts.yaml': account('caps: { month: 7 }') },
    [],
  ],
];
test.each(cases)('%s', async (_, lines, more, problems) => {
  expect((await load({ 'pipelines/p.yaml': withLines(lines), ...more })).problems).toEqual(problems);
});

async function loadWithCap(lines: string, runCap: { amount: bigint; currency?: string }) {
  return await withProject({ 'pipelines/p.yaml': withLines(lines) }, (folder) =>
    loadPipeline({ path: join(folder, 'pipelines', 'p.yaml'), environment, catalogue: toyCatalogue, runCap }),
  );
}

test('--cap replaces the cap of the run, and is held against the price book', async () => {
  const { pipeline } = await loadWithCap('caps: { run: 5, month: 9 }\n', { amount: 3n, currency: 'CNY' });
  expect(pipeline?.caps).toEqual({ run: 3n, month: 9_000_000_000n });
  const foreign = await loadWithCap('', { amount: 3n, currency: 'USD' });
  expect(foreign.problems.map(({ message }) => message)).toEqual([
    '--cap: expected an amount in CNY, the currency of the price book, found one in USD.',
  ]);
  const blind = await loadWithCap('  - { use: toy/watch, options: { ops: [{ op: faces }] } }\n', {
    amount: 3n,
  });
  expect(blind.problems.map(({ message }) => message)).toEqual([
    '--cap cannot hold over "toy/frame", which has no price: expected one in config/prices, or a cap on its units. Set its price, or bound it with caps: { units: { toy/frame: N } }.',
  ]);
});
