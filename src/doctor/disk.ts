/** Looks whether ledger and reports have room for what the pipeline is about to do. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import { exitCodes } from '../domain/problem.ts';
import { formatCount, formatSize } from '../domain/quantity.ts';
import type { DiskHistory, DoctorTools } from './tools.ts';

/** In the ledger and in the reports, measured over 20,000 answers of pai/image-quality (2026-11-20); others are longer. */
const ledgerBytesATask = 1100;
const reportBytesATask = 1000;
/** What is told where nothing ran yet. */
const tasksOfStrangers = 1_000_000;
/** Of a ledger with fewer, what is there once, and items that no service takes, say nothing of a task. */
const tellingTasks = 10_000;
const tooLittleBytes = 100 * 1024 ** 2;

/** The folder with least room counts. */
export async function examineDisk(
  folders: readonly string[],
  { readFreeBytes, readHistory }: Pick<DoctorTools, 'readFreeBytes' | 'readHistory'>,
): Promise<readonly Diagnosis[]> {
  const found = await Promise.all(
    folders.map(async (folder) => ({ folder, free: await readFreeBytes(folder) })),
  );
  const [least] = found
    .flatMap(({ folder, free }) => (free === undefined ? [] : [{ folder, free }]))
    .sort((a, b) => a.free - b.free);
  const subject = 'disk';
  if (least === undefined) return [{ level: 'warn', subject, message: 'nobody tells how much room is left' }];
  const free = `${formatSize(least.free)} free at ${least.folder}`;
  const history = await readHistory();
  const tasks = history?.latestTasks ?? tasksOfStrangers;
  const needs = estimateNeed(tasks, history);
  const asWhat =
    history?.latestTasks === undefined
      ? `a run of ${formatCount(tasks)} tasks`
      : `a run like the last one (${formatCount(tasks)} tasks)`;
  const message = `${free}; ${asWhat} needs about ${formatSize(needs)}`;
  if (least.free >= 2 * needs) return [{ level: 'ok', subject, message }];
  const isTooLittle = least.free < (history?.latestTasks === undefined ? tooLittleBytes : needs);
  const advice = `${message}. Make room (\`mediasweep ledger prune\` drops old runs), or set --state and --out.`;
  if (!isTooLittle) return [{ level: 'warn', subject, message: advice }];
  return [{ level: 'fail', subject, message: advice, exitCode: exitCodes.wrongUse }];
}

/** The ledger grows, a copy of it is made, and reports are written. Answers are as long as this ledger's were, if it
 * holds enough of them. */
function estimateNeed(tasks: number, history: DiskHistory | undefined): number {
  const { ledgerBytes = 0, tasks: known = 0 } = history ?? {};
  const each = Math.max(ledgerBytesATask, known < tellingTasks ? 0 : ledgerBytes / known);
  const growth = tasks * each;
  return Math.round(growth + (ledgerBytes + growth) + tasks * reportBytesATask);
}
