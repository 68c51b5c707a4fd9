/** Commands that compare, out of the ledger alone: a run under two policies, and two runs. */
import { resolve } from 'node:path';
import type { DiffResult, JudgeResult, Places, RowOutput } from '../cli/spine.ts';
import { findFolders } from '../config/open.ts';
import type { Ledger, RunRecord } from '../domain/ledger.ts';
import { wrongUse } from '../domain/problem.ts';
import type { ReportSettings } from '../domain/settings.ts';
import { differenceColumns, diffRuns } from '../report/diff.ts';
import { flipColumns, judgeRun } from '../report/judge.ts';
import { makeCsvStream, makeJsonStream, type RowStream } from '../report/row-stream.ts';
import type { Column } from '../report/table/column.ts';
import { writeFileAside } from '../store/atomic-file.ts';
import { findRun, requireWhole, withLedger } from './ledger.ts';
import type { Outside } from './outside.ts';
import { reopen, reopenWithPolicy } from './reopen.ts';

/** Applies another policy to the stored answers of a run. */
export async function judge(
  outside: Outside,
  selector: string,
  policyFile: string,
  places: Places,
  output: RowOutput,
): Promise<JudgeResult> {
  const { folder } = outside;
  const folders = await findFolders(folder, places);
  return await withLedger(folders, outside, async (ledger) => {
    const run = requireWhole(await findRun(ledger, selector));
    const reopening = { run, folders, places };
    const { policy, reports } = await reopen(outside, reopening);
    const { policy: other, warnings } = await reopenWithPolicy(outside, reopening, policyFile);
    const { show } = output;
    const judged = await withStreams(outside, output, reports, flipColumns, 'flips', (streams) =>
      judgeRun({ ledger, run: run.id, policy, other, streams, show, stop: outside.stop }),
    );
    return { ...judged, run, policies: { from: policy.name, to: other.name }, warnings };
  });
}

/** Compares two runs, each as its own pipeline judges it. */
export async function diff(
  outside: Outside,
  selectors: { readonly before?: string | undefined; readonly after: string },
  movedBy: number,
  places: Places,
  output: RowOutput,
): Promise<DiffResult> {
  const { folder } = outside;
  const folders = await findFolders(folder, places);
  return await withLedger(folders, outside, async (ledger) => {
    const after = requireWhole(await findRun(ledger, selectors.after));
    const before = requireWhole(
      selectors.before === undefined
        ? await findRunBefore(ledger, after)
        : await findRun(ledger, selectors.before),
    );
    const earlier = await reopen(outside, { run: before, folders, places });
    const later = await reopen(outside, { run: after, folders, places });
    const { show } = output;
    const diffed = await withStreams(
      outside,
      output,
      later.reports,
      differenceColumns,
      'differences',
      (streams) =>
        diffRuns({
          ledger,
          before: { run: before, policy: earlier.policy },
          after: { run: after, policy: later.policy },
          prices: later.prices,
          movedBy,
          streams,
          show,
          stop: outside.stop,
        }),
    );
    return { ...diffed, before, after };
  });
}

async function findRunBefore(ledger: Ledger, { id, pipeline }: RunRecord): Promise<RunRecord> {
  const found = await ledger.findPrevious(id);
  if (found) return found;
  throw wrongUse(
    `diff ${id}: expected an earlier run of "${pipeline}" that was listed to its end, found none. Name two runs; \`mediasweep status\` lists them.`,
  );
}

/** A file is written as the pipeline's reports are; what goes down a pipe is for programs, and exact. */
async function withStreams<Row, Value>(
  { folder }: Outside,
  { csv, isJson, stdout }: RowOutput,
  { excel }: ReportSettings,
  columns: readonly Column<Row>[],
  name: string,
  use: (streams: readonly RowStream<Row>[]) => Promise<Value>,
): Promise<Value> {
  const json = isJson ? [makeJsonStream(stdout, columns, name)] : [];
  if (csv === undefined) return await use(json);
  if (csv === '-') return await use([...json, makeCsvStream(stdout, columns, 'exact')]);
  let value: { readonly is: Value } | undefined;
  await writeFileAside(resolve(folder, csv), async (sink) => {
    value = { is: await use([...json, makeCsvStream(sink, columns, excel ? 'people' : 'exact')]) };
  });
  if (!value) throw new Error(`file "${csv}" was written, and nothing came of it`);
  return value.is;
}
