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

/** The section of the guide: two blocks of YAML and a table. */
async function readGuide() {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'estimate.md'), 'utf8');
  const [, section = ''] = text.split('## An estimate and the bill that followed\n');
  const [own = ''] = section.split('\n## ', 1);
  const [prices = '', billing = ''] = [...own.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block]) => block);
  return { prices, billing, rows: own.split('\n').filter((line) => line.startsWith('| `')) };
}

interface Step {
  readonly from: string;
  readonly units: number;
  readonly price?: string;
  readonly per?: number;
}

function describeWalk(steps: readonly Step[]): string {
  const words: Readonly<Record<string, string>> = { free: ' free', pack: ' of the pack' };
  return steps
    .map(
      ({ from, units, price, per }) =>
        `${units}${words[from] ?? ` at ${price}${per === 1 ? '' : `/${per}`}`}`,
    )
    .join(', ');
}

test('an estimate of media that can be read is the bill of the run that follows, as the guide shows it', async () => {
  const world = await openWorld();
  const library = await putLibrary(world);
  const guide = await readGuide();
  const path = await world.writePipeline('audit', pipeline);
  await writeFile(join(world.folder, 'config', 'prices', 'china.yaml'), guide.prices);
  const accounts = join(world.folder, 'config', 'accounts.yaml');
  const plain = await readFile(accounts, 'utf8');
  await writeFile(accounts, plain.replace('    vendor: pai\n', `    vendor: pai\n    ${guide.billing}`));
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
  const rows = estimate.skus.map(
    ({
      sku,
      units,
      walk,
      billed,
      charge,
    }: {
      sku: string;
      units: number;
      walk: Step[];
      billed?: number;
      charge: string;
    }) => {
      const row = bill.skus.find((one: { sku: string }) => one.sku === sku);
      const counted = row.units_observed + row.units_estimated;
      // To the unit and to the billionth, and as the vendor's side counts.
      expect([counted, row.charge]).toEqual([units, charge]);
      expect(world.emulators[sku.split('/')[0] ?? '']?.state().units[sku]).toBe(units);
      const steps = `${describeWalk(walk)}${billed === undefined ? '' : `, charged as ${billed}`}`;
      return `| \`${sku}\` | ${units} | ${steps} | ${charge} CNY | ${counted} | ${row.charge} CNY |`;
    },
  );
  expect(bill.total.charge).toBe(estimate.total.charge);
  expect(guide.rows).toEqual([
    ...rows,
    `| \`total\` | | | ${estimate.total.charge} CNY | | ${bill.total.charge} CNY |`,
  ]);

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
