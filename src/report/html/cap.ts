/** The caps that held for the run, and how far each had come. */
import { type CapStand, isPassed } from '../../domain/caps.ts';
import { formatMoney } from '../../domain/money.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { PageContent } from '../gather/gathering.ts';
import type { Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';
import { renderMeter } from './stripe.ts';
import { renderTable } from './table.ts';

export function renderCaps({ spending, request }: PageContent, say: Say): Markup | undefined {
  if (spending.caps.length === 0) return undefined;
  const { currency } = request.prices;
  const columns = [
    { name: say('cap.name'), kind: 'text', read: (cap: CapStand) => cap.name },
    { name: say('cap.used'), kind: 'number', read: (cap: CapStand) => describeCap(cap, currency, say) },
    { name: html`<span class="unseen">${say('cap.share')}</span>`, kind: 'boolean', read: renderMeter },
  ] as const;
  return html`<h3 id="caps">${say('cap.title')}</h3>${renderTable(say('cap.title'), columns, spending.caps)}`;
}

/** `5,207.69 + 114.77 reserved of 6,000.00 CNY`; strong where it is passed. */
export function describeCap(cap: CapStand, currency: string, say: Say): Markup {
  const money = (amount: bigint) => formatMoney(amount, '').trim();
  const show = (amount: bigint) => (cap.sku === undefined ? money(amount) : formatCount(Number(amount)));
  const words = say('spend.ofCap', {
    spent: show(cap.spent),
    reserved: cap.reserved > 0n ? say('spend.reserved', { amount: show(cap.reserved) }) : '',
    limit: cap.sku === undefined ? `${money(cap.limit)} ${currency}` : show(cap.limit),
  });
  return isPassed(cap) ? html`<strong>${words}</strong>` : words;
}
