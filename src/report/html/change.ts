/** What is different since the run before. */
import type { RunChange } from '../../domain/change.ts';
import { formatMoney, parseNano } from '../../domain/money.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { PageContent } from '../gather/gathering.ts';
import { formatInstant } from './instant.ts';
import type { Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';

export function renderChanges({ change, request }: PageContent, say: Say): Markup {
  if (change === undefined) return html``;
  const since = say('change.sinceWhen', {
    run: html`<span class="id">${change.previous}</span>`,
    when: formatInstant(change.previousStartedAt, request.reports.timezone),
  });
  const numbers = [
    [say('change.new'), change.new],
    [say('change.changed'), change.changed],
    ...(change.gone === null ? [] : [[say('change.goneItems'), change.gone] as const]),
    [say('change.newlyFlaggedItems'), change.newlyFlagged],
    [say('change.cleared'), change.cleared],
    [say('change.moved', { by: String(change.movedBy) }), change.scoreMoved],
  ] as const;
  const verdicts = change.verdicts.map(
    ({ from, to, count }) =>
      html`<li><strong>${formatCount(count)}</strong> <span class="chip ${from}">${say(`verdict.${from}`)}</span> → <span class="chip ${to}">${say(`verdict.${to}`)}</span></li>`,
  );
  return html`<section id="change"><h2>${say('change.title')} <span class="count">${since}</span></h2>
<dl class="numbers">${numbers.map(([name, count]) => html`<div><dt>${name}</dt><dd>${formatCount(count)}</dd></div>`)}</dl>
<p class="note">${say('change.charge', { before: showMoney(change.charge, 'before'), after: showMoney(change.charge, 'after') })} ${describeCost(change.charge, say)}${change.charge.complete ? undefined : say('change.unpriced')}</p>
<h3>${say('change.verdictsTitle')} <span class="count">${formatCount(change.verdictChanged)}</span></h3>
${verdicts.length === 0 ? html`<p class="none">${say('word.none')}</p>` : html`<ul class="flips">${verdicts}</ul>`}
${change.gone === null ? html`<p class="note">${say('change.goneUnknown')}</p>` : undefined}</section>
`;
}

function showMoney(charge: RunChange['charge'], when: 'before' | 'after'): string {
  const amount = parseNano(charge[when]);
  return amount === undefined ? `${charge[when]} ${charge.currency}` : formatMoney(amount, charge.currency);
}

/** `cost −3.1 %`; nothing where the run before cost nothing or a price is missing. */
export function describeCost({ before, after, complete }: RunChange['charge'], say: Say): Markup {
  const [from, to] = [Number(before), Number(after)];
  if (!complete || from === 0) return html``;
  const percent = ((to - from) / from) * 100;
  const size = Math.abs(percent);
  const sign = percent > 0 ? '+' : percent < 0 ? '\u2212' : '\u00B1';
  return html`${say('change.cost', { percent: `${sign}${size < 10 ? size.toFixed(1) : formatCount(Math.round(size))}` })} `;
}
