/** What was spent: sums of the ledger, and the month's end as far as it can be told. */
import { resolve } from 'node:path';
import type { CostFlags, CostOutput, Places } from '../cli/spine.ts';
import { findFolders, openBooks } from '../config/open.ts';
import {
  type CostDimension,
  CostTable,
  type CostWorld,
  describeStands,
  factOf,
  Forecast,
  groupCost,
  sumUsage,
} from '../domain/cost.ts';
import type { CostResult } from '../domain/cost-result.ts';
import type { Ledger } from '../domain/ledger.ts';
import { writeCostPage } from '../report/cost/page.ts';
import { sumPrefixes } from '../report/cost/prefix.ts';
import { costColumns } from '../report/cost/table.ts';
import { renderCsvHeader, renderCsvRows } from '../report/table/csv.ts';
import { writeFileAside } from '../store/atomic-file.ts';
import { catalogue } from '../vendors/index.ts';
import { withLedger } from './ledger.ts';
import type { Outside } from './outside.ts';

const defaultBy: readonly CostDimension[] = ['month', 'account', 'sku', 'pipeline'];

/** Sums what was spent; rows go out as CSV, and everything as a page, where asked for. */
export async function cost(
  outside: Outside,
  flags: CostFlags,
  places: Places,
  output: CostOutput,
): Promise<CostResult> {
  const { clock, folder, environment } = outside;
  const folders = await findFolders(folder, places);
  const books = await openBooks({ configFolder: folders.config, environment, catalogue });
  const result = await withLedger(folders, outside, (ledger) =>
    gather(ledger, flags, { ...books, nowMs: clock.now() }),
  );
  if (output.csv === '-') await output.stdout.write(renderRows(result, 'exact'));
  else if (output.csv !== undefined) {
    await writeFileAside(resolve(folder, output.csv), (sink) => sink.write(renderRows(result, 'people')));
  }
  if (output.html !== undefined) {
    const at = new Date(clock.now()).toISOString();
    await writeFileAside(resolve(folder, output.html), (sink) =>
      writeCostPage(sink, result, { at, language: output.language ?? 'en' }),
    );
  }
  return result;
}

async function gather(
  ledger: Ledger,
  flags: CostFlags,
  books: Omit<CostWorld, 'positions'>,
): Promise<CostResult> {
  const everything = await ledger.readUsage({});
  // Stand-ins bill nobody: they are looked at only where there is nothing else, as in a rehearsal.
  const isPlayed = everything.length > 0 && everything.every(({ isLoopback }) => isLoopback);
  const all = everything.filter(({ isLoopback }) => isLoopback === isPlayed);
  const played = sumUsage(everything.filter(({ isLoopback }) => isLoopback !== isPlayed));
  const positions = (await ledger.readPositions()).filter(({ isLoopback }) => isLoopback === isPlayed);
  const world: CostWorld = { ...books, positions };
  const forecast = new Forecast(all, world);
  const facts = all
    .map(factOf)
    .filter(({ of }) => flags.pipeline === undefined || of.pipeline === flags.pipeline);
  const month = flags.month ?? facts.map(({ of }) => of.month).reduce(latest, undefined);
  const ofMonth = facts.filter(({ of }) => of.month === month);
  const isOpen = month === forecast.month;
  const group = (by: readonly CostDimension[]) => groupCost(ofMonth, by, isOpen ? forecast : undefined);
  const depth = flags.prefixDepth ?? (flags.by?.includes('prefix') === true ? 2 : undefined);
  const { since, until, today, daysSeen, daysLeft } = forecast;
  const by = flags.by ?? (depth === undefined ? defaultBy : [...defaultBy, 'prefix' as const]);
  const chosen = flags.month === undefined ? facts : ofMonth;
  const prefixTable =
    depth === undefined
      ? undefined
      : await sumPrefixes(
          ledger,
          { month: flags.month, pipeline: flags.pipeline },
          {
            depth,
            isPlayed,
            tables: [new CostTable(by, forecast), new CostTable(['month', 'prefix'], forecast)],
          },
        );
  const prefixes = prefixTable?.[1]?.list().filter(({ of }) => of.month === month);
  const { of: _, ...total } = group([])[0] ?? { of: {}, ...sumUsage([]) };
  return {
    currency: books.prices.currency,
    timezone: books.prices.timezone,
    month,
    pipeline: flags.pipeline,
    isPlayed,
    playedUnits: played.observed + played.estimated,
    total,
    ...(isOpen && { projection: { since, until, today, daysSeen, daysLeft } }),
    months: groupCost(facts, ['month'], forecast),
    days: group(['day']),
    skus: group(['account', 'sku']),
    pipelines: group(['pipeline']),
    ...(prefixes && { prefixes }),
    accounts: month === undefined ? [] : describeStands(world, month),
    rows: by.includes('prefix') ? (prefixTable?.[0]?.list() ?? []) : groupCost(chosen, by, forecast),
    by,
    isGrouped: flags.by !== undefined,
  };
}

function latest(one: string | undefined, other: string | undefined): string | undefined {
  return one === undefined || (other !== undefined && other > one) ? other : one;
}

function renderRows({ rows, by, currency }: CostResult, form: 'people' | 'exact'): string {
  const columns = costColumns(by, currency);
  return renderCsvHeader(columns, form) + renderCsvRows(columns, rows, form);
}
