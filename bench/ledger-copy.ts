/** Rows a second that `ledger copy` takes from a file to PostgreSQL, counted and summed there before they are committed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyLedger } from '../src/store/postgres/copy.ts';
import { openLedger } from '../src/store/ledger.ts';
import { systemClock } from '../src/wire/clock.ts';
import { makeSchema, removeSchema, startPostgres } from '../test/support/postgres.ts';
import { answerAll, openBenchPipeline } from './filled-ledger.ts';
import { makePage } from './ledger.ts';
import { type Figure, tellFigure } from './measure.ts';
import { makeProject } from './project.ts';

export async function benchLedgerCopy(tasks: number): Promise<readonly Figure[]> {
  const project = await makeProject({ count: 1, port: 9 });
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-bench-'));
  const figures: Figure[] = [];
  try {
    const pipeline = await openBenchPipeline(project.folder);
    const ledger = await openLedger({ folder, clock: systemClock });
    const run = await ledger.openRun({ pipeline, nowMs: Date.now(), billing: new Map() });
    for (let from = 0; from < tasks; from += 500) {
      await answerAll(pipeline, run, await run.plan(makePage(from, 500)));
    }
    await ledger.close();
    for (const isDurable of [true, false]) {
      const server = await startPostgres({ isDurable });
      const access = makeSchema(server.access);
      const begin = performance.now();
      const { rows } = await copyLedger({
        folder,
        access,
        clock: systemClock,
        refuseStopped: () => undefined,
        watch: () => undefined,
      });
      const figure = {
        name: `${tasks} tasks copied to PostgreSQL ${isDurable ? 'with' : 'without'} fsync`,
        value: rows / ((performance.now() - begin) / 1000),
        unit: 'rows/s',
      };
      tellFigure(figure);
      figures.push(figure);
      await removeSchema(access);
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true });
    await project.remove();
  }
  return figures;
}
