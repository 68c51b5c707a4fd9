/** What was spent as one self-contained page: nothing in it runs, and nothing is fetched. */
import type { AccountStand, CostDimension, CostLine } from '../../domain/cost.ts';
import type { CostResult } from '../../domain/cost-result.ts';
import { formatMoney, formatNano } from '../../domain/money.ts';
import type { TextSink } from '../../domain/output.ts';
import { knownCharge } from '../../domain/pricing.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { Language } from '../../domain/settings.ts';
import { renderHead } from '../html/head.ts';
import { formatInstant } from '../html/instant.ts';
import { makeTell, type Tell } from '../html/language/say.ts';
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
export async function writeCostPage(
  sink: TextSink,
  result: CostResult,
  { at, language }: { readonly at: string; readonly language: Language },
): Promise<void> {
  const tell = makeTell(language);
  const { month, pipeline, timezone } = result;
  const title = month === undefined ? tell('cost.title') : tell('cost.titleOf', { month });
  const whose = pipeline === undefined ? '' : tell('cost.ofPipeline', { pipeline });
  const asOf = tell('cost.asOf', { at: `${formatInstant(at, timezone)} ${timezone}` });
  await sink.write(
    html`${renderHead({ lang: tell('page.lang'), title, style })}<header><h1>${title}</h1><p class="when">${whose}${asOf}</p></header>
<main>
${renderBody(result, tell)}</main>
</body>
</html>
`.markup,
  );
}

function renderBody(result: CostResult, tell: Tell): Markup {
  const { currency, month } = result;
  if (month === undefined) {
    return html`<section><p class="none">${tell('cost.nothing')}</p></section>`;
  }
  const bars = (by: CostDimension, lines: readonly CostLine[]) => lines.map(barOf(by, currency, tell));
  const lines = (title: string, by: readonly CostDimension[], rows: readonly CostLine[]) =>
    renderLines(title, by, rows, tell);
  const title = (...by: readonly CostDimension[]) => tell('cost.by', { what: nameAll(by, tell) });
  const heading = (...by: readonly CostDimension[]) =>
    tell('cost.monthBy', { month, what: nameAll(by, tell) });
  const chart = (...by: readonly CostDimension[]) => tell('cost.chargeBy', { what: nameAll(by, tell) });
  return html`${renderFigures(result, tell)}
<section><h2>${heading('day')}</h2>${renderColumns(chart('day'), bars('day', result.days))}</section>
<section><h2>${heading('sku')}</h2>${renderBars(chart('account', 'sku'), bars('sku', result.skus))}${lines(title('account', 'sku'), ['account', 'sku'], result.skus)}</section>
<section><h2>${heading('pipeline')}</h2>${renderBars(chart('pipeline'), bars('pipeline', result.pipelines))}${lines(title('pipeline'), ['pipeline'], result.pipelines)}</section>
${result.prefixes ? html`<section><h2>${heading('prefix')}</h2>${lines(title('prefix'), ['prefix'], result.prefixes)}</section>` : undefined}
<section><h2>${tell('cost.months')}</h2>${renderColumns(tell('cost.monthsChart'), bars('month', result.months))}${lines(tell('cost.months'), ['month'], result.months)}</section>
${result.isGrouped ? html`<section><h2>${title(...result.by)}</h2>${lines(tell('cost.rows'), result.by, result.rows)}</section>` : undefined}
${renderStands(result, tell)}`;
}

/** `account and SKU`. */
function nameAll(by: readonly CostDimension[], tell: Tell): string {
  return by.map((name) => tell(`dimension.${name}`)).join(tell('word.and'));
}

function renderFigures(
  { total, currency, projection, isPlayed, playedUnits }: CostResult,
  tell: Tell,
): Markup {
  const { estimated, free, pack, uncertain } = total;
  const units = total.observed + estimated;
  const notes = [
    ...(total.isComplete ? [] : [tell('cost.unpriced')]),
    ...(isPlayed ? [tell('cost.played')] : []),
    ...(playedUnits > 0 ? [tell('cost.leftOut', { count: playedUnits })] : []),
  ];
  const ahead = total.projected && projection;
  return html`<section class="figures" aria-label="${tell('figure.all')}">
<div class="figure ${total.isComplete ? 'calm' : 'warn'}"><h2>${tell('figure.spent')}</h2><p class="number">${atLeast(total.isComplete, tell)}${formatMoney(total.charge, currency)}</p>${notes.map((note) => html`<p>${note}</p>`)}</div>
${ahead && total.projected ? html`<div class="figure calm"><h2>${tell('cost.projectedMonth')}</h2><p class="number">${atLeast(total.projected.isComplete, tell)}${formatMoney(total.projected.charge, currency)}</p><p>${tell('cost.pace', { since: ahead.since, today: ahead.until, count: ahead.daysLeft })}</p></div>` : undefined}
<div class="figure calm"><h2>${tell('cost.units')}</h2><p class="number">${formatCount(units)}</p><p>${tell('cost.ofUnits', { estimated, free, pack })}</p></div>
<div class="figure ${uncertain > 0 ? 'warn' : 'good'}"><h2>${tell('cost.uncertain')}</h2><p class="number">${formatCount(uncertain)}</p><p>${tell('cost.uncertainNote')}</p></div>
</section>`;
}

