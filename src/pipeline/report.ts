/** The reports of a run, from the ledger alone. */
import type { Places, ReportFlags, ReportResult } from '../cli/spine.ts';
import { type Folders, findFolders } from '../config/open.ts';
import { makeLinker } from '../dispatch/link.ts';
import { describeStands } from '../domain/cost.ts';
import type { Item } from '../domain/item.ts';
import type { Ledger, RunRecord } from '../domain/ledger.ts';
import { chargeUnits, monthOf, priceOf, type Quote, startPosition } from '../domain/pricing.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { Units } from '../domain/usage.ts';
import { deriveAgain } from '../report/derive-again.ts';
import type { MonthStands } from '../report/request.ts';
import { describeServices } from '../report/services.ts';
import type { ReportTally } from '../report/summary.ts';
import { writeReports } from '../report/write-reports.ts';
import { openObjectStorage } from '../wire/s3.ts';
import { findRun, requireWhole, withLedger } from './ledger.ts';
import { type Output, withOutput } from './output.ts';
import type { Outside } from './outside.ts';
import { reopen, tryReopen } from './reopen.ts';

const shownBrokenRows = 20;

interface Reporting {
  readonly pipeline: Pipeline;
  readonly folders: Folders;
  readonly ledger: Ledger;
  readonly run: RunRecord;
  readonly places: Places;
  readonly output: Output;
}

/** The reports of a run, from the ledger alone; `end` draws the conclusion of a run that ends now. */
export async function writeRunReports(
  outside: Outside,
  parts: Reporting,
  end?: (tally: ReportTally) => Promise<RunRecord>,
): Promise<ReportResult> {
  const { pipeline, ledger, run, output } = parts;
  const { access, policy, reports } = pipeline;
  const folder = output.reports(run.id);
  const written = await writeReports({
    run,
    services: describeServices(pipeline),
    policy,
    reports,
    publicBaseUrl: access.mode === 'public' ? access.baseUrl : undefined,
    prices: pipeline.prices,
    bookings: Object.fromEntries(pipeline.services.map(({ account }) => [account.name, account.booking])),
    quote: (account, units) => quoteMore(outside, parts, account, units),
    readMonths: () => readMonths(outside, parts),
    ledger,
    folder,
    conclude: end,
    previous: await findPrevious(outside, parts),
    version: outside.version,
  });
  await folder.markLatest();
  return { ...written, broken: await ledger.readBroken(run.id, shownBrokenRows), folder: folder.path };
}

/** The charge of so many more units, at the positions that the ledger and the accounts' own facts tell. */
async function quoteMore(
  { clock }: Outside,
  { pipeline, ledger }: Reporting,
  name: string,
  units: Units,
): Promise<Quote> {
  const account = pipeline.services.map((use) => use.account).find((one) => one.name === name);
  const positions = (await ledger.readPositions()).filter(
    (one) => one.account === name && one.isLoopback === account?.isLoopback,
  );
  const charges = Object.entries(units).map(([sku, count]) => {
    const position = positions.find((one) => one.sku === sku)?.position ?? startPosition;
    return chargeUnits(priceOf(pipeline.prices, sku), account?.billing[sku], position, count, clock.now());
  });
  return {
    charge: charges.reduce((sum, { amount }) => sum + amount, 0n),
    isComplete: charges.every(({ isComplete }) => isComplete),
  };
}

/** The tiers and packs of the pipeline's accounts, in the months in which the run began and ended. */
async function readMonths(
  { clock }: Outside,
  { pipeline, ledger, run }: Reporting,
): Promise<readonly MonthStands[]> {
  const { prices, services } = pipeline;
  const accounts = new Map(services.map(({ account }) => [account.name, account]));
  const positions = (await ledger.readPositions()).filter(
    (one) => accounts.get(one.account)?.isLoopback === one.isLoopback,
  );
  const billing = new Map([...accounts].map(([name, account]) => [name, account.billing]));
  const nowMs = clock.now();
  const instants = [run.startedAt, run.endedAt].map((at) => (at === undefined ? nowMs : Date.parse(at)));
  const months = new Set(instants.map((instant) => monthOf(instant, prices.timezone)));
  return [...months].map((month) => ({
    month,
    stands: describeStands({ prices, billing, positions, nowMs }, month),
  }));
}

/** What the run is compared with: nothing where it looked at the troubled items of another one only. */
async function findPrevious(outside: Outside, { pipeline, folders, ledger, run, places }: Reporting) {
  if (run.onlyFailed !== undefined) return undefined;
  const previous = await ledger.findPrevious(run.id);
  if (!previous) return undefined;
  const before = await tryReopen(outside, { run: previous, folders, places });
  return { run: previous, policy: before?.policy ?? pipeline.policy };
}

export async function report(
  outside: Outside,
  selector: string,
  places: Places,
  { derivesAgain }: ReportFlags = {},
): Promise<ReportResult> {
  const { folder } = outside;
  const folders = await findFolders(folder, places);
  return await withLedger(folders, outside, async (ledger) => {
    const run = requireWhole(await findRun(ledger, selector));
    const pipeline = await reopen(outside, { run, folders, places, isToldAsToday: true });
    const world = { pipeline, folders, places };
    return await withOutput(outside, world, async (output) => {
      const derived = derivesAgain ? await readAgain(outside, pipeline, ledger, run) : undefined;
      return { ...(await writeRunReports(outside, { ...world, ledger, run, output })), derived };
    });
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
