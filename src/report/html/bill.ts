/** The bill by SKU, with what is uncertain and what was assumed. */
import { type BilledFailures, formatBooking } from '../../domain/booking.ts';
import { formatMoney } from '../../domain/money.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { PageContent } from '../gather/gathering.ts';
import { billColumns, sumAssumptions } from '../table/bill-table.ts';
import { html, type Markup } from './markup.ts';
import { renderTable } from './table.ts';

export function renderBill({ request, bill, total, gathering }: PageContent): Markup {
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
    ...describeFailures(request, gathering.failureBill.sum()),
  ].filter((note) => note !== undefined);
  return html`<section id="bill"><h2>Bill <span class="count">${total.isComplete ? '' : 'at least '}${charge}</span></h2>
${renderTable('Bill by SKU', billColumns, bill)}${notes.length === 0 ? undefined : html`<ul class="notes">${notes}</ul>`}</section>
`;
}

/** What failures cost is documented by no vendor: which rule was applied, and what it came to. */
function describeFailures(
  { bookings = {}, prices }: PageContent['request'],
  { tasks, units, charge }: BilledFailures,
): readonly Markup[] {
  const rules = Object.entries(bookings).map(
    ([account, rule]) => html`<li>Booked for failed calls of ${account}: ${formatBooking(rule)}.</li>`,
  );
  if (tasks === 0) return rules;
  const all = Object.values(units).reduce((sum, count) => sum + count, 0);
  const words = `${formatCount(tasks)} failed ${tasks === 1 ? 'task' : 'tasks'} billed`;
  const amount = formatMoney(charge, prices.currency);
  return [...rules, html`<li>${words}, ${formatCount(all)} units, ${amount}: within the bill.</li>`];
}
