/**
 * The spine: every command as calls to the stages in order. Source -> plan -> dispatch <-> vendors -> store -> report.
 * The only room that imports stages.
 */
import { dirname, join } from 'node:path';
import type {
  Places,
  RehearsalFlags,
  ReportFlags,
  ReportResult,
  RunFlags,
  RunResult,
  RunWatch,
  Spine,
  StatusResult,
} from './cli/spine.ts';
import { checkFiles } from './config/check.ts';
import { findFolders, type Folders, openPipeline, openPrices, reopenPipeline } from './config/open.ts';
import { makeSchemas } from './config/schema.ts';
import { type Callbacks, openCallbacks } from './dispatch/callback.ts';
import { type DispatchEnd, Dispatcher } from './dispatch/dispatcher.ts';
import { explainNoLink, makeLinker } from './dispatch/link.ts';
import type { Clock } from './domain/clock.ts';
import { conclude } from './domain/conclude.ts';
import type { EmulatorTools } from './domain/emulator.ts';
import type { Handler } from './domain/exchange.ts';
import type { Item } from './domain/item.ts';
import type { Ledger, RunLedger, RunRecord, TaskCount } from './domain/ledger.ts';
import { exitCodes, Stop, wrongUse } from './domain/problem.ts';
import type { Pipeline } from './domain/settings.ts';
import { limitItems } from './plan/limit-items.ts';
import { countLeft } from './plan/count-left.ts';
import { planTasks } from './plan/plan-tasks.ts';
import { makeUnreadNotes } from './plan/unread.ts';
import { openStage } from './rehearsal/stage.ts';
import { deriveAgain } from './report/derive-again.ts';
import { describeRun, describeServices } from './report/services.ts';
import type { ReportTally } from './report/summary.ts';
import { writeReports } from './report/write-reports.ts';
import { inspectSource } from './source/inspect.ts';
import { openSource } from './source/open-source.ts';
import { makeProber } from './source/probe.ts';
import { openArtifactFolder } from './store/artifact-folder.ts';
import { openLedger } from './store/ledger.ts';
import { openReportFolder } from './store/report-folder.ts';
import { clearState } from './store/clear-state.ts';
import { acquireRunLock, isRunLocked } from './store/run-lock.ts';
import { emulators, openEmulator } from './vendors/emulators.ts';
import { catalogue } from './vendors/index.ts';
import { openHttp } from './wire/http.ts';
import { openObjectStorage } from './wire/s3.ts';
import { serve } from './wire/server.ts';
import { makeLoopbackReader, makeUrlReader } from './wire/url-reader.ts';

/** What `main.ts` brings: all that is outside the program. */
export interface Outside {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** The folder that the program was started in. */
  readonly folder: string;
  /** The folder that holds the program's own `pipelines/` and `config/rehearsal/`. */
  readonly home: string;
  readonly version: string;
  readonly processId: number;
  /** Aborts with the name of the signal as its reason. */
  readonly stop: AbortSignal;
}

const shownBrokenRows = 20;
const shownRuns = 20;
/** One header is read in windows far below this; the bound is for servers that ignore ranges. */
const probeLimits = { maxBytes: 4 * 1024 * 1024, timeoutMs: 30_000 };
/** What a stand-in vendor downloads at most, and what our servers take at most. */
const mediaLimits = { maxBytes: 64 * 1024 * 1024, timeoutMs: 60_000 };
const callLimits = { maxBytes: 64 * 1024, timeoutMs: 10_000 };
const callbackLimits = { maxBodyBytes: 8 * 1024 * 1024, timeoutMs: 10_000 };

/** All commands. */
export function makeSpine(outside: Outside): Spine {
  return {
    catalogue: async () => catalogue,
    schemas: async () => makeSchemas(catalogue),
    check: (paths, places) => check(outside, paths, places),
    prices: (places) => prices(outside, places),
    run: (flags, places, watch) => run(outside, flags, places, watch),
    report: (selector, places, flags) => report(outside, selector, places, flags),
    status: (selector, places) => status(outside, selector, places),
    emulate: (vendor, options) =>
      openEmulator(vendor, options, { ...openStandInTools(outside), serve: serveMedia }),
    rehearse: (flags, places, watch) => rehearse(outside, flags, places, watch),
  };
}

