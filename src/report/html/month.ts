/** How far each account has come through the tiers of the month, and what that leaves of free quota and packs. */
import type { AccountStand } from '../../domain/cost.ts';
import { formatMoney, formatNano } from '../../domain/money.ts';
import { countBilled, type PriceBook, priceOf } from '../../domain/pricing.ts';
import { formatCount } from '../../domain/quantity.ts';
import { walkMonth } from '../../domain/tier-walk.ts';
import type { PageContent } from '../gather/gathering.ts';
import type { Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';
import { renderGauge } from './stripe.ts';
import { type PageColumn, renderTable, separateThousands } from './table.ts';

/** Empty where no account has used anything, and none has a pack. */
export function renderMonths({ months, bill, request }: PageContent, say: Say): readonly Markup[] {
  const { prices } = request;
  return months.flatMap(({ month, stands }) => {
    const used = stands.filter(
      ({ account, sku, tierUnits, packs }) =>
        tierUnits > 0 || packs.length > 0 || bill.some((row) => row.account === account && row.sku === sku),
    );
    if (used.length === 0) return [];
    const packs = used.flatMap((stand) => listPacks(stand, prices.currency, say));
    return [
      html`<h3>${say('month.title', { month })}</h3><p class="note">${say('month.about')}</p>
${renderTable(say('month.title', { month }), listColumns(used, prices, say), used)}${packs.length === 0 ? undefined : html`<ul class="notes">${packs}</ul>`}`,
    ];
  });
}

/** Columns in which nothing stands are left out. */
function listColumns(
  stands: readonly AccountStand[],
  prices: PriceBook,
  say: Say,
): readonly PageColumn<AccountStand>[] {
  const count = (name: Markup, read: (stand: AccountStand) => number): PageColumn<AccountStand>[] =>
    stands.some((stand) => read(stand) > 0) ? [{ name, kind: 'number', read }] : [];
  return [
    { name: say('bill.sku'), kind: 'text', read: ({ sku }) => sku },
    { name: say('bill.account'), kind: 'text', read: ({ account }) => account },
    ...count(say('month.freeLeft'), ({ freeLeft }) => freeLeft),
    { name: say('month.units'), kind: 'number', read: ({ tierUnits }) => tierUnits },
    ...count(say('month.elsewhere'), ({ elsewhere }) => elsewhere),
    { name: say('month.walk'), kind: 'text', read: (stand) => describeWalk(stand, prices, say) },
    { name: say('month.next'), kind: 'text', read: (stand) => describeNext(stand, prices, say) },
  ];
}

/** `3,000,000 at 0.155 + 402,118 at 0.145 CNY per 100`. */
function describeWalk({ sku, tierUnits }: AccountStand, prices: PriceBook, say: Say): Markup {
  const price = priceOf(prices, sku);
  if (price.tiers === undefined) return html`<strong>${say('bill.unknownPrice')}</strong>`;
  if (tierUnits === 0) return html`–`;
  const steps = walkMonth(price, 0, tierUnits);
  const walked = steps.reduce((sum, { units }) => sum + units, 0);
  const parts = [
    ...steps.map(({ units, price: amount }) =>
      say('month.step', { units, amount: separateThousands(formatNano(amount)) }),
    ),
    ...(walked < tierUnits ? [say('month.unpriced', { units: tierUnits - walked })] : []),
  ];
  const unit = html`${price.currency}${price.per === 1 ? '' : say('bill.per', { per: price.per })}`;
  return html`${parts.map((part, index) => html`${index === 0 ? '' : ' + '}${part}`)} <span class="op">${unit}</span>`;
}

/** How far the tier has been filled, and what comes after it. */
function describeNext({ sku, tierUnits, price: tier }: AccountStand, prices: PriceBook, say: Say): Markup {
  if (tier === undefined) return html`–`;
  if (tier.upTo === undefined) return say('month.lastTier');
  const price = priceOf(prices, sku);
  const { upTo } = tier;
  const from = (price.tiers ?? []).reduce(
    (most, { upTo: end = 0 }) => (end < upTo ? Math.max(most, end) : most),
    0,
  );
  const after = price.tiers?.find(({ upTo: end }) => end === undefined || end > upTo);
  const billed = countBilled(price, tierUnits);
  const words = say('month.toNext', {
    units: upTo - billed,
    amount: after ? separateThousands(formatNano(after.price)) : say('bill.unknownPrice'),
  });
  return html`${renderGauge((billed - from) / (upTo - from))}${words}`;
}

function listPacks({ account, sku, packs }: AccountStand, currency: string, say: Say): readonly Markup[] {
  return packs.map(({ units, expires, used, left, sunk, isExpired }) => {
    const rest = say(isExpired ? 'month.packLost' : 'month.packLeft', {
      left,
      amount: formatMoney(sunk, currency),
    });
    return html`<li>${say('month.pack', { sku, account, units, expires, used: formatCount(used) })}${rest}</li>`;
  });
}
