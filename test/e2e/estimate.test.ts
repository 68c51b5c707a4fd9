/** Estimates through the command line, and the bills of the runs that follow, beside what the stand-ins count. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, type OutsideWorld, putLibrary, putVariants } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: pai/image-quality
  - use: qiniu/video-censor
    options: { ops: [{ op: politician }, { op: pulp }, { op: terror }], vframe: { mode: 0, interval: 1 } }
`;

async function readBill(world: OutsideWorld, name: string) {
  const path = join(world.folder, 'reports', name, 'latest', 'bill.json');
  return JSON.parse(await readFile(path, 'utf8'));
}

test('an estimate of media that can be read is the bill of the run that follows, to the unit and to the billionth', async () => {
  const world = await openWorld();
  const library = await putLibrary(world);
  const path = await world.writePipeline('audit', pipeline);
  const pricesPath = join(world.folder, 'config', 'prices', 'china.yaml');
  const price = '{ unit: frame, per: 100, tiers: [{ upTo: 20, price: "0.155" }, { price: "0.145" }] }';
  await writeFile(
    pricesPath,
    `currency: CNY
timezone: Asia/Shanghai
skus:
  qiniu/politician-image: ${price}
  qiniu/pulp-image: { unit: frame, per: 100, free: 5, tiers: [{ price: "0.25" }] }
  qiniu/terror-image: { unit: frame, per: 100, tiers: [{ price: "0.1" }] }
  pai/basic: { unit: call, per: 1, free: 3, tiers: [{ upTo: 8, price: "0.0046" }, { price: "0.0039" }] }
`,
  );
  const estimated = await world.run('estimate', path, '--json');
  expect(estimated).toMatchObject({ exitCode: 0, err: '' });
  expect(existsSync(join(world.folder, '.mediasweep'))).toBe(false);
  expect(world.emulators['pai']?.state().requests).toBe(0);
  expect(world.emulators['qiniu']?.state().requests).toBe(0);
  const estimate = JSON.parse(estimated.out);
  expect(estimate).toMatchObject({ items: library.length, tasks: library.length, skipped: 0 });
  expect(estimate.total.complete).toBe(true);

  expect((await world.run('run', path)).exitCode).toBe(0);
  const bill = await readBill(world, 'audit');
  const sides = estimate.skus.map(({ sku, units, charge }: Record<string, string | number>) => {
    const row = bill.skus.find((one: { sku: string }) => one.sku === sku);
    const vendor = String(sku).split('/')[0] as string;
    return {
      sku,
      estimated: [units, charge],
      billed: [row.units_observed + row.units_estimated, row.charge],
      counted: world.emulators[vendor]?.state().units[String(sku)],
    };
  });
  for (const { estimated: expected, billed, counted } of sides) {
    expect(billed).toEqual(expected);
    expect(counted).toBe(expected[0]);
  }
  expect(bill.total.charge).toBe(estimate.total.charge);

  const after = JSON.parse((await world.run('estimate', path, '--json')).out);
  expect(after).toMatchObject({ counts: { calls: 0, reused: library.length }, total: { charge: '0' } });
  expect(after.durationSeconds).toBe(0);
}, 120_000);

test("an estimate goes beside a run, sees where that has come to, and is in nobody's way", async () => {
  const world = await openWorld({ delayMs: 400 });
  await putVariants(world, 40, 'image/jpeg');
  const path = await world.writePipeline(
    'busy',
    `source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: pai/image-quality, limits: { concurrency: 2 } }]
`,
  );
  const { process, ended } = world.start('run', path);
  while ((world.emulators['pai']?.state().submissions ?? 0) < 4)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const { exitCode, out } = await world.run('estimate', path, '--json');
  expect(exitCode).toBe(0);
  expect(process.exitCode).toBeNull();
  const { counts, resumes } = JSON.parse(out);
  expect(resumes).toMatch(/-busy$/);
  expect(counts.calls + counts.reused + counts.waiting).toBe(40);
  expect(counts.reused).toBeGreaterThan(0);
  expect((await ended).exitCode).toBe(0);
}, 120_000);
