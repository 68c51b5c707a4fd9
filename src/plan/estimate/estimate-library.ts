/** An estimate: the whole source looked at and planned, nothing stored as a task and nobody called. */
import { listCaps } from '../../domain/caps.ts';
import type { DurationForecast, Estimate } from '../../domain/estimate.ts';
import type { Foresight } from '../../domain/foresight.ts';
import type { Item, MediaFacts, SourcePage } from '../../domain/item.ts';
import { drawLot } from '../../domain/lot.ts';
import { monthOf, type Position, startPosition } from '../../domain/pricing.ts';
import { exitCodes, Stop } from '../../domain/problem.ts';
import type { Account, Pipeline, ServiceUse } from '../../domain/settings.ts';
import { planPages } from '../plan-tasks.ts';
import { forecastCaps } from './forecast-caps.ts';
import { forecastDuration } from './forecast-duration.ts';
import { type Market, priceLines, sumCharges } from './price-lines.ts';
import { type Line, Survey } from './survey.ts';

export interface EstimateRequest {
  readonly pipeline: Pipeline;
  readonly pages: AsyncIterable<SourcePage>;
  readonly foresight: Foresight;
  readonly probe: (item: Item) => Promise<MediaFacts>;
  readonly explainNoLink: (item: Item) => string | undefined;
  readonly nowMs: number;
  /** Share of the headers to read; the others are estimated from these. All where absent. */
  readonly sample?: number | undefined;
  readonly counters: EstimateCounters;
  /** Ends the estimate; nothing is lost by it. */
  readonly stop: AbortSignal;
}

/** How far an estimate has come; for progress. */
export interface EstimateCounters {
  listed: number;
  /** Files whose header was read. */
  probed: number;
}

/** 2^30 bytes, as stores bill them. */
const gigabyte = 1_073_741_824n;

/** @throws what reading the source or the ledger throws */
export async function estimateLibrary(request: EstimateRequest): Promise<Estimate> {
  const { pipeline, foresight, nowMs, sample, counters } = request;
  const { services, prices } = pipeline;
  // Of a sample of everything nothing is scaled up.
  const openSurvey = () => new Survey(foresight, services, sample !== undefined && sample < 1);
  let survey = openSurvey();
  const pages = planPages(request.pages, {
    pipeline,
    readKnown: foresight.readKnown,
    probe: async (item) => {
      const facts = await request.probe(item);
      counters.probed += 1;
      return facts;
    },
    noteUnread: (item, why) => survey.noteUnread(item, why),
    fitNotes: {
      misfit: (item, service, why) => survey.noteMisfit(item, service, why),
      unchecked: () => undefined,
      listed: () => undefined,
    },
    explainNoLink: request.explainNoLink,
    ...(sample !== undefined && { mayProbe: (item: Item) => drawLot(item.id, 'estimate') < sample }),
  });
  for await (const page of pages) {
    refuseStopped(request.stop);
    if (page.anew === 'first') {
      survey = openSurvey();
      await foresight.forgetSeen();
    }
    await survey.add(page);
    counters.listed = survey.items;
  }
  const found = survey.read();
  const accounts = new Map(services.map(({ account }) => [account.name, account]));
  const skus = priceLines(found.lines, {
    accounts,
    prices,
    readPosition: await readPositions(foresight, found.lines, accounts),
    atMs: nowMs,
  });
  return {
    pipeline: pipeline.name,
    at: new Date(nowMs).toISOString(),
    month: monthOf(nowMs, prices.timezone),
    items: found.items,
    kinds: found.kinds,
    unselected: found.unselected,
    broken: found.broken,
    brokenRows: found.brokenRows,
    services: services.length,
    notApplicable: found.notApplicable,
    tasks: found.tasks,
    unsent: found.unsent,
    misfits: found.misfits,
    skus,
    total: sumCharges(skus, prices.currency),
    assumptions: found.assumptions,
    fetched: found.fetched.map((one) => {
      const egress = pipeline.storages.get(one.storage)?.egress;
      return { ...one, ...(egress !== undefined && { charge: (BigInt(one.bytes) * egress) / gigabyte }) };
    }),
    duration: noteMonth(
      forecastDuration(services, found.calls, await readUsualTimes(foresight, services)),
      nowMs,
      prices.timezone,
    ),
    caps: forecastCaps(await foresight.readCaps(listCaps(pipeline), nowMs), skus, accounts),
    ...(sample !== undefined && { sample: { share: sample, ...found.headers } }),
    resumes: foresight.resumes?.id,
    digest: found.digest,
  };
}

/** How far accounts have come with the SKUs of these lines. */
async function readPositions(
  foresight: Foresight,
  lines: readonly Line[],
  accounts: ReadonlyMap<string, Account>,
): Promise<Market['readPosition']> {
  const positions = new Map<string, Position>();
  for (const { account: name, sku } of lines) {
    const account = accounts.get(name);
    if (account) positions.set(JSON.stringify([name, sku]), await foresight.readPosition(account, sku));
  }
  return ({ name }, sku) => positions.get(JSON.stringify([name, sku])) ?? startPosition;
}

async function readUsualTimes(
  foresight: Foresight,
  services: readonly ServiceUse[],
): Promise<(account: string, service: string) => number | undefined> {
  const times = new Map<string, number | undefined>();
  for (const { account, name } of services) {
    times.set(JSON.stringify([account.name, name]), await foresight.readUsualMs(account.name, name));
  }
  return (account, service) => times.get(JSON.stringify([account, service]));
}

/** Tiers begin anew with the month, and the estimate walks those of now. */
function noteMonth(duration: DurationForecast, nowMs: number, timezone: string): DurationForecast {
  const end = monthOf(nowMs + duration.seconds * 1000, timezone);
  if (end === monthOf(nowMs, timezone)) return duration;
  const note = `it lasts into ${end}, and what is sent then is charged from the beginning of that month's tiers`;
  return { ...duration, assumptions: [...duration.assumptions, note] };
}

/** A half estimate would be taken for a whole one. */
function refuseStopped({ aborted, reason }: AbortSignal): void {
  if (!aborted) return;
  const exitCode = reason === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
  throw new Stop(exitCode, 'the estimate was interrupted before the source was read to its end.');
}
