/** What one session of a run is about: the pipeline, the ledger, the run that was opened in it, and who watches. */
import type { Places, RunFlags, RunWatch } from '../cli/spine.ts';
import type { Folders } from '../config/open.ts';
import type { Ledger, RunLedger, TaskCount } from '../domain/ledger.ts';
import type { PaceOffice } from '../domain/pace.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { Output } from './output.ts';

export interface Session {
  readonly pipeline: Pipeline;
  readonly folders: Folders;
  readonly ledger: Ledger;
  readonly opened: RunLedger;
  /** What an earlier session of the run has planned. */
  readonly tasksBefore: readonly TaskCount[];
  readonly places: Places;
  readonly output: Output;
  /** Where limits are shared with other processes. */
  readonly pace: PaceOffice;
  /** False while others may think this process dead, and take up what it has in hand; always true if absent. */
  readonly mayCall?: (() => boolean) | undefined;
  /** Whether another process has taken the pipeline over, so that nothing of the run is ours any more. */
  readonly isLost?: (() => boolean) | undefined;
  /** Whether a living process is at work on a run of that pipeline. */
  readonly isAtWork: (pipeline: string) => Promise<boolean>;
  /** Aborts when nothing more may be begun. */
  readonly deadline: AbortSignal;
  readonly flags: RunFlags;
  readonly watch: RunWatch;
}

/** True where the ledger holds all that a task needs; false where links may stand in the source only. */
export function isRereadable({ pipeline }: Session): boolean {
  return pipeline.source.form === 'bucket';
}
