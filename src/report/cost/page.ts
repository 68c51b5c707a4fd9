/** What was spent as one self-contained page: nothing in it runs, and nothing is fetched. */
import type { AccountStand, CostDimension, CostLine } from '../../domain/cost.ts';
import type { CostResult } from '../../domain/cost-result.ts';
import { formatMoney, formatNano } from '../../domain/money.ts';
import type { TextSink } from '../../domain/output.ts';
import { formatCount } from '../../domain/quantity.ts';
import { renderHead } from '../html/head.ts';
import { formatInstant } from '../html/instant.ts';
import { html, type Markup } from '../html/markup.ts';
import { style as pageStyle } from '../html/style.ts';
import { type PageColumn, renderTable, separateThousands } from '../html/table.ts';
import { type Bar, renderBars, renderColumns } from './chart.ts';

const mostRows = 500;

const style = `${pageStyle}
figure.wide { overflow-x: auto; margin-bottom: 14px; }
figure.wide figcaption { font-size: 12.5px; color: var(--soft); margin-bottom: 6px; }
figure.wide text { font-size: 10px; fill: var(--soft); }
.shares li { display: grid; grid-template-columns: minmax(0, 16rem) 200px minmax(0, 1fr); gap: 10px; align-items: center; font-size: 13px; }
@media (max-width: 720px) { .shares li { grid-template-columns: minmax(0, 1fr); } }
`;

/** `at`: when it was asked, ISO 8601 in UTC. */
export async function writeCostPage(sink: TextSink, result: CostResult, at: string): Promise<void> {
  const title = `Cost${result.month === undefined ? '' : ` of ${result.month}`}`;
  await sink.write(
    html`${renderHead({ lang: 'en', title, style })}<header><h1>${title}</h1><p class="when">${result.pipeline === undefined ? '' : `pipeline ${result.pipeline}, `}as of ${formatInstant(at, result.timezone)} ${result.timezone}</p></header>
<main>
${renderBody(result)}</main>
</body>
</html>
`.markup,
  );
}

function renderBody(result: CostResult): Markup {
  if (result.month === undefined) return html`<section><p class="none">Nothing was used yet.</p></section>`;
  const { currency, month } = result;
  return html`${renderFigures(result)}
<section><h2>${month} by day</h2>${renderColumns('Charge by day', result.days.map(barOf('day', currency)))}</section>
<section><h2>${month} by SKU</h2>${renderBars('Charge by account and SKU', result.skus.map(barOf('sku', currency)))}${renderLines('By account and SKU', ['account', 'sku'], result.skus)}</section>
<section><h2>${month} by pipeline</h2>${renderBars('Charge by pipeline', result.pipelines.map(barOf('pipeline', currency)))}${renderLines('By pipeline', ['pipeline'], result.pipelines)}</section>
${result.prefixes ? html`<section><h2>${month} by prefix</h2>${renderLines('By prefix', ['prefix'], result.prefixes)}</section>` : undefined}
<section><h2>Months</h2>${renderColumns('Charge by month; fainter: projected', result.months.map(barOf('month', currency)))}${renderLines('Months', ['month'], result.months)}</section>
${result.isGrouped ? html`<section><h2>By ${result.by.join(' and ')}</h2>${renderLines('Rows', result.by, result.rows)}</section>` : undefined}
${renderStands(result)}`;
}

function renderFigures({ total, currency, projection, isPlayed, playedUnits }: CostResult): Markup {
  const units = total.observed + total.estimated;
  const notes = [
    ...(total.isComplete ? [] : ['incomplete: some units have no price in config/prices/']),
    ...(isPlayed ? ['used by stand-ins, which bill nobody'] : []),
    ...(playedUnits > 0 ? [`${formatCount(playedUnits)} units of stand-ins are left out`] : []),
  ];
  const ahead = total.projected && projection;
  return html`<section class="figures" aria-label="At a glance">
<div class="figure ${total.isComplete ? 'calm' : 'warn'}"><h2>Spent</h2><p class="number">${atLeast(total.isComplete)}${formatMoney(total.charge, currency)}</p>${notes.map((note) => html`<p>${note}</p>`)}</div>
${ahead && total.projected ? html`<div class="figure calm"><h2>Projected for the month</h2><p class="number">${atLeast(total.projected.isComplete)}${formatMoney(total.projected.charge, currency)}</p><p>as much a day as from ${ahead.since} to ${ahead.today}, for ${formatCount(ahead.daysLeft)} more days</p></div>` : undefined}
<div class="figure calm"><h2>Units</h2><p class="number">${formatCount(units)}</p><p>${formatCount(total.estimated)} of them estimated, ${formatCount(total.free)} free, ${formatCount(total.pack)} from packs</p></div>
<div class="figure ${total.uncertain > 0 ? 'warn' : 'good'}"><h2>Uncertain units</h2><p class="number">${formatCount(total.uncertain)}</p><p>of calls that may have been billed; outside the charge</p></div>
</section>`;
}

