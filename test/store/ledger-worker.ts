/**
 * A process of its own that runs a pipeline over contents which other processes share, and says which it has answered:
 * one line `answered <key>` each, once that is durable, and `done` at the end. The ledger is a folder, or where a
 * PostgreSQL is, as JSON.
 */
import { openLedger } from '../../src/store/ledger.ts';
import type { PostgresAccess } from '../../src/domain/postgres.ts';
import { openPostgresLedger } from '../../src/store/postgres-ledger.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { answer, HandClock, intend, makeOpening, makePipeline, makePlanned, plan } from './world.ts';

const [place = '', name = '', count = '0'] = process.argv.slice(2);
const ledger = place.startsWith('{')
  ? await openPostgresLedger({ access: JSON.parse(place) as PostgresAccess, clock: systemClock })
  : await openLedger({ folder: place, clock: new HandClock() });
const run = await ledger.openRun(makeOpening({ pipeline: makePipeline({ name }) }));
const keys = Array.from({ length: Number(count) }, (_, index) => `content-${index}`);
await plan(
  run,
  keys.map((key) => makePlanned(key)),
);

for (;;) {
  const ready = await run.readReady('quality', 0, 16);
  await Promise.all(
    ready.map(async (task) => {
      const [first] = await intend(run, [task]);
      if (first?.is !== 'intended') return;
      await answer(run, first.attempt);
      process.stdout.write(`answered ${task.reuseKey}\n`);
    }),
  );
  const { waiting } = await run.releaseWaiting();
  if (ready.length === 0 && waiting === 0) break;
}
await run.end({ state: 'finished', exitCode: 0, why: 'complete', atMs: 0 });
await ledger.close();
process.stdout.write('done\n');
