/**
 * `npm run bench -- [NAME ...] [--pairs N] [--share N] [--small]`: benchmarks, all unless some are named. Each prints its
 * ratios and raw figures as it goes; together they are written as JSON. `--share 0.2` does a fifth of the work. `--small`
 * tries everything out in a few minutes; its figures mean little.
 */
import { parseArgs } from 'node:util';
import { benchCalls } from './calls.ts';
import { benchDurability } from './durability.ts';
import { benchEstimate } from './estimate.ts';
import { benchFleet } from './fleet.ts';
import { benchLedger } from './ledger.ts';
import { benchLedgerCopy } from './ledger-copy.ts';
import { benchLinks } from './links.ts';
import { benchListing } from './listing.ts';
import { benchManifest } from './manifest.ts';
import { type Result, writeFigures } from './measure.ts';
import { benchProbing } from './probing.ts';
import { benchReports } from './reports.ts';
import { benchScale } from './scale.ts';
import { benchSharedLedger } from './shared-ledger.ts';
import { benchStartUp } from './start-up.ts';

const { values, positionals: names } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: { small: { type: 'boolean' }, pairs: { type: 'string' }, share: { type: 'string' } },
});
const pairs = Number(values.pairs ?? (values.small === true ? 1 : 5));
const share = Number(values.share ?? (values.small === true ? 0.02 : 1));
const size = (whole: number) => Math.round(whole * share);

const benchmarks: Readonly<Record<string, () => Promise<readonly Result[]>>> = {
  links: () => benchLinks(size(20_000), pairs),
  ledger: () => benchLedger(size(50_000), pairs),
  sharedLedger: () => benchSharedLedger(size(20_000), pairs),
  ledgerCopy: () => benchLedgerCopy(size(50_000)),
  manifest: () => benchManifest(size(500_000), pairs),
  reports: () => benchReports(size(200_000), pairs),
  probing: () => benchProbing(size(2000), pairs),
  listing: () => benchListing(size(300_000), pairs),
  calls: () => benchCalls(size(100_000), pairs),
  durability: () => benchDurability(size(50_000), pairs),
  scale: () => benchScale([10_000, 100_000, 1_000_000].map(size), pairs),
  estimate: () => benchEstimate([100_000, 1_000_000].map(size)),
  fleet: () => benchFleet(share),
  startUp: () => benchStartUp(size(1_000_000), pairs),
};

const unknown = names.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}: there are ${Object.keys(benchmarks).join(', ')}`);
  process.exit(2);
}
const results: Result[] = [];
for (const [name, run] of Object.entries(benchmarks)) {
  if (names.length === 0 || names.includes(name)) results.push(...(await run()));
}
await writeFigures(results);