function atLeast(isComplete: boolean, tell: Tell): string {
  return isComplete ? '' : `${tell('bill.atLeast')} `;
}

function barOf(dimension: CostDimension, currency: string, tell: Tell) {
  return (line: CostLine): Bar => ({
    name: dimension === 'sku' ? `${line.of.account ?? ''} ${line.of.sku ?? ''}` : (line.of[dimension] ?? ''),
    value: line.charge < 0n ? 0n : line.charge,
    more:
      line.projected && line.projected.charge > line.charge ? line.projected.charge - line.charge : undefined,
    words:
      knownCharge(line) === undefined
        ? tell('bill.unknownPrice')
        : `${atLeast(line.isComplete, tell)}${formatMoney(line.charge, currency)}`,
  });
}

function renderLines(
  caption: string,
  by: readonly CostDimension[],
  lines: readonly CostLine[],
  tell: Tell,
): Markup {
  const columns: readonly PageColumn<CostLine>[] = [
    ...by.map(
      (name): PageColumn<CostLine> => ({
        name: tell(`dimension.${name}`),
        kind: 'text',
        read: ({ of }) => of[name],
      }),
    ),
    { name: tell('bill.units'), kind: 'number', read: (line) => line.observed + line.estimated },
    { name: tell('bill.estimated'), kind: 'number', read: (line) => line.estimated },
    { name: tell('bill.uncertain'), kind: 'number', read: (line) => line.uncertain },
    { name: tell('bill.free'), kind: 'number', read: (line) => line.free },
    { name: tell('bill.pack'), kind: 'number', read: (line) => line.pack },
    { name: tell('bill.charge'), kind: 'number', read: (line) => showCharge(line, tell) },
    {
      name: tell('cost.projected'),
      kind: 'number',
      read: ({ projected }) => projected && showCharge(projected, tell),
    },
  ];
  const left = lines.length - mostRows;
  const more = left > 0 ? html`<p class="note">${tell('cost.more', { count: left })}</p>` : undefined;
  return html`${renderTable(caption, columns, lines.slice(0, mostRows))}${more}`;
}

function showCharge(sum: Pick<CostLine, 'charge' | 'isComplete'>, tell: Tell): string {
  if (knownCharge(sum) === undefined) return tell('bill.unknownPrice');
  return `${atLeast(sum.isComplete, tell)}${separateThousands(formatNano(sum.charge))}`;
}

function renderStands({ accounts, currency, month }: CostResult, tell: Tell): Markup | undefined {
  if (accounts.length === 0) return undefined;
  const columns: readonly PageColumn<AccountStand>[] = [
    { name: tell('dimension.account'), kind: 'text', read: (row) => row.account },
    { name: tell('dimension.sku'), kind: 'text', read: (row) => row.sku },
    { name: tell('month.units'), kind: 'number', read: (row) => row.tierUnits },
    { name: tell('month.elsewhere'), kind: 'number', read: (row) => row.elsewhere },
    { name: tell('month.freeLeft'), kind: 'number', read: (row) => row.freeLeft },
    {
      name: tell('cost.nextPrice'),
      kind: 'text',
      read: ({ price }) =>
        price === undefined
          ? tell('bill.unknownPrice')
          : `${formatNano(price.amount)}${price.per === 1 ? '' : tell('bill.per', { per: price.per })}`,
    },
  ];
  const packs = accounts.flatMap(({ account, sku, packs: own }) =>
    own.map(({ units, expires, used, left, sunk, isExpired }) => {
      const pack = tell('month.pack', { sku, account, units, expires, used });
      const amount = formatMoney(sunk, currency);
      return html`<li>${pack}${tell(isExpired ? 'month.packLost' : 'month.packLeft', { left, amount })}</li>`;
    }),
  );
  const title = tell('cost.accounts', { month: month ?? '' });
  return html`<section><h2>${title}</h2>${renderTable(title, columns, accounts)}<ul class="notes">${packs}</ul></section>`;
}
