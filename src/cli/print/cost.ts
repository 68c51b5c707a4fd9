/** What was spent, for people: the month in a line, then its tables. */
import type { AccountStand, CostDimension, CostLine, Projected, UsageSums } from '../../domain/cost.ts';
import type { CostResult } from '../../domain/cost-result.ts';
import { formatMoney, formatNano, writeKnownCharge } from '../../domain/money.ts';
import { knownCharge, type Quote } from '../../domain/pricing.ts';
import { formatCount } from '../../domain/quantity.ts';
import { type Ink, makeInk } from './ink.ts';
import { printJson } from './json.ts';
import { makePlain } from './plain.ts';
import { formatTable } from './table.ts';
import { type Console, widthOf, writeResult } from './terminal.ts';
import { countWord } from './word.ts';

const mostRows = 40;

export function printCost(
  console: Console,
  result: CostResult,
  files: { readonly csv?: string | undefined; readonly html?: string | undefined },
): void {
  const ink = makeInk(console);
  const width = widthOf(console);
  const written = [files.csv, files.html].flatMap((file) =>
    file === undefined ? [] : [`written: ${makePlain(file)}`],
  );
  if (result.month === undefined) {
    const whose = result.pipeline === undefined ? '' : ` by "${makePlain(result.pipeline)}"`;
    writeResult(console, [`nothing was used${whose} yet`, ...noteLeftOut(result), ...written]);
    return;
  }
  if (result.skus.length === 0) {
    writeResult(console, [...describeEmptyMonth(result), ...noteLeftOut(result), ...written]);
    return;
  }
  const { currency } = result;
  const table = (title: string, by: readonly CostDimension[], lines: readonly CostLine[]) =>
    lines.length === 0 ? [] : ['', ...formatLines(title, by, lines, currency, width)];
  const tables = result.isGrouped
    ? table('', result.by, result.rows)
    : [
        ...table('', ['month'], result.months),
        ...table(result.month, ['account', 'sku'], result.skus),
        ...table(result.month, ['pipeline'], result.pipelines),
        ...(result.prefixes ? table(result.month, ['prefix'], result.prefixes) : []),
        ...formatStands(result.accounts, result.month, currency),
      ];
  writeResult(console, [
    formatHead(result, ink),
    ...noteProjection(result),
    ...noteLeftOut(result),
    ...tables,
    ...written,
  ]);
}

function describeEmptyMonth({ month = '', months, pipeline }: CostResult): readonly string[] {
  const whose = pipeline === undefined ? '' : ` by "${makePlain(pipeline)}"`;
  const known = months.map(({ of }) => of.month ?? '');
  const others =
    known.length === 0 ? 'nor in any other month' : `there is usage of ${known.slice(-12).join(', ')}`;
  return [`nothing was used${whose} in ${month}; ${others}`];
}

function formatHead(
  { month = '', pipeline, total, currency, isPlayed, projection }: CostResult,
  ink: Ink,
): string {
  const whose = pipeline === undefined ? '' : ` ${makePlain(pipeline)}`;
  const spent = `${formatCharge(total, currency)}${projection === undefined ? '' : ' so far'}`;
  const more = total.projected === undefined ? '' : `, ${formatCharge(total.projected, currency)} projected`;
  const uncertain =
    total.uncertain > 0
      ? `; ${ink.yellow(`${countWord(total.uncertain, 'unit')} uncertain`)}, billed perhaps`
      : '';
  const lacks = total.isComplete
    ? ''
    : ` (${ink.yellow('incomplete')}: set missing prices in config/prices/)`;
  const played = isPlayed ? ' by stand-ins, which bill nobody' : '';
  return `${ink.bold(`${month}${whose}`)} ${spent}${more}${lacks}${uncertain}${played}`;
}

function noteProjection({ projection }: CostResult): readonly string[] {
  if (!projection) return [];
  const { since, until, daysSeen, daysLeft } = projection;
  return [
    `  projected: as much a day as in the ${countWord(daysSeen, 'day')} from ${since} to ${until}, for ${countWord(daysLeft, 'more day', 'more days')}`,
  ];
}

function noteLeftOut({ playedUnits }: CostResult): readonly string[] {
  return playedUnits === 0
    ? []
    : [`  left out: ${countWord(playedUnits, 'unit')} of stand-ins, which bill nobody`];
}

