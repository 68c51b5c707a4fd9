/** The main job: list, plan, dispatch, report; it goes on wherever an earlier session stopped. */
import { dirname } from 'node:path';
import type { Places, RunFlags, RunResult, RunWatch } from '../cli/spine.ts';
import { hashParts } from '../config/fingerprint.ts';
import { type Folders, findFolders, openPipeline } from '../config/open.ts';
import { openDeadline } from '../dispatch/deadline.ts';
import { waitForLock } from '../dispatch/lock-wait.ts';
import { conclude } from '../domain/conclude.ts';
import type { Ledger } from '../domain/ledger.ts';
import { Stop, exitCodes, wrongUse } from '../domain/problem.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { ReportTally } from '../report/summary.ts';
import { inspectSource } from '../source/inspect.ts';
import { acquireRunLock, isRunLocked } from '../store/run-lock.ts';
import { catalogue } from '../vendors/index.ts';
import { explainLost, type PipelineClaim } from '../cluster/run-claim.ts';
import { type Cluster, withCluster } from './cluster.ts';
import type { SessionEnd } from './canary.ts';
import { accompany } from './companion.ts';
import { dispatch } from './dispatch.ts';
import { backUp, findRun, requireWhole, withLedger } from './ledger.ts';
import { openMetrics } from './metrics.ts';
import { openNotifier } from './notify.ts';
import { type Output, withOutput } from './output.ts';
import type { Outside } from './outside.ts';
import { holdToPlan } from './plan.ts';
import { writeRunReports } from './report.ts';
import type { Session } from './session.ts';
import { dispatchShards, settleFormer } from './shards.ts';

/** The main job: list, plan, dispatch, report; it goes on wherever an earlier session stopped. */
export async function run(
  outside: Outside,
  flags: RunFlags,
  places: Places,
  watch: RunWatch,
): Promise<RunResult> {
  const { environment } = outside;
  const pipeline = await openPipeline({
    path: flags.path,
    configFolder: places.config,
    environment,
    catalogue,
    runCap: flags.cap,
  });
  const { metricsFile } = flags;
  const companions = [
    ...(pipeline.notify.length === 0 ? [] : [openNotifier(outside, pipeline, watch.log)]),
    ...(metricsFile === undefined ? [] : [await openMetrics(outside, pipeline.name, metricsFile, watch.log)]),
  ];
  return await accompany(companions, watch, async (watched) => {
    await inspectSource(pipeline);
    const folders = await findFolders(dirname(pipeline.path), places);
    return await withOutput(outside, { pipeline, folders, places }, async (output) => {
      await output.tryWriting();
      return await withCluster(outside, folders, watched.log, (cluster) =>
        runPipeline(outside, { pipeline, folders, flags, places, output, cluster, watch: watched }),
      );
    });
  });
}

interface Running {
  readonly pipeline: Pipeline;
  readonly folders: Folders;
  readonly flags: RunFlags;
  readonly places: Places;
  readonly output: Output;
  readonly cluster: Cluster | undefined;
  readonly watch: RunWatch;
}

