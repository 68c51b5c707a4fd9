/** The bill by SKU, with the prices that made it, what is uncertain and what was assumed. */
import type { BilledFailures } from '../../domain/booking.ts';
import type { BillRow } from '../../domain/ledger.ts';
import { formatMoney, formatNano } from '../../domain/money.ts';
import type { PriceBook, SkuPrice } from '../../domain/pricing.ts';
import type { PageContent } from '../gather/gathering.ts';
import { billColumns, sumAssumptions } from '../table/bill-table.ts';
import { renderCaps } from './cap.ts';
import { sayKnown } from './language/known.ts';
import type { Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';
import { renderMonths } from './month.ts';
import { type PageColumn, renderTable, separateThousands } from './table.ts';
import { describeSaved, renderCosts } from './thrift.ts';

export function renderBill(content: PageContent, say: Say): Markup {
  const { request, bill, total } = content;
  if (bill.length === 0) {
    return html`<section id="bill"><h2>${say('bill.title')}</h2><p class="none">${say('bill.nothing')}</p>${renderMonths(content, say)}${renderCaps(content, say)}</section>
`;
  }
  const { prices } = request;
  const charge = formatMoney(total.charge, prices.currency);
  return html`<section id="bill"><h2>${say('bill.title')} <span class="count">${total.isComplete ? '' : html`${say('bill.atLeast')} `}${charge}</span></h2>
${renderTable(say('bill.caption'), listColumns(bill, prices, say), bill)}${renderNotes(content, say)}${renderMonths(content, say)}${renderCosts(content, say)}${renderPrices(bill, prices, say)}${renderCaps(content, say)}</section>
`;
}

/** Columns of units that nothing stands in are left out. */
function listColumns(bill: readonly BillRow[], prices: PriceBook, say: Say): readonly PageColumn<BillRow>[] {
  const exact = (name: string) => (row: BillRow) => {
    const cell = billColumns.find((column) => column.name === name)?.read(row);
    return typeof cell === 'string' ? separateThousands(cell) : undefined;
  };
  const count = (name: Markup, read: (row: BillRow) => number): PageColumn<BillRow>[] =>
    bill.some((row) => read(row) > 0) ? [{ name, kind: 'number', read }] : [];
  return [
    { name: say('bill.sku'), kind: 'text', read: (row) => row.sku },
    { name: say('bill.account'), kind: 'text', read: (row) => row.account },
    { name: say('bill.units'), kind: 'number', read: (row) => row.observed + row.estimated },
    ...count(say('bill.estimated'), (row) => row.estimated),
    ...count(say('bill.free'), (row) => row.free),
    ...count(say('bill.pack'), (row) => row.pack),
    ...count(say('bill.uncertain'), (row) => row.uncertain),
    { name: say('bill.unitPrice'), kind: 'number', read: exact('unit_price') },
    {
      name: say('bill.charge'),
      kind: 'number',
      read: (row) => renderCharge(row, exact('charge')(row), prices, say),
    },
  ];
}

function renderCharge(row: BillRow, charge: string | undefined, prices: PriceBook, say: Say): Markup {
  if (charge === undefined) return html`<strong>${say('bill.unknownPrice')}</strong>`;
  const currency = row.currency === prices.currency ? row.currency : html`<strong>${row.currency}</strong>`;
  return html`${row.isComplete ? '' : html`${say('bill.atLeast')} `}${charge} ${currency}`;
}

function renderNotes(content: PageContent, say: Say): Markup | undefined {
  const { bill, total, request, gathering } = content;
  const unpriced = [...new Set(bill.filter((row) => !row.isComplete).map((row) => row.sku))];
  const notes = [
    unpriced.length === 0 ? undefined : say('bill.incomplete', { skus: unpriced.join(', ') }),
    total.uncertain === 0 ? undefined : say('bill.uncertainNote', { count: total.uncertain }),
    ...Object.entries(sumAssumptions(bill)).map(([text, count]) =>
      say('bill.assumed', { count, text: sayKnown(text, say) }),
    ),
    ...describeFailures(request, gathering.failureBill.sum(), say),
    describeSaved(content, say),
  ].filter((note) => note !== undefined);
  return notes.length === 0
    ? undefined
    : html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`;
}

/** What failures cost is documented by no vendor: which rule was applied, and what it came to. */
function describeFailures(
  { bookings = {}, prices }: PageContent['request'],
  { tasks, units, charge }: BilledFailures,
  say: Say,
): readonly Markup[] {
  const name = (rule: 'free' | 'billed') => say(`booking.${rule}`);
  const rules = Object.entries(bookings).map(([account, { refused, modelFailed, failedJob }]) =>
    say('booking.rule', {
      account,
      refused: name(refused),
      modelFailed: name(modelFailed),
      failedJob: name(failedJob),
    }),
  );
  if (tasks === 0) return rules;
  const all = Object.values(units).reduce((sum, count) => sum + count, 0);
  const amount = formatMoney(charge, prices.currency);
  return [...rules, say('booking.billedTasks', { count: tasks, units: all, amount })];
}

/** What each SKU of the bill costs, tier by tier. */
function renderPrices(bill: readonly BillRow[], prices: PriceBook, say: Say): Markup | undefined {
  const skus = [...new Set(bill.map((row) => row.sku))];
  const lines = skus.flatMap((sku) => {
    const price = prices.skus.get(sku);
    return price === undefined ? [] : [html`<li><strong>${sku}</strong> ${describePrice(price, say)}</li>`];
  });
  if (lines.length === 0) return undefined;
  return html`<details><summary>${say('bill.prices')}</summary><ul class="notes">${lines}</ul></details>`;
}

function describePrice(price: SkuPrice, say: Say): Markup {
  const { tiers = [], per, increment, currency, free, source, readOn } = price;
  const parts = [
    free && say(free.per === 'once' ? 'bill.freeOnce' : 'bill.freeMonthly', { count: free.units }),
    ...tiers.map((tier) => {
      const amount = html`${separateThousands(formatNano(tier.price))} ${currency}${per === 1 ? '' : say('bill.per', { per })}`;
      return tier.upTo === undefined
        ? say(tiers.length === 1 ? 'bill.everyUnit' : 'bill.beyond', { amount })
        : say('bill.upTo', { amount, units: tier.upTo });
    }),
    tiers.length === 0 ? say('bill.unknownPrice') : undefined,
    increment && say('bill.increment', { units: increment }),
    source === undefined
      ? undefined
      : html`<span class="op">${source}${readOn === undefined ? '' : `, ${readOn}`}</span>`,
  ].filter((part) => part !== undefined);
  return html`${parts.map((part, index) => html`${index === 0 ? '' : say('word.semicolon')}${part}`)}`;
}
