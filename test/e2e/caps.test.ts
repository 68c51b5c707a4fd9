/** Caps through the command line: real processes on one ledger, and units counted at the vendor's side. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, type OutsideWorld, putVariants } from '../support/outside-world.ts';

const prices = `currency: CNY
timezone: Asia/Shanghai
skus:
  pai/basic: { unit: call, per: 1, tiers: [{ price: "0.01" }] }
  pai/advanced: { unit: call, per: 1, tiers: [{ price: "0.05" }] }
  qiniu/politician-image: { unit: frame, per: 100, price: unknown }
`;

async function setPrices(world: OutsideWorld): Promise<void> {
  await writeFile(join(world.folder, 'config', 'prices', 'china.yaml'), prices);
}

const images = (more: string) => `
source: { bucket: { storage: rehearsal, bucket: media } }
select: { kinds: [image] }
services: [{ use: pai/image-quality }]
${more}
`;

async function readSummary(world: OutsideWorld, name: string) {
  const path = join(world.folder, 'reports', name, 'latest', 'summary.json');
  return JSON.parse(await readFile(path, 'utf8'));
}

test('two pipelines at once on one ledger never pass the cap of their account, and exit 4', async () => {
  const world = await openWorld({ delayMs: 200 });
  await setPrices(world);
  const path = join(world.folder, 'config', 'accounts.yaml');
  const accounts = await readFile(path, 'utf8');
  const capAccount = (cap: string) =>
    writeFile(path, accounts.replace('vendor: pai\n', `vendor: pai\n    caps: { month: ${cap} }\n`));
  await capAccount('0.70 CNY');
  await putVariants(world, 60, 'image/jpeg');
  // What belongs to content is not paid for twice: each pipeline asks in its own way.
  const nightly = await world.writePipeline('nightly', images(''));
  const weekly = await world.writePipeline('weekly', images('').replace('image-quality', 'face-attributes'));

  const both = await Promise.all([world.run('run', nightly), world.run('run', weekly)]);
  expect(world.emulators['pai']?.state().units['pai/basic']).toBe(70);
  const summaries = await Promise.all(['nightly', 'weekly'].map((name) => readSummary(world, name)));
  expect(summaries[0].counts.answered + summaries[1].counts.answered).toBe(70);
  expect(summaries[0].counts.overCap + summaries[1].counts.overCap).toBe(50);
  for (const [index, { listing, why, counts }] of summaries.entries()) {
    expect({ listing, open: counts.open }).toEqual({ listing: 'complete', open: 0 });
    // On a busy machine one may be through before the other has begun.
    expect(both[index]?.exitCode).toBe(counts.overCap > 0 ? 4 : 0);
    if (counts.overCap === 0) continue;
    expect(why).toMatch(
      /^stopped at the cap \(accounts\.pai-rehearsal\.caps\.month\), \d+ tasks? over it\. Raise it and run again to go on\.$/,
    );
  }
  expect(both[0]?.out).toContain('accounts.pai-rehearsal.caps.month: ');

  await capAccount('1.20 CNY');
  const again = [await world.run('run', nightly), await world.run('run', weekly)];
  expect(again.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(world.emulators['pai']?.state().units['pai/basic']).toBe(120);
  const ended = await Promise.all(['nightly', 'weekly'].map((name) => readSummary(world, name)));
  expect(ended.map(({ run }) => run)).toEqual(summaries.map(({ run }) => run));
  expect(ended.map(({ counts }) => counts.answered)).toEqual([60, 60]);
}, 120_000);

test('--cap replaces the cap of the run, and a raised one goes on where it stopped', async () => {
  const world = await openWorld();
  await setPrices(world);
  await putVariants(world, 30, 'image/jpeg');
  const path = await world.writePipeline('capped', images('caps: { run: 0.05 CNY, month: 10 CNY }'));

  const first = await world.run('run', path, '--cap', '0.12CNY');
  expect(first.exitCode).toBe(4);
  expect(first.out).toContain(
    'stopped at the cap (caps.run), 18 tasks over it. Raise it and run again to go on.',
  );
  expect(first.out).toContain('caps.run: 0.1200 CNY spent of 0.1200 CNY');
  expect(first.out).toContain('caps.month: 0.1200 CNY spent of 10.00 CNY');
  expect(world.emulators['pai']?.state().units['pai/basic']).toBe(12);
  const summary = await readSummary(world, 'capped');
  expect(summary).toMatchObject({
    exitCode: 4,
    counts: { answered: 12, overCap: 18 },
    caps: [
      { cap: 'caps.run', spent: '0.12', reserved: '0', limit: '0.12' },
      { cap: 'caps.month', spent: '0.12', reserved: '0', limit: '10' },
    ],
  });
  const page = await readFile(join(world.folder, 'reports', 'capped', 'latest', 'report.html'), 'utf8');
  expect(page).toContain('<strong>Stopped</strong> at the cap (caps.run), 18 tasks over it.');
  expect(page).toContain('exit code 4');

  const lower = await world.run('run', path);
  expect(lower.exitCode).toBe(4);
  expect(world.emulators['pai']?.state().units['pai/basic']).toBe(12);

  const higher = await world.run('run', path, '--cap', '1');
  expect(higher.exitCode).toBe(0);
  expect(await readSummary(world, 'capped')).toMatchObject({
    run: summary.run,
    counts: { answered: 30, overCap: 0 },
  });
  expect(world.emulators['pai']?.state().units['pai/basic']).toBe(30);
}, 120_000);

test('a kill among calls under a cap costs no more than the cap, counted at the vendor’s side', async () => {
  const world = await openWorld({ delayMs: 100 });
  await setPrices(world);
  await putVariants(world, 60, 'image/jpeg');
  const path = await world.writePipeline('killed', images('caps: { run: 0.30 CNY }'));
  for (const units of [6, 14]) {
    const { process, ended } = world.start('run', path);
    while ((world.emulators['pai']?.state().units['pai/basic'] ?? 0) < units) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    process.kill('SIGKILL');
    await ended;
  }
  const { exitCode } = await world.run('run', path);
  expect(exitCode).toBe(4);
  const { counts, caps, units } = await readSummary(world, 'killed');
  const billed = world.emulators['pai']?.state().units['pai/basic'] ?? 0;
  expect(billed).toBeLessThanOrEqual(30);
  expect(caps).toEqual([{ cap: 'caps.run', spent: '0.3', reserved: '0', limit: '0.3' }]);
  expect(counts.answered).toBe(units['pai/basic']);
  expect(counts).toMatchObject({ open: 0, overCap: 60 - counts.answered - counts.held });
}, 120_000);

test('units of a SKU without a price are bounded by their own cap, and a cap on money alone is refused', async () => {
  const world = await openWorld();
  await setPrices(world);
  await putVariants(world, 8, 'video/mp4');
  const censor = `
source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: qiniu/video-censor, options: { ops: [{ op: politician }], vframe: { mode: 0, interval: 1 } } }]
`;
  const blind = await world.writePipeline('blind', `${censor}caps: { run: 5 CNY }\n`);
  const refused = await world.run('run', blind);
  expect(refused.exitCode).toBe(2);
  expect(refused.err).toContain(
    'caps.run: a cap on money cannot hold over "qiniu/politician-image", which has no price: expected one in config/prices, or a cap on its units. Set its price, or bound it with caps: { units: { qiniu/politician-image: N } }.',
  );

  const bounded = await world.writePipeline(
    'bounded',
    `${censor}caps: { run: 5 CNY, units: { qiniu/politician-image: 7 } }\n`,
  );
  const { exitCode, out } = await world.run('run', bounded);
  expect(exitCode).toBe(4);
  expect(out).toContain('caps.units.qiniu/politician-image: ');
  expect(world.emulators['qiniu']?.state().units['qiniu/politician-image']).toBeLessThanOrEqual(7);
}, 120_000);
