/** Looks whether reports can be written where they are to go, where that is a bucket. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { DoctorTools } from './tools.ts';
import { describeFailure } from './failure.ts';

export async function examineOutput({ output }: Pick<DoctorTools, 'output'>): Promise<readonly Diagnosis[]> {
  if (!output) return [];
  const subject = 'reports';
  try {
    await output.tryWriting();
    return [{ level: 'ok', subject, message: `${output.name} can be written` }];
  } catch (error) {
    return [describeFailure(subject, error)];
  }
}
