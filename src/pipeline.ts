/**
 * The spine: every command as calls to the stages in order. Source -> plan -> dispatch <-> vendors -> store -> report.
 * The only room that imports stages.
 */
import { setMaxListeners } from 'node:events';
import { dirname, join, resolve } from 'node:path';
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
import { checkFiles, listPipelines } from './config/check.ts';
import { findFolders, type Folders, openPipeline, openPrices, reopenPipeline } from './config/open.ts';
import { makeSchemas } from './config/schema.ts';
import { type Callbacks, openCallbacks } from './dispatch/callback.ts';
import { openDeadline } from './dispatch/deadline.ts';
import { type DispatchEnd, Dispatcher } from './dispatch/dispatcher.ts';
import { makeUseFinder } from './dispatch/former-use.ts';
import { waitForLock } from './dispatch/lock-wait.ts';
import { explainNoLink, findLongest, makeLinker } from './dispatch/link.ts';
import { examine } from './doctor/examine.ts';
import type { Clock } from './domain/clock.ts';
import { conclude } from './domain/conclude.ts';
import type { Diagnosis } from './domain/diagnosis.ts';
import type { EmulatorTools } from './domain/emulator.ts';
import type { Handler } from './domain/exchange.ts';
import type { Item, SourcePage } from './domain/item.ts';
import type { Ledger, Pruned, RunLedger, RunRecord, TaskCount } from './domain/ledger.ts';
import type { Log } from './domain/log.ts';
import { exitCodes, Stop, wrongUse } from './domain/problem.ts';
import type { Account, Pipeline } from './domain/settings.ts';
import { limitItems } from './plan/limit-items.ts';
import { countLeft } from './plan/count-left.ts';
import { pickTroubled, readTroubled } from './plan/pick-troubled.ts';
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
import { backUpLedger, refuseRuns, restoreLedger } from './store/backup.ts';
import { readFreeBytes } from './store/free-space.ts';
import { openLedger } from './store/ledger.ts';
import { openReportFolder } from './store/report-folder.ts';
import { clearState } from './store/clear-state.ts';
import { acquireRunLock, isRunLocked } from './store/run-lock.ts';
import { emulators, openEmulator } from './vendors/emulators.ts';
import { catalogue } from './vendors/index.ts';
import { openHttp } from './wire/http.ts';
import { resolveHost } from './wire/resolve-host.ts';
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
  readonly standardInput: AsyncIterable<unknown>;
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
    doctor: (path, places) => doctor(outside, path, places),
    prices: (places) => prices(outside, places),
    run: (flags, places, watch) => run(outside, flags, places, watch),
    report: (selector, places, flags) => report(outside, selector, places, flags),
    status: (selector, places) => status(outside, selector, places),
    listHeld: (selection, places) => withLedgerOf(outside, places, (ledger) => ledger.listHeld(selection)),
    settleHeld: (selection, how, places) =>
      withLedgerOf(outside, places, (ledger) => ledger.settleHeld(selection, how)),
    listFailed: (selection, places) =>
      withLedgerOf(outside, places, (ledger) => ledger.listFailed(selection)),
    acknowledgeFailed: (selection, places) =>
      withLedgerOf(outside, places, (ledger) => ledger.acknowledgeFailed(selection)),
    pruneLedger: (keepMs, places) => pruneLedger(outside, keepMs, places),
    restoreLedger: async (backup, isForced, places) => {
      const { state: folder } = await findFolders(outside.folder, places);
      const nowMs = outside.clock.now();
      return await restoreLedger({ folder, backup, isForced, nowMs });
    },
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

/** Looks at the world around one pipeline or all; what several of them share is told once. */
async function doctor(
  outside: Outside,
  path: string | undefined,
  places: Places,
): Promise<readonly Diagnosis[]> {
  const { folder } = outside;
  const { config } = await findFolders(folder, places);
  const paths = path === undefined ? await listPipelines({ config, folder }) : [path];
  const told = new Map<string, Diagnosis>();
  for (const one of paths) {
    const diagnoses = await examinePipeline(outside, resolve(folder, one), places);
    for (const diagnosis of diagnoses) told.set(`${diagnosis.subject}\n${diagnosis.message}`, diagnosis);
  }
  return [...told.values()];
}

