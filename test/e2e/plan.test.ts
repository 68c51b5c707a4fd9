/** A plan that is approved binds the run: through the command line, against what the stand-ins count. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, putVariants } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: pai/image-quality }]
`;

const prices = (price: string) => `currency: CNY
timezone: Asia/Shanghai
skus:
  pai/basic: { unit: call, per: 1, tiers: [{ price: "${price}" }] }
`;

test('a run under a plan sends nothing where the library or a price changed, and goes its way where none did', async () => {
  const world = await openWorld();
  const pricesPath = join(world.folder, 'config', 'prices', 'china.yaml');
  await writeFile(pricesPath, prices('0.01'));
  await putVariants(world, 20, 'image/jpeg');
  const path = await world.writePipeline('audit', pipeline);
  const asked = () => world.emulators['pai']?.state().units['pai/basic'] ?? 0;

  const estimated = await world.run('estimate', path, '--plan-out', 'plan.json');
  expect(estimated.exitCode).toBe(0);
  const text = await readFile(join(world.folder, 'plan.json'), 'utf8');
  const plan = JSON.parse(text);
  expect(estimated.out).toContain(`plan.json (sha256 ${plan.sha256.slice(0, 12)}...)`);
  expect(plan).toMatchObject({
    pipeline: 'audit',
    calls: 20,
    items: { items: 20 },
    skus: [{ account: 'pai-rehearsal', sku: 'pai/basic', units: 20, charge: '0.2', price: '0.01' }],
    total: { charge: '0.2', currency: 'CNY', complete: true },
  });
  for (const secret of Object.values(world.environment).filter((value) => value.length > 8)) {
    expect(text).not.toContain(secret);
  }

  await writeFile(pricesPath, prices('0.02'));
  const dearer = await world.run('run', path, '--plan', 'plan.json');
  expect(dearer.exitCode).toBe(2);
  expect(dearer.err).toContain(
    'this is not what was planned: charge: 0.2 CNY planned, 0.4 CNY now (the price of pai/basic (pai-rehearsal): 0.01 planned, 0.02 now). Nothing was sent. Make a new plan with estimate --plan-out, or allow for it with --tolerance 100%.',
  );
  await writeFile(pricesPath, prices('0.01'));

  await putVariants(world, 21, 'image/jpeg');
  const more = await world.run('run', path, '--plan', 'plan.json', '--tolerance', '4%');
  expect(more.exitCode).toBe(2);
  expect(more.err).toContain(
    'items: 20 planned, 21 now; units of pai/basic (pai-rehearsal): 20 planned, 21 now; charge',
  );
  expect(more.err).toContain('--tolerance 5%.');
  await writeFile(join(world.folder, 'forged.json'), text.replace('"calls": 20', '"calls": 21'));
  const forged = await world.run('run', path, '--plan', 'forged.json');
  expect([forged.exitCode, forged.err]).toEqual([
    2,
    expect.stringMatching(
      /plan "forged.json": it was changed after it was written: expected sha256 \w+, found/,
    ),
  ]);
  const missing = await world.run('run', path, '--plan', 'none.json');
  expect([missing.exitCode, missing.err]).toEqual([
    2,
    expect.stringMatching(/plan "\S+none.json": it cannot be read: ENOENT.* Check the path\./),
  ]);
  expect(asked()).toBe(0);

  const allowed = await world.run('run', path, '--plan', 'plan.json', '--tolerance', '5%');
  expect(allowed.exitCode).toBe(0);
  expect(asked()).toBe(21);
  expect(allowed.out).toContain('plan.pai/basic: 21 spent of 21 units');
  const summary = JSON.parse(
    await readFile(join(world.folder, 'reports', 'audit', 'latest', 'summary.json'), 'utf8'),
  );
  expect(summary).toMatchObject({ plan: { sha256: plan.sha256, tolerance: 0.05 } });

  // It is carried out: the same plan has nothing to do any more, and a second run says so.
  const again = await world.run('run', path, '--plan', 'plan.json', '--tolerance', '5%');
  expect(again.exitCode).toBe(2);
  expect(again.err).toContain('units of pai/basic (pai-rehearsal): 20 planned, 0 now');
}, 120_000);
