/** Words that a vendor's export is laid beside the ledger with, refused before a row is read. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ReconcileFlags } from '../../src/cli/spine.ts';
import type { Outside } from '../../src/pipeline/outside.ts';
import { reconcileExport } from '../../src/pipeline/reconcile.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { makeSink } from '../report/memory-sink.ts';

const configFolder = join(import.meta.dirname, '..', '..', 'config', 'rehearsal');

async function lay(changes: Partial<ReconcileFlags>) {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-reconcile-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await cp(configFolder, join(folder, 'config'), { recursive: true });
  await writeFile(join(folder, 'usage.csv'), 'Day,Item,N\n2026-11-20,Basic,7\n');
  const flags: ReconcileFlags = {
    path: 'usage.csv',
    account: 'pai-rehearsal',
    month: '2026-11',
    columns: { date: 'Day', sku: 'Item', units: 'N' },
    names: new Map(),
    ignored: [],
    encoding: 'utf-8',
    delimiter: ',',
    tolerance: 0n,
    ...changes,
  };
  const outside = { environment: {}, folder, clock: systemClock } as unknown as Outside;
  return await reconcileExport(outside, flags, {}, { csv: undefined, stdout: makeSink() });
}

test('a name of ours that there is not is refused, with the one that was probably meant', async () => {
  await expect(lay({ names: new Map([['Basic', 'pai/basik']]) })).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(
      /^reconcile --map "Basic=pai\/basik": there is no SKU "pai\/basik"\. Did you mean "pai\/basic"\? Known: pai\/advanced, pai\/basic, qiniu\/.*\.$/,
    ) as string,
  });
  expect(await lay({ names: new Map([['Basic', 'pai/basic']]) })).toMatchObject({
    counts: { 'theirs-only': 1 },
    unknownNames: [],
  });
});

test('a file that is not there is no export, and no manifest', async () => {
  await expect(lay({ path: 'nope.csv' })).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/nope\.csv: the export cannot be read: /) as string,
  });
});