async function check({ environment, folder }: Outside, paths: readonly string[], places: Places) {
  const { config } = await findFolders(folder, places);
  const isConfigNamed = places.config !== undefined;
  return await checkFiles({
    paths,
    folder,
    config,
    isConfigNamed,
    environment,
    catalogue,
    inspect: inspectSource,
  });
}

async function prices({ environment, folder }: Outside, places: Places) {
  const { config } = await findFolders(folder, places);
  return await openPrices({ configFolder: config, environment, catalogue });
}

/** The main job: list, plan, dispatch, report; it goes on wherever an earlier session stopped. */
async function run(outside: Outside, flags: RunFlags, places: Places, watch: RunWatch): Promise<RunResult> {
  const { environment, clock, stop, processId } = outside;
  const pipeline = await openPipeline({
    path: flags.path,
    configFolder: places.config,
    environment,
    catalogue,
  });
  await inspectSource(pipeline);
  const folders = await findFolders(dirname(pipeline.path), places);
  const holder = { pid: processId, startedAt: new Date(clock.now()).toISOString() };
  const releaseLock = await acquireRunLock(folders.state, pipeline.name, holder);
  try {
    return await withLedger(folders, clock, async (ledger) => {
      const { startNew, resumeAnyAge, failOn } = flags;
      const billing = new Map(pipeline.services.map(({ account }) => [account.name, account.billing]));
      const opened = await ledger.openRun({ pipeline, nowMs: clock.now(), startNew, resumeAnyAge, billing });
      watch.begun(opened.record, opened.isResumed);
      const { halts, feedError } = await dispatch(outside, {
        pipeline,
        folders,
        opened,
        tasksBefore: await ledger.countTasks(opened.record.id),
        flags,
        watch,
      });
      const sourceTrouble = feedError === undefined ? undefined : explainSource(feedError);
      const signal = stop.aborted ? (stop.reason as 'SIGINT' | 'SIGTERM') : undefined;
      const end = (tally: ReportTally) => {
        const conclusion = conclude({ ...tally, signal, halts, sourceTrouble, failOn });
        return opened.end({ ...conclusion, atMs: clock.now() });
      };
      const record = await findRun(ledger, opened.record.id);
      const reported = await writeRunReports(outside, { pipeline, folders, ledger, run: record }, end);
      const exitCode = reported.run.exitCode ?? exitCodes.ourMistake;
      return { ...reported, exitCode, halts, sourceTrouble: sourceTrouble?.message };
    });
  } finally {
    releaseLock();
  }
}

async function withLedger<Value>(
  folders: Folders,
  clock: Clock,
  use: (ledger: Ledger) => Promise<Value>,
): Promise<Value> {
  const ledger = await openLedger({ folder: folders.state, clock });
  try {
    return await use(ledger);
  } finally {
    await ledger.close();
  }
}

/** A source that could not be read to its end: what was planned by then was carried out all the same. */
function explainSource(error: unknown) {
  if (error instanceof Stop) return { message: error.message, exitCode: error.exitCode };
  throw error;
}

interface Dispatching {
  readonly pipeline: Pipeline;
  readonly folders: Folders;
  readonly opened: RunLedger;
  /** What an earlier session of the run has planned. */
  readonly tasksBefore: readonly TaskCount[];
  readonly flags: RunFlags;
  readonly watch: RunWatch;
}

