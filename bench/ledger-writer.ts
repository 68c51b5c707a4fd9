/**
 * Writes a ledger in a process of its own: `FOLDER PIPELINE TASKS GROUP [ACCESS]`. Plans so many tasks, says so, and when it
 * is told to begin, intends and answers them in groups; over PostgreSQL where ACCESS is given as JSON, else over the file in
 * the folder. Tells its parent how long that took, and the processor time of it.
 */
import { join } from 'node:path';
import type { PostgresAccess } from '../src/domain/postgres.ts';
import type { Task } from '../src/domain/task.ts';
import { openLedger } from '../src/store/ledger.ts';
import { openPostgresLedger } from '../src/store/postgres-ledger.ts';
import { systemClock } from '../src/wire/clock.ts';
import { answerAll, openBenchPipeline } from './filled-ledger.ts';
import { makePage } from './ledger.ts';

/** What one process took, in seconds. */
export interface Written {
  readonly planned: number;
  readonly answered: number;
  /** Processor time of this process while it answered. */
  readonly cpu: number;
}

const [folder = '', name = '', tasks = '', group = '', access] = process.argv.slice(2);
const pipeline = { ...(await openBenchPipeline(folder)), name, path: join(folder, `${name}.yaml`) };
const ledger =
  access === undefined
    ? await openLedger({ folder: join(folder, 'state'), clock: systemClock })
    : await openPostgresLedger({ access: JSON.parse(access) as PostgresAccess, clock: systemClock });
const run = await ledger.openRun({ pipeline, nowMs: Date.now(), billing: new Map() });
const planned: Task[] = [];
const beginPlan = performance.now();
for (let from = 0; from < Number(tasks); from += 500) {
  planned.push(...(await run.plan(makePage(from, 500, `${name}-`))));
}
const plannedIn = (performance.now() - beginPlan) / 1000;
process.send?.('ready');
await new Promise((resolve) => process.once('message', resolve));
const cpuBefore = process.cpuUsage();
const begin = performance.now();
await answerAll(pipeline, run, planned, Number(group));
const answered = (performance.now() - begin) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
await ledger.close();
const written: Written = { planned: plannedIn, answered, cpu: (user + system) / 1e6 };
process.send?.(written);
process.disconnect();
