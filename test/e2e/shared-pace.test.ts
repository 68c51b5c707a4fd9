/** Limits of one account over several real processes on one ledger, counted at the vendor's side. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, type OutsideWorld, putVariants } from '../support/outside-world.ts';

const services = ['pai/image-quality', 'pai/face-attributes', 'pai/image-labels'];

async function limitAccount(world: OutsideWorld, limits: string): Promise<void> {
  const path = join(world.folder, 'config', 'accounts.yaml');
  const accounts = await readFile(path, 'utf8');
  // PAI's are the first.
  await writeFile(path, accounts.replace(/limits: \{.*\}/, `limits: ${limits}`));
}

/** One pipeline for each process: each asks something else of the same images. */
async function runTogether(world: OutsideWorld, count: number) {
  const paths = await Promise.all(
    services
      .slice(0, count)
      .map((use, index) =>
        world.writePipeline(
          `part-${index}`,
          `source: { bucket: { storage: rehearsal, bucket: media } }\nselect: { kinds: [image] }\nservices: [{ use: ${use} }]\n`,
        ),
      ),
  );
  const ended = await Promise.all(paths.map((path) => world.run('run', path)));
  expect(ended.map(({ exitCode, err }) => ({ exitCode, err }))).toEqual(
    paths.map(() => ({ exitCode: 0, err: expect.any(String) })),
  );
  return world.emulators['pai']?.state();
}

test.each([
  2, 3,
])('%i processes together call no faster than the account allows, and lose nothing of its pace', async (count) => {
  const world = await openWorld();
  await limitAccount(world, '{ concurrency: 100, perSecond: 20 }');
  await putVariants(world, 36, 'image/jpeg');
  const state = await runTogether(world, count);
  expect(state?.units['pai/basic']).toBe(36 * count);
  // perSecond + 1 leave in a second; a loaded machine delivers some of them late, and so closer together.
  expect(state?.peakPerSecond).toBeLessThanOrEqual(21 + 2);
  expect(state?.peakPerSecond).toBeGreaterThanOrEqual(18);
}, 120_000);

test('two processes together have no more calls in flight than the account allows', async () => {
  const world = await openWorld({ delayMs: 200 });
  await limitAccount(world, '{ concurrency: 5, perSecond: 1000 }');
  await putVariants(world, 24, 'image/jpeg');
  const state = await runTogether(world, 2);
  expect(state?.units['pai/basic']).toBe(48);
  expect(state?.peakConcurrency).toBe(5);
}, 120_000);