function formatLines(
  title: string,
  by: readonly CostDimension[],
  lines: readonly CostLine[],
  currency: string,
  width: number | undefined,
): readonly string[] {
  const isProjected = lines.some(({ projected }) => projected !== undefined);
  const count = (name: string, read: (line: CostLine) => number) =>
    lines.some((line) => read(line) !== 0)
      ? [{ name, read: (line: CostLine) => formatCount(read(line)) }]
      : [];
  const numbers = [
    ...count('units', ({ observed, estimated }) => observed + estimated),
    ...count('estimated', ({ estimated }) => estimated),
    ...count('uncertain', ({ uncertain }) => uncertain),
    ...count('free', ({ free }) => free),
    ...count('pack', ({ pack }) => pack),
    { name: 'charge', read: (line: CostLine) => formatCharge(line, currency) },
    ...(isProjected
      ? [
          {
            name: 'projected',
            read: ({ projected }: CostLine) => (projected ? formatCharge(projected, currency) : ''),
          },
        ]
      : []),
  ];
  const rows = lines
    .slice(0, mostRows)
    .map((line) => [
      ...by.map((name) => makePlain(line.of[name] ?? '')),
      ...numbers.map(({ read }) => read(line)),
    ]);
  const columns = [
    ...by.map((name) => ({ title: name })),
    ...numbers.map(({ name }) => ({ title: name, isRight: true })),
  ];
  const left = lines.length - rows.length;
  return [
    ...(title === '' ? [] : [`${title} by ${by.join(' and ')}`]),
    ...formatTable(columns, rows, width),
    ...(left > 0 ? [`and ${formatCount(left)} more; --csv holds all`] : []),
  ];
}

/** Where accounts stand with free quota, packs and tiers. */
function formatStands(stands: readonly AccountStand[], month: string, currency: string): readonly string[] {
  if (stands.length === 0) return [];
  const lines = stands.flatMap(({ account, sku, tierUnits, elsewhere, freeLeft, price, packs }) => {
    const outside = elsewhere > 0 ? ` (${formatCount(elsewhere)} of them elsewhere, by billing:)` : '';
    const next =
      price === undefined
        ? 'price unknown'
        : `next at ${formatNano(price.amount)} ${currency}${price.per === 1 ? '' : ` per ${formatCount(price.per)}`}${price.upTo === undefined ? '' : `, to ${formatCount(price.upTo)}`}`;
    const free = freeLeft > 0 ? `, ${formatCount(freeLeft)} free left` : '';
    const head = `${makePlain(account)} ${sku}: ${formatCount(tierUnits)} units in the tiers${outside}, ${next}${free}`;
    return [
      head,
      ...packs.map(({ units, used, left, sunk, expires, isExpired }) => {
        const rest =
          left === 0
            ? 'used up'
            : `${formatCount(left)} left, ${formatMoney(sunk, currency)} of it ${isExpired ? 'lost' : 'sunk'}`;
        return `  pack of ${formatCount(units)} to ${expires}: ${formatCount(used)} used, ${rest}`;
      }),
    ];
  });
  return ['', `accounts in ${month}`, ...lines];
}

function formatCharge(quote: Quote, currency: string): string {
  const charge = knownCharge(quote);
  if (charge === undefined) return 'price unknown';
  return `${quote.isComplete ? '' : 'at least '}${formatMoney(charge, currency)}`;
}

/** Money as decimal strings; null where nothing of it could be priced. */
export function printCostJson(console: Console, result: CostResult): void {
  const { rows, by, isGrouped, months, days, skus, pipelines, prefixes, total, ...rest } = result;
  const tell = (lines: readonly CostLine[]) => lines.map(({ of, ...line }) => ({ ...of, ...describe(line) }));
  printJson(console, {
    ...rest,
    total: describe(total),
    months: tell(months),
    days: tell(days),
    skus: tell(skus),
    pipelines: tell(pipelines),
    ...(prefixes && { prefixes: tell(prefixes) }),
    ...(isGrouped && { by, rows: tell(rows) }),
  });
}

function describe({
  charge,
  isComplete,
  projected,
  ...sums
}: UsageSums & { readonly projected?: Projected | undefined }) {
  return {
    ...sums,
    charge: writeKnownCharge({ charge, isComplete }) ?? null,
    complete: isComplete,
    ...(projected && {
      projected: {
        units: projected.units,
        charge: writeKnownCharge(projected) ?? null,
        complete: projected.isComplete,
      },
    }),
  };
}
