/** Commands on the ledger's file: a shared ledger has none, and a signal leaves nothing half done. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Outside } from '../../src/pipeline/outside.ts';
import { restore, save } from '../../src/pipeline/ledger.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { withProject } from '../config/project.ts';

const shared =
  'redis: { host: redis.internal }\nledger: { postgres: { host: db.internal, user: mediasweep, database: audit } }\n';

function makeOutside(folder: string, stop = new AbortController().signal): Outside {
  return { environment: {}, folder, clock: systemClock, stop } as unknown as Outside;
}

test('a ledger on PostgreSQL is neither backed up nor restored by a file: the server has backups of its own', async () => {
  await withProject({ 'config/cluster.yaml': shared }, async (folder) => {
    await expect(save(makeOutside(folder), undefined, {})).rejects.toMatchObject({
      exitCode: 2,
      message:
        'ledger backup: the ledger is on PostgreSQL, which has backups of its own, such as pg_dump. See docs/postgres.md.',
    });
    await expect(restore(makeOutside(folder), undefined, false, {})).rejects.toMatchObject({
      exitCode: 2,
      message:
        'ledger restore: the ledger is on PostgreSQL, which has backups of its own. Restore it there, while nothing runs.',
    });
  });
});

test('a backup goes where it is said from the folder of the command, and one that is stopped says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-save-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const places = { state: join(folder, 'state') };
  await (await openLedger({ folder: places.state, clock: systemClock })).close();
  expect(await save(makeOutside(folder), 'mine.db', places)).toMatchObject({
    ledger: join(folder, 'state', 'ledger.db'),
    backup: join(folder, 'mine.db'),
  });
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    await expect(
      save(makeOutside(folder, AbortSignal.abort(signal)), undefined, places),
    ).rejects.toMatchObject({ exitCode, message: 'the backup was stopped: nothing of it is there.' });
  }
});
