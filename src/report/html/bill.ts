/** The bill by SKU, with what is uncertain and what was assumed. */
import { formatMoney } from '../../domain/money.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { PageContent } from '../gather/gathering.ts';
import { billColumns, sumAssumptions } from '../table/bill-table.ts';
import { html, type Markup } from './markup.ts';
import { renderTable } from './table.ts';

export function renderBill({ request, bill, total }: PageContent): Markup {
  if (bill.length === 0) {
    return html`<section id="bill"><h2>Bill</h2><p class="none">Nothing was used.</p></section>
`;
  }
  const charge = formatMoney(total.charge, request.prices.currency);
  const unpriced = bill.filter((row) => !row.isComplete).map((row) => row.sku);
  const notes = [
    total.isComplete
      ? undefined
      : html`<li><strong>Incomplete</strong>: no price is known for all units of ${[...new Set(unpriced)].join(', ')}.</li>`,
    total.uncertain === 0
      ? undefined
      : html`<li>${formatCount(total.uncertain)} units are uncertain: their calls may have been billed. They are outside the charge and inside the caps.</li>`,
    ...Object.entries(sumAssumptions(bill)).map(
      ([text, count]) =>
        html`<li>Assumed for ${formatCount(count)} ${count === 1 ? 'task' : 'tasks'}: ${text}</li>`,
    ),
  ].filter((note) => note !== undefined);
  return html`<section id="bill"><h2>Bill <span class="count">${total.isComplete ? '' : 'at least '}${charge}</span></h2>
${renderTable('Bill by SKU', billColumns, bill)}${notes.length === 0 ? undefined : html`<ul class="notes">${notes}</ul>`}</section>
`;
}