/** Reads the source, plans its items and dispatches their tasks, all at once and within bounds. */
async function dispatch(outside: Outside, parts: Dispatching): Promise<DispatchEnd> {
  const { pipeline, folders, opened, tasksBefore, flags, watch } = parts;
  const { clock, stop } = outside;
  const { source, access, services, deadlines, resendBelow } = pipeline;
  const allowPrivateAddresses = source.form === 'csv' && source.allowPrivateAddresses;
  const storage = openObjectStorage(pipeline.storages, { nowMs: () => clock.now() });
  const urlReader = makeUrlReader({ ...probeLimits, allowPrivateAddresses });
  const http = openHttp({
    connections: Math.max(...services.map(({ account }) => account.limits.concurrency)),
  });
  const counters = { asked: 0, answered: 0, failed: 0, held: 0, repeated: 0 };
  // A bucket is listed on from where an earlier session came to; a manifest is read from its beginning.
  const listedBefore = opened.checkpoint === undefined ? 0 : opened.record.counters.items;
  const planned = { listed: listedBefore, planned: countLeft(tasksBefore, opened), isListed: false };
  const probe = makeProber({ storage, urlReader });
  const noteUnread = makeUnreadNotes(watch.log);
  const feed = () => {
    const pages = openSource(pipeline, { storage, nowMs: clock.now() }, opened.checkpoint);
    const limited = limitItems(pages, flags.limit === undefined ? undefined : flags.limit - listedBefore);
    const explain = (item: Item) => explainNoLink(item, access);
    return planTasks(limited, {
      pipeline,
      run: opened,
      probe,
      explainNoLink: explain,
      counters: planned,
      noteUnread,
    });
  };
  const link = makeLinker(access, storage);
  const artifacts = openArtifactFolder(folders.out, pipeline.name);
  const hookUrl: Callbacks['hookUrl'] = (account) => callbacks.hookUrl(account);
  const { log } = watch;
  const dispatcher = new Dispatcher({
    bench: {
      clock,
      http,
      run: opened,
      link,
      artifacts,
      log,
      deadlines,
      resendBelow,
      hookUrl,
      counters,
      stop,
    },
    services,
    feed,
    isRereadable: source.form === 'bucket',
    graceMs: flags.graceMs,
  });
  const hint = dispatcher.hint.bind(dispatcher);
  const callbacks = await openCallbacks({ services, run: opened.record.id, serve: serveCallbacks, hint });
  watch.follow(() => ({ ...planned, ...counters, atVendor: dispatcher.openJobs }));
  try {
    return await dispatcher.run();
  } finally {
    await Promise.all([callbacks.close(), http.close(), urlReader.close()]);
    storage.close();
  }
}

const serveCallbacks = (handler: Handler, address: { readonly host: string; readonly port: number }) =>
  serve(handler, { ...callbackLimits, ...address });

const serveMedia = (handler: Handler, address?: { readonly host: string; readonly port: number }) =>
  serve(handler, { maxBodyBytes: mediaLimits.maxBytes, timeoutMs: mediaLimits.timeoutMs, ...address });

/** The reports of a run, from the ledger alone; `end` draws the conclusion of a run that ends now. */
async function writeRunReports(
  { version }: Outside,
  parts: {
    readonly pipeline: Pipeline;
    readonly folders: Folders;
    readonly ledger: Ledger;
    readonly run: RunRecord;
  },
  end?: (tally: ReportTally) => Promise<RunRecord>,
): Promise<ReportResult> {
  const { pipeline, folders, ledger, run } = parts;
  const { access, policy, reports } = pipeline;
  const folder = openReportFolder(folders.out, pipeline.name, run.id);
  const written = await writeReports({
    run,
    services: describeServices(pipeline),
    policy,
    reports,
    publicBaseUrl: access.mode === 'public' ? access.baseUrl : undefined,
    prices: pipeline.prices,
    ledger,
    folder,
    conclude: end,
    facts: describeRun(pipeline, version),
  });
  await folder.markLatest();
  return { ...written, broken: await ledger.readBroken(run.id, shownBrokenRows), folder: folder.path };
}

