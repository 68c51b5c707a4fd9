/** A canary through the command line: what is sent ahead is counted at the vendor's side. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Storage } from '../../src/domain/settings.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { openWorld, type OutsideWorld, putVariants } from '../support/outside-world.ts';

const prices = `currency: CNY
timezone: Asia/Shanghai
skus:
  pai/basic: { unit: call, per: 1, tiers: [{ price: "0.01" }] }
`;

const images = (canary: string) => `
source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: pai/image-quality }]
canary: ${canary}
`;

async function readSummary(world: OutsideWorld, name: string) {
  const path = join(world.folder, 'reports', name, 'latest', 'summary.json');
  return JSON.parse(await readFile(path, 'utf8'));
}

function findStorage({ environment }: OutsideWorld): Storage {
  return {
    name: 'main',
    endpoint: `http://127.0.0.1:${environment['MEDIASWEEP_S3_PORT']}`,
    region: 'us-east-1',
    pathStyle: true,
    accessKeyId: environment['MEDIASWEEP_S3_KEY'],
    secretAccessKey: environment['MEDIASWEEP_S3_SECRET'],
  };
}

const sent = (world: OutsideWorld) => world.emulators['pai']?.state().submissions ?? 0;

test('where the canary fails the rest is not sent, says why with exit 4, and follows with --resume', async () => {
  const world = await openWorld({ modelFailure: 1 });
  await putVariants(world, 60, 'image/jpeg');
  const path = await world.writePipeline('wary', images('{ items: 10, stopIf: { failed: "> 20%" } }'));

  const first = await world.run('run', path);
  expect(first.exitCode).toBe(4);
  expect(first.out).toContain(
    'stopped by the canary of 10 items: 10 of 10 tasks failed, 100 % (pai/image-quality 10 of 10), and it stops if failed is > 20 %. 50 tasks are untouched. See failures.csv and bill.csv. --resume sends the rest all the same; once the cause is mended, --new begins with another canary; other conditions of stopIf are judged by running again.',
  );
  expect(first.out).not.toContain('Run again to go on');
  expect(sent(world)).toBe(10);
  const summary = await readSummary(world, 'wary');
  expect(summary).toMatchObject({
    listing: 'complete',
    exitCode: 4,
    counts: { items: 60, failed: 10, open: 50 },
    canary: { state: 'stopped', items: 10, ended: 10, failed: 10 },
  });

  // Once more: nobody is called, and it says the same.
  await world.setFaults('pai', { modelFailure: 0 });
  const again = await world.run('run', path);
  expect(again.exitCode).toBe(4);
  expect(again.out).toContain('stopped by the canary of 10 items');
  expect(sent(world)).toBe(10);

  const all = await world.run('run', path, '--resume');
  expect(all.exitCode).toBe(1);
  expect(sent(world)).toBe(60);
  expect(await readSummary(world, 'wary')).toMatchObject({
    run: summary.run,
    counts: { answered: 50, failed: 10, open: 0 },
    canary: { state: 'overridden', failed: 10 },
  });
}, 120_000);

test('once the cause is mended a new run draws a canary of other items, and the rest follows', async () => {
  const world = await openWorld({ modelFailure: 1 });
  await putVariants(world, 20, 'image/jpeg');
  const path = await world.writePipeline('mended', images('{ items: 5, stopIf: { failed: "> 20%" } }'));
  expect((await world.run('run', path)).exitCode).toBe(4);
  await world.setFaults('pai', { modelFailure: 0 });
  const next = await world.run('run', path, '--new');
  // The failures of the first canary are remembered: its items are nobody's canary now.
  expect(next.exitCode).toBe(1);
  expect(await readSummary(world, 'mended')).toMatchObject({
    counts: { answered: 15, failed: 5, open: 0 },
    canary: { state: 'passed', items: 5, ended: 5, failed: 0 },
  });
  expect(sent(world)).toBe(20);
}, 120_000);

test('a canary of what an item costs lets the rest follow once its condition allows it', async () => {
  const world = await openWorld();
  await writeFile(join(world.folder, 'config', 'prices', 'china.yaml'), prices);
  await putVariants(world, 40, 'image/jpeg');
  const path = await world.writePipeline(
    'dear',
    images('{ items: 5, stopIf: { chargePerItem: "> 0.005 CNY" } }'),
  );
  const first = await world.run('run', path);
  expect(first.exitCode).toBe(4);
  expect(first.out).toContain('an item costs 0.0100 CNY, and it stops if chargePerItem is > 0.0050 CNY');
  expect(sent(world)).toBe(5);
  // A changed condition applies at once.
  await world.writePipeline(
    'dear',
    images('{ items: 5, stopIf: { chargePerItem: "> 0.02 CNY", failed: "> 0%" } }'),
  );
  const second = await world.run('run', path);
  expect(second.exitCode).toBe(0);
  expect(second.out).toContain('canary of 5 items passed: 0 of 5 tasks failed, 0.0100 CNY an item');
  expect(await readSummary(world, 'dear')).toMatchObject({
    counts: { answered: 40, open: 0 },
    canary: { state: 'passed', items: 5, ended: 5, failed: 0, chargePerItem: '0.01' },
  });
  expect(sent(world)).toBe(40);
}, 120_000);

test('links of a manifest are read again for the canary and for the rest, also after a kill', async () => {
  const world = await openWorld({ delayMs: 60 });
  const keys = await putVariants(world, 60, 'image/jpeg');
  const storage = openObjectStorage(new Map([['main', findStorage(world)]]), { nowMs: () => Date.now() });
  const links = keys.map((key) => storage.sign({ storage: 'main', bucket: 'media', key }, 3600));
  const rows = (await Promise.all(links)).map(({ url }) => url);
  storage.close();
  await writeFile(join(world.folder, 'pipelines', 'links.csv'), `url\n${rows.join('\n')}\n`);
  const path = await world.writePipeline(
    'linked',
    `source: { csv: { path: links.csv, allowPrivateAddresses: true } }
services: [{ use: pai/image-quality }]
canary: { items: 20, stopIf: { failed: "> 0%" } }
`,
  );
  const { process, ended } = world.start('run', path);
  while (sent(world) < 5) await new Promise((resolve) => setTimeout(resolve, 5));
  process.kill('SIGKILL');
  await ended;
  const before = sent(world);
  expect(before).toBeLessThanOrEqual(20);
  const { exitCode } = await world.run('run', path);
  expect([0, 1]).toContain(exitCode);
  const summary = await readSummary(world, 'linked');
  expect(summary.counts).toMatchObject({ items: 60, open: 0 });
  expect(summary.counts.answered + summary.counts.held).toBe(60);
  expect(summary.canary).toMatchObject({ state: 'passed', items: 20 });
}, 120_000);
