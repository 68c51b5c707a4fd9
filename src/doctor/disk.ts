/** Looks whether ledger and reports have room. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import { exitCodes } from '../domain/problem.ts';
import { formatSize } from '../domain/quantity.ts';
import type { DoctorTools } from './examine.ts';

/** About a million tasks with their answers and reports. */
const littleBytes = 2 * 1024 ** 3;
const tooLittleBytes = 100 * 1024 ** 2;

/** The folder with least room counts. */
export async function examineDisk(
  folders: readonly string[],
  { readFreeBytes }: Pick<DoctorTools, 'readFreeBytes'>,
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
  if (least.free >= littleBytes) return [{ level: 'ok', subject, message: free }];
  const message = `${free}; a run of a million tasks needs about ${formatSize(littleBytes)}. Make room, or set --state and --out.`;
  if (least.free >= tooLittleBytes) return [{ level: 'warn', subject, message }];
  return [{ level: 'fail', subject, message, exitCode: exitCodes.wrongUse }];
}
