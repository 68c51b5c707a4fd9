/** The pipeline of a run in the ledger: as it was written then, with policies, prices and accounts as they are now. */
import type { Places } from '../cli/spine.ts';
import { type Folders, openOtherPolicy, reopenPipeline } from '../config/open.ts';
import type { RunRecord } from '../domain/ledger.ts';
import { Stop } from '../domain/problem.ts';
import type { Pipeline } from '../domain/settings.ts';
import { catalogue } from '../vendors/index.ts';
import type { Outside } from './outside.ts';
import type { Session } from './session.ts';

interface Reopening {
  readonly run: Pick<RunRecord, 'pipeline' | 'written'>;
  readonly folders: Folders;
  readonly places: Places;
  /** True where vendors are to be called after all. */
  readonly needsCredentials?: boolean | undefined;
  /** True where it is judged and told as its file says today. */
  readonly isToldAsToday?: boolean | undefined;
}

/** Throws a `Stop` (exit 2) with every problem where it is not in order any more. */
export function reopen(
  { environment }: Outside,
  { run: { pipeline: name, written }, folders, places, needsCredentials, isToldAsToday }: Reopening,
): Promise<Pipeline> {
  const configFolder = places.config;
  const request = { name, written, folders, configFolder, environment, catalogue };
  return reopenPipeline({ ...request, needsCredentials, isToldAsToday });
}

/** Another policy for the run's pipeline; throws as `reopen` does. */
export function reopenWithPolicy(
  { environment }: Outside,
  { run: { pipeline: name, written }, folders, places }: Reopening,
  policyFile: string,
): ReturnType<typeof openOtherPolicy> {
  const configFolder = places.config;
  return openOtherPolicy({ name, written, folders, configFolder, environment, catalogue, policyFile });
}

/** `undefined` where it is not in order any more. */
export async function tryReopen(outside: Outside, reopening: Reopening): Promise<Pipeline | undefined> {
  try {
    return await reopen(outside, reopening);
  } catch (error) {
    if (error instanceof Stop) return undefined;
    throw error;
  }
}

/** The pipeline of an earlier run, to end what it left open; what is booked for it is billed as its accounts say. */
export async function reopenFormer(
  outside: Outside,
  { folders, places, opened }: Session,
  run: RunRecord,
): Promise<Pipeline | undefined> {
  const pipeline = await tryReopen(outside, { run, folders, places, needsCredentials: true });
  for (const { account } of pipeline?.services ?? []) {
    await opened.addBilling(account.name, account.billing);
  }
  return pipeline;
}