async function runPipeline(outside: Outside, running: Running): Promise<RunResult> {
  const { pipeline, folders, flags, places, output, cluster, watch } = running;
  const { clock, stop, processId } = outside;
  const holder = { pid: processId, startedAt: new Date(clock.now()).toISOString() };
  const deadline = openDeadline(clock, { until: flags.until, runMs: pipeline.deadlines.runMs });
  const tools = { clock, stop, deadline, log: watch.log };
  const isShared = cluster?.settings.shards !== undefined || cluster?.settings.ledger !== undefined;
  let claim: PipelineClaim | undefined;
  const takeLock = async () => {
    const release = await acquireRunLock(folders.state, pipeline.name, holder);
    if (!cluster || !isShared) return async () => release();
    try {
      const claimed = await cluster.claimPipeline(pipeline.name);
      claim = claimed;
      return async () => {
        release();
        await claimed.giveBack();
      };
    } catch (error) {
      release();
      throw error;
    }
  };
  const releaseLock = flags.waits === true ? await waitForLock(takeLock, tools) : await takeLock();
  try {
    const isThreaded = true;
    const useLedger = async (ledger: Ledger) => {
      const { startNew, resumeAnyAge, isFresh, limit, failOn } = flags;
      const billing = new Map(pipeline.services.map(({ account }) => [account.name, account.billing]));
      const onlyFailed = await findTroubledRun(ledger, flags.onlyFailed, pipeline);
      const scope = { startNew, resumeAnyAge, isFresh, limit, onlyFailed };
      const plan = await holdToPlan(outside, { pipeline, folders, flags, watch });
      // Whoever takes up failures has asked for these very tasks.
      const canary = onlyFailed === undefined ? pipeline.canary : undefined;
      const terms = { plan, canary, pricesHash: hashParts(pipeline)['prices'] };
      const opened = await ledger.openRun({ pipeline, nowMs: clock.now(), ...scope, billing, ...terms });
      watch.begun(opened.record, opened.isResumed);
      const world = { pipeline, folders, places, ledger, opened, output };
      const isLocked = (name: string) => isRunLocked(folders.state, name);
      const isAtWork = cluster && isShared ? (name: string) => cluster.isAtWork(name, ledger) : isLocked;
      const pace = cluster?.sharePace() ?? opened.sharePace({ clock, isAlive: isLocked });
      const tasksBefore = await ledger.countTasks(opened.record.id);
      const { lost } = claim ?? {};
      const isHeard = () => cluster?.presence.isHeard() === true && lost?.aborted !== true;
      const mayCall = isShared ? isHeard : undefined;
      const session = {
        ...world,
        pace,
        mayCall,
        isLost: () => lost?.aborted === true,
        isAtWork,
        tasksBefore,
        flags,
        watch,
        deadline: lost ? AbortSignal.any([deadline.signal, lost]) : deadline.signal,
      };
      const { halts, feedError, canaryStop } = await dispatchAs(outside, session, cluster);
      if (lost?.aborted === true) throw explainLost(pipeline.name);
      const sourceTrouble = feedError === undefined ? undefined : explainSource(feedError);
      const signal = stop.aborted ? (stop.reason as 'SIGINT' | 'SIGTERM') : undefined;
      const record = await findRun(ledger, opened.record.id);
      const end = async (tally: ReportTally) => {
        const acknowledged = await ledger.countAcknowledged(opened.record.id);
        const isCut = tally.counts.open > 0 || record.listing === 'partial';
        const ending = { signal, halts, sourceTrouble, failOn, acknowledged, canaryStop };
        const conclusion = conclude({
          ...tally,
          ...ending,
          deadline: isCut ? deadline.reached() : undefined,
        });
        return opened.end({ ...conclusion, atMs: clock.now() });
      };
      const reported = await writeRunReports(outside, { ...world, run: record }, end);
      await backUp(outside, folders, watch.log, flags.backUpEveryMs);
      const exitCode = reported.run.exitCode ?? exitCodes.ourMistake;
      return { ...reported, exitCode, halts, sourceTrouble: sourceTrouble?.message };
    };
    return await withLedger(folders, outside, useLedger, { isThreaded, log: watch.log });
  } finally {
    await releaseLock();
    deadline.close();
  }
}

/** By workers where there are shards; by this process alone where nobody else, nor a second time, can read the source. */
async function dispatchAs(
  outside: Outside,
  session: Session,
  cluster: Cluster | undefined,
): Promise<SessionEnd> {
  const shards = cluster?.settings.shards;
  if (!cluster || !shards) return await dispatch(outside, session);
  const { source } = session.pipeline;
  if (!('path' in source) || source.path !== '-') {
    return await dispatchShards(outside, session, cluster, shards.tasks);
  }
  session.watch.log.info(
    'workers cannot read standard input, and links are not stored: this process makes all calls, and no worker does',
  );
  await settleFormer(outside, session, cluster, true);
  return await dispatch(outside, session);
}

/** The id of the run whose failed and held tasks are taken up; an unfinished one that does so itself is gone on with. */
async function findTroubledRun(
  ledger: Ledger,
  selector: string | undefined,
  { name }: Pipeline,
): Promise<string | undefined> {
  if (selector === undefined) return undefined;
  const { id, pipeline, state, onlyFailed } = requireWhole(await findRun(ledger, selector));
  if (pipeline !== name) {
    throw wrongUse(
      `--only-failed ${selector}: expected a run of pipeline "${name}", found run "${id}" of "${pipeline}". \`mediasweep status ${name}\` lists its runs.`,
    );
  }
  return onlyFailed !== undefined && (state === 'running' || state === 'stopped') ? onlyFailed : id;
}

/** A source that could not be read to its end: what was planned by then was carried out all the same. */
function explainSource(error: unknown) {
  if (error instanceof Stop) return { message: error.message, exitCode: error.exitCode };
  throw error;
}