async function examinePipeline({ environment, clock }: Outside, path: string, places: Places) {
  const pipeline = await openPipeline({ path, configFolder: places.config, environment, catalogue });
  const { state, out } = await findFolders(dirname(pipeline.path), places);
  const storage = openObjectStorage(pipeline.storages, { nowMs: () => clock.now() });
  const urlReader = makeUrlReader({ ...probeLimits, allowPrivateAddresses: true });
  const http = openHttp({ connections: 4 });
  const link = makeLinker(pipeline.access, storage, clock);
  const outer = { clock, storage, http, urlReader, link, resolveHost, serve: serveCallbacks, readFreeBytes };
  try {
    return await examine(pipeline, [state, out], outer);
  } finally {
    await Promise.all([http.close(), urlReader.close()]);
    storage.close();
  }
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
    runCap: flags.cap,
  });
  await inspectSource(pipeline);
  const folders = await findFolders(dirname(pipeline.path), places);
  const holder = { pid: processId, startedAt: new Date(clock.now()).toISOString() };
  const deadline = openDeadline(clock, { until: flags.until, runMs: pipeline.deadlines.runMs });
  const tools = { clock, stop, deadline, log: watch.log };
  const takeLock = () => acquireRunLock(folders.state, pipeline.name, holder);
  const releaseLock = flags.waits === true ? await waitForLock(takeLock, tools) : await takeLock();
  try {
    return await withLedger(folders, clock, async (ledger) => {
      const { startNew, resumeAnyAge, isFresh, failOn } = flags;
      const billing = new Map(pipeline.services.map(({ account }) => [account.name, account.billing]));
      const onlyFailed = await findTroubledRun(ledger, flags.onlyFailed, pipeline);
      const scope = { startNew, resumeAnyAge, isFresh, onlyFailed };
      const opened = await ledger.openRun({ pipeline, nowMs: clock.now(), ...scope, billing });
      watch.begun(opened.record, opened.isResumed);
      const world = { pipeline, folders, places, billing, ledger, opened };
      const tasksBefore = await ledger.countTasks(opened.record.id);
      const parts = { ...world, tasksBefore, flags, watch, deadline: deadline.signal };
      const { halts, feedError } = await dispatch(outside, parts);
      const sourceTrouble = feedError === undefined ? undefined : explainSource(feedError);
      const signal = stop.aborted ? (stop.reason as 'SIGINT' | 'SIGTERM') : undefined;
      const end = async (tally: ReportTally) => {
        const acknowledged = await ledger.countAcknowledged(opened.record.id);
        const isCut = tally.counts.open > 0 || opened.record.listing === 'partial';
        const ending = { signal, halts, sourceTrouble, failOn, acknowledged };
        const conclusion = conclude({
          ...tally,
          ...ending,
          deadline: isCut ? deadline.reached() : undefined,
        });
        return opened.end({ ...conclusion, atMs: clock.now() });
      };
      const record = await findRun(ledger, opened.record.id);
      const reported = await writeRunReports(outside, { pipeline, folders, ledger, run: record }, end);
      await backUp(outside, folders, watch.log);
      const exitCode = reported.run.exitCode ?? exitCodes.ourMistake;
      return { ...reported, exitCode, halts, sourceTrouble: sourceTrouble?.message };
    });
  } finally {
    releaseLock();
    deadline.close();
  }
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

/** For commands without a pipeline: the ledger of the project that they are given in. */
async function withLedgerOf<Value>(
  { clock, folder }: Outside,
  places: Places,
  use: (ledger: Ledger) => Promise<Value>,
): Promise<Value> {
  return await withLedger(await findFolders(folder, places), clock, use);
}

async function pruneLedger({ clock, folder }: Outside, keepMs: number, places: Places): Promise<Pruned> {
  const folders = await findFolders(folder, places);
  await refuseRuns(folders.state);
  return await withLedger(folders, clock, (ledger) => ledger.prune(clock.now() - keepMs));
}

/** Once a day; a run is no worse for want of it, so that trouble is told and no more. */
async function backUp({ clock, stop }: Outside, folders: Folders, log: Log): Promise<void> {
  if (stop.aborted) return;
  try {
    await backUpLedger(folders.state, clock.now());
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    log.warn(`no backup of the ledger: ${error.message}`);
  }
}

/** What is read from items and tasks needs a run that still has them. */
function requireWhole(run: RunRecord): RunRecord {
  if (run.isPruned !== true) return run;
  throw wrongUse(
    `run "${run.id}": its items and tasks were taken out of the ledger by \`mediasweep ledger prune\`. Its reports are those that were written then.`,
  );
}

/** A source that could not be read to its end: what was planned by then was carried out all the same. */
function explainSource(error: unknown) {
  if (error instanceof Stop) return { message: error.message, exitCode: error.exitCode };
  throw error;
}

interface Dispatching {
  readonly pipeline: Pipeline;
  readonly folders: Folders;
  readonly ledger: Ledger;
  readonly opened: RunLedger;
  /** What an earlier session of the run has planned. */
  readonly tasksBefore: readonly TaskCount[];
  readonly places: Places;
  /** Of the accounts that anything is booked for. */
  readonly billing: Map<string, Account['billing']>;
  /** Aborts when nothing more may be begun. */
  readonly deadline: AbortSignal;
  readonly flags: RunFlags;
  readonly watch: RunWatch;
}

