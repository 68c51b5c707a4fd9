/** A run's result, or what a report of it says: what both are printed from. */
import type { ReportResult, RunResult } from '../spine.ts';

export type Reported = ReportResult & Partial<Pick<RunResult, 'halts' | 'sourceTrouble'>>;

/** For `--json`: `summary.json`, and what else a script may want to know. */
export function describeReported(reported: Reported): unknown {
  const { summary, folder, files, halts, sourceTrouble, causes, skips, broken, derived } = reported;
  return {
    ...summary,
    folder,
    files,
    halts,
    sourceTrouble,
    failures: causes,
    skips,
    brokenRows: broken,
    derived,
  };
}
