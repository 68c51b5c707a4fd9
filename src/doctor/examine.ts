/** Looks at everything that a pipeline needs of the world, without one paid call. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Pipeline } from '../domain/settings.ts';
import { examineAccount } from './account.ts';
import { examineCallback } from './callback.ts';
import { examineDisk } from './disk.ts';
import { examineLinks } from './link.ts';
import { examineOutput } from './output.ts';
import { examineStorage } from './storage.ts';
import type { DoctorTools } from './tools.ts';

/** One diagnosis or more for each storage, the links, each account, its callbacks, and the disk. Never throws for trouble. */
export async function examine(
  pipeline: Pipeline,
  folders: readonly string[],
  tools: DoctorTools,
): Promise<readonly Diagnosis[]> {
  const accounts = [...new Set(pipeline.services.map(({ account }) => account))];
  const calledBack = new Set(
    pipeline.services.filter(({ delivery }) => delivery === 'callback').map(({ account }) => account),
  );
  const { diagnoses, item } = await examineStorage(pipeline, tools);
  const parts = [
    examineLinks(pipeline, item, tools),
    ...accounts.map((account) => examineAccount(account, tools)),
    ...[...calledBack].map((account) => examineCallback(account, tools)),
    examineDisk(folders, tools),
    examineOutput(tools),
  ];
  const looked = await Promise.all(parts);
  return [...diagnoses, ...looked.flat()];
}