/** Reads the source, plans its items and dispatches their tasks, all at once and within bounds. */
async function dispatch(outside: Outside, parts: Dispatching): Promise<DispatchEnd> {
  const { pipeline, folders, opened, tasksBefore, flags, watch } = parts;
  const { clock } = outside;
  const { log } = watch;
  const stop = AbortSignal.any([outside.stop, parts.deadline]);
  setMaxListeners(0, stop);
  const { source, access, services, deadlines, resendBelow } = pipeline;
  const allowPrivateAddresses = 'allowPrivateAddresses' in source && source.allowPrivateAddresses;
  const storage = openObjectStorage(pipeline.storages, { nowMs: () => clock.now() });
  const urlReader = makeUrlReader({ ...probeLimits, allowPrivateAddresses });
  const http = openHttp({
    connections: Math.max(...services.map(({ account }) => account.limits.concurrency)),
  });
  const counters = { asked: 0, answered: 0, failed: 0, held: 0, repeated: 0, overCap: 0 };
  // A bucket is listed on from where an earlier session came to; a manifest is read from its beginning.
  const listedBefore = opened.checkpoint === undefined ? 0 : opened.record.counters.items;
  const planned = { listed: listedBefore, planned: countLeft(tasksBefore, opened), isListed: false };
  const probe = makeProber({ storage, urlReader });
  const noteUnread = makeUnreadNotes(watch.log);
  const feed = () => {
    const { standardInput } = outside;
    const pages = openPages(parts, { storage, nowMs: clock.now(), log, standardInput });
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
  const mayTakeMs = findLongest(services, deadlines);
  const link = makeLinker(access, storage, clock, { log, mayTakeMs });
  const artifacts = openArtifactFolder(folders.out, pipeline.name);
  const hookUrl: Callbacks['hookUrl'] = (account) => callbacks.hookUrl(account);
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
    findUse: makeUseFinder({
      pipeline,
      ledger: parts.ledger,
      reopen: (run) => reopenFormer(outside, parts, run),
    }),
    isAlive: (name) => isRunLocked(folders.state, name),
    isRereadable: source.form === 'bucket',
    graceMs: flags.graceMs,
  });
  const hint = dispatcher.hint.bind(dispatcher);
  const callbacks = await openCallbacks({ services, run: opened.record.id, serve: serveCallbacks, hint });
  watch.follow(() => ({
    ...planned,
    ...counters,
    atVendor: dispatcher.openJobs,
    spending: opened.spending,
  }));
  try {
    return await dispatcher.run();
  } finally {
    await Promise.all([callbacks.close(), http.close(), urlReader.close()]);
    storage.close();
  }
}

/** The pipeline of an earlier run, to end what it left open; what is booked for it is billed as its accounts say. */
async function reopenFormer(
  { environment }: Outside,
  { folders, places, billing }: Dispatching,
  { pipeline: name, written }: RunRecord,
): Promise<Pipeline | undefined> {
  const configFolder = places.config;
  const parts = { name, written, folders, configFolder, environment, catalogue, needsCredentials: true };
  try {
    const pipeline = await reopenPipeline(parts);
    for (const { account } of pipeline.services) {
      if (!billing.has(account.name)) billing.set(account.name, account.billing);
    }
    return pipeline;
  } catch (error) {
    if (error instanceof Stop) return undefined;
    throw error;
  }
}

/** What the run looks at: the source, or (`--only-failed`) the items of an earlier run that came to no good end. */
function openPages(
  { pipeline, ledger, opened, flags }: Dispatching,
  tools: Parameters<typeof openSource>[1],
): AsyncIterable<SourcePage> {
  const { onlyFailed } = opened.record;
  const { source } = pipeline;
  // The first items of a bucket are those with the first keys.
  const isOrdered = flags.limit !== undefined && source.form === 'bucket';
  const settings = isOrdered ? { ...pipeline, source: { ...source, parallel: 1 } } : pipeline;
  if (onlyFailed === undefined) return openSource(settings, tools, opened.checkpoint);
  if (pipeline.source.form === 'bucket') return readTroubled(ledger, onlyFailed);
  // They were selected once; `modifiedWithin` would count from now.
  const select = { include: [], exclude: [], kinds: [] };
  return pickTroubled(openSource({ ...pipeline, select }, tools), ledger, onlyFailed);
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
    const run = requireWhole(await findRun(ledger, selector));
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
  const makeLink = makeLinker(pipeline.access, storage, clock);
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
