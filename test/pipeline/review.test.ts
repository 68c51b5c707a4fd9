/** Decisions on their way from a file into the ledger: who made them must be known. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Outside } from '../../src/pipeline/outside.ts';
import { importReview } from '../../src/pipeline/review.ts';
import { systemClock } from '../../src/wire/clock.ts';

async function importText(text: string, by: string | undefined, environment: Outside['environment']) {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-import-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'review.csv');
  await writeFile(path, text);
  return await importReview({ environment, folder, clock: systemClock } as Outside, path, by, {});
}

const decided = 'content,decision\nAAAAAAAAAAAAAAAAAAAAAA,pass\n';

test.each([
  ['anna', { USER: 'root' }, 'anna'],
  [undefined, { USER: 'ben', LOGNAME: 'x' }, 'ben'],
  [undefined, { LOGNAME: 'carl' }, 'carl'],
] as const)('--by %s under %j is %s', async (by, environment, expected) => {
  expect(await importText(decided, by, environment)).toMatchObject({ by: expected, stored: 1 });
});

test('nobody is no reviewer', async () => {
  await expect(importText(decided, undefined, {})).rejects.toThrow(
    'review import: expected to know who decided, found no user name in the environment. Say it with --by NAME.',
  );
  expect(await importText('content,decision\n', undefined, {})).toMatchObject({ stored: 0, blank: 0 });
});