async function report(
  outside: Outside,
  selector: string,
  places: Places,
  { derivesAgain }: ReportFlags = {},
): Promise<ReportResult> {
  const { environment, clock, folder } = outside;
  const folders = await findFolders(folder, places);
  return await withLedger(folders, clock, async (ledger) => {
    const run = await findRun(ledger, selector);
    const { pipeline: name, written } = run;
    const configFolder = places.config;
    const pipeline = await reopenPipeline({ name, written, folders, configFolder, environment, catalogue });
    const derived = derivesAgain ? await readAgain(outside, pipeline, ledger, run) : undefined;
    return { ...(await writeRunReports(outside, { pipeline, folders, ledger, run })), derived };
  });
}

/** Findings from the archive; links are made to tell the elements of a batch apart, and fetched by nobody. */
async function readAgain({ clock }: Outside, pipeline: Pipeline, ledger: Ledger, run: RunRecord) {
  const storage = openObjectStorage(pipeline.storages, { nowMs: () => clock.now() });
  const makeLink = makeLinker(pipeline.access, storage);
  const link = async (item: Item) => {
    const made = await makeLink(item);
    return made && 'url' in made ? made.url : undefined;
  };
  try {
    return await deriveAgain({ ledger, run: run.id, services: pipeline.services, link });
  } finally {
    storage.close();
  }
}

async function findRun(ledger: Ledger, selector: string): Promise<RunRecord> {
  const run = await ledger.findRun(selector);
  if (run) return run;
  throw wrongUse(`run "${selector}": there is no such run in this ledger. \`mediasweep status\` lists them.`);
}

async function status(
  outside: Outside,
  selector: string | undefined,
  places: Places,
): Promise<readonly StatusResult[]> {
  const { clock, folder, environment } = outside;
  const folders = await findFolders(folder, places);
  const book = await openPrices({ configFolder: folders.config, environment, catalogue });
  return await withLedger(folders, clock, async (ledger) => {
    const runs =
      selector === undefined ? await ledger.listRuns(shownRuns) : [await findRun(ledger, selector)];
    const look = async (found: RunRecord): Promise<StatusResult> => ({
      run: found,
      isAlive: found.state === 'running' && (await isRunLocked(folders.state, found.pipeline)),
      tasks: await ledger.countTasks(found.id),
      bill: await ledger.readBill(found.id, book),
    });
    return await Promise.all(runs.map(look));
  });
}

/** What stand-in vendors have of the outside: media from loopback addresses, and callbacks to where they are told. */
function openStandInTools({ clock }: Outside) {
  const reader = makeLoopbackReader(mediaLimits);
  const http = openHttp({ connections: 8 });
  const callBack: EmulatorTools['callBack'] = async (url, headers, body) => {
    const sent = await http.send({ method: 'POST', url, headers, body }, callLimits);
    return sent.phase === 'answered' ? sent.reply.status : undefined;
  };
  return { clock, reader, callBack };
}

/** The whole main job against stand-ins on loopback, with the embedded store and a state of its own. */
async function rehearse(
  outside: Outside,
  { faults, graceMs }: RehearsalFlags,
  places: Places,
  watch: RunWatch,
): Promise<RunResult> {
  const { clock, home, folder, environment } = outside;
  const folders = await findFolders(folder, places);
  const stage = await openStage({ ...openStandInTools(outside), serve: serveMedia, emulators, faults });
  try {
    const path = join(home, 'pipelines', 'rehearsal.yaml');
    const config = places.config ?? join(home, 'config', 'rehearsal');
    // The stand-ins begin with nothing, and so does the ledger: an earlier rehearsal's jobs died with its vendors.
    const state = join(folders.state, 'rehearsal');
    await clearState(state, 'rehearsal', {
      pid: outside.processId,
      startedAt: new Date(clock.now()).toISOString(),
    });
    const staged = { ...outside, environment: { ...environment, ...stage.environment } };
    return await run(staged, { path, graceMs, startNew: true }, { config, state, out: folders.out }, watch);
  } finally {
    await stage.close();
  }
}