function atLeast(isComplete: boolean): string {
  return isComplete ? '' : 'at least ';
}

function barOf(dimension: CostDimension, currency: string) {
  return (line: CostLine): Bar => ({
    name: dimension === 'sku' ? `${line.of.account ?? ''} ${line.of.sku ?? ''}` : (line.of[dimension] ?? ''),
    value: line.charge < 0n ? 0n : line.charge,
    more:
      line.projected && line.projected.charge > line.charge ? line.projected.charge - line.charge : undefined,
    words: `${atLeast(line.isComplete)}${formatMoney(line.charge, currency)}`,
  });
}

function renderLines(caption: string, by: readonly CostDimension[], lines: readonly CostLine[]): Markup {
  const columns: readonly PageColumn<CostLine>[] = [
    ...by.map((name): PageColumn<CostLine> => ({ name, kind: 'text', read: ({ of }) => of[name] })),
    { name: 'units', kind: 'number', read: (line) => line.observed + line.estimated },
    { name: 'of them estimated', kind: 'number', read: (line) => line.estimated },
    { name: 'uncertain, besides', kind: 'number', read: (line) => line.uncertain },
    { name: 'free', kind: 'number', read: (line) => line.free },
    { name: 'from packs', kind: 'number', read: (line) => line.pack },
    { name: 'charge', kind: 'number', read: (line) => showCharge(line) },
    {
      name: 'projected',
      kind: 'number',
      read: ({ projected }) => projected && showCharge(projected),
    },
  ];
  const left = lines.length - mostRows;
  const more =
    left > 0 ? html`<p class="note">and ${formatCount(left)} more; the CSV holds all</p>` : undefined;
  return html`${renderTable(caption, columns, lines.slice(0, mostRows))}${more}`;
}

function showCharge({
  charge,
  isComplete,
}: {
  readonly charge: bigint;
  readonly isComplete: boolean;
}): string {
  if (!isComplete && charge === 0n) return 'price unknown';
  return `${atLeast(isComplete)}${separateThousands(formatNano(charge))}`;
}

function renderStands({ accounts, currency, month }: CostResult): Markup | undefined {
  if (accounts.length === 0) return undefined;
  const columns: readonly PageColumn<AccountStand>[] = [
    { name: 'account', kind: 'text', read: (row) => row.account },
    { name: 'SKU', kind: 'text', read: (row) => row.sku },
    { name: 'units in the tiers', kind: 'number', read: (row) => row.tierUnits },
    { name: 'of them elsewhere', kind: 'number', read: (row) => row.elsewhere },
    { name: 'free left', kind: 'number', read: (row) => row.freeLeft },
    {
      name: 'next price',
      kind: 'text',
      read: ({ price }) =>
        price === undefined
          ? 'unknown'
          : `${formatNano(price.amount)}${price.per === 1 ? '' : ` per ${formatCount(price.per)}`}`,
    },
  ];
  const packs = accounts.flatMap(({ account, sku, packs: own }) =>
    own.map(({ units, expires, used, left, sunk, isExpired }) => {
      const rest = `${formatCount(left)} left, ${formatMoney(sunk, currency)} ${isExpired ? 'lost' : 'sunk'}`;
      return html`<li>${account} ${sku}: pack of ${formatCount(units)} to ${expires}, ${formatCount(used)} used, ${rest}</li>`;
    }),
  );
  return html`<section><h2>Accounts in ${month ?? ''}</h2>${renderTable('Accounts', columns, accounts)}<ul class="notes">${packs}</ul></section>`;
}
