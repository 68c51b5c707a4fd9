/** The figures that tell whether something needs attention: flagged, change, accounts, spend, trouble. */
import { findTightest } from '../../domain/caps.ts';
import { formatMoney } from '../../domain/money.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { PageContent } from '../gather/gathering.ts';
import { describeCap } from './cap.ts';
import type { Say } from './language/say.ts';
import type { Mood } from './language/state.ts';
import { describeCost } from './change.ts';
import { html, type Markup } from './markup.ts';
import { renderMeter, renderStripe } from './stripe.ts';

/** Causes that are named at the top; the others stand in their section. */
const mostCauses = 2;

export function renderFigures(content: PageContent, say: Say): Markup {
  const figures = [renderFlagged, renderChange, renderSpend, renderTrouble];
  return html`<section class="figures" aria-label="${say('figure.all')}">
${figures.map((render) => render(content, say))}${renderAccounts(content, say)}</section>
`;
}

function renderFigure(
  name: Markup,
  mood: Mood,
  figure: Markup,
  notes: readonly (Markup | undefined)[],
): Markup {
  const lines = notes.map((note) => (note === undefined ? undefined : html`<p>${note}</p>`));
  return html`<div class="figure ${mood}"><h2>${name}</h2><p class="number">${figure}</p>${lines}</div>
`;
}

function renderFlagged({ tally, request }: PageContent, say: Say): Markup {
  const { block, review, incomplete, pass } = tally.verdicts;
  const isJudged = request.policy.rules.length > 0;
  const mood = block > 0 ? 'bad' : review > 0 ? 'warn' : isJudged ? 'good' : 'calm';
  return renderFigure(say('figure.flagged'), mood, html`${formatCount(block + review)}`, [
    html`<span class="chip block">${say('verdict.block')} ${formatCount(block)}</span> <span class="chip review">${say('verdict.review')} ${formatCount(review)}</span>`,
    renderStripe(tally.verdicts),
    isJudged ? say('figure.unflagged', { pass, incomplete }) : say('figure.noPolicy'),
  ]);
}

function renderChange({ change }: PageContent, say: Say): Markup {
  if (change === undefined) {
    return renderFigure(say('figure.change'), 'calm', html`–`, [say('figure.firstRun')]);
  }
  const { newlyFlagged, cleared, verdictChanged, scoreMoved, gone, changed } = change;
  return renderFigure(
    say('figure.change'),
    newlyFlagged > 0 ? 'warn' : 'calm',
    html`${formatCount(newlyFlagged)} <small>${say('change.newlyFlagged')}</small>`,
    [
      say('change.verdicts', { cleared, verdictChanged, scoreMoved }),
      html`${say('change.items', { fresh: change.new, changed })}${gone === null ? '' : say('change.gone', { count: gone })}`,
      html`${describeCost(change.charge, say)}<a href="#change">${say('change.since', { run: change.previous })}</a>`,
    ],
  );
}

function renderAccounts(content: PageContent, say: Say): Markup {
  const { tally } = content;
  const { counts, isBalanced, expected, found } = tally;
  const named = [
    [counts.answered, say('status.answered')],
    [counts.reused, say('status.reused')],
    [counts.skipped, say('status.skipped')],
    [counts.notApplicable, say('status.notApplicable')],
    [counts.failed, say('status.failed')],
    [counts.held, say('status.held')],
    [counts.overCap, say('status.over-cap')],
    [counts.open, say('status.open')],
  ] as const;
  const parts = named.flatMap(([count, name]) => (count > 0 ? [html`${formatCount(count)} ${name}`] : []));
  const sum = parts.map((part, index) => html`${index === 0 ? '= ' : ' + '}${part}`);
  const { items, services } = counts;
  return html`<p class="accounts"><strong>${say('figure.items', { count: items })}</strong> ${say('figure.services', { count: services })} ${parts.length === 0 ? html`= ${say('figure.noTasks')}` : sum}${describeNothing(content, say)}${
    isBalanced ? undefined : html` <strong>${say('figure.unbalanced', { expected, found })}</strong>`
  }</p>
`;
}

/** A run over nothing is complete, and most likely not what was meant. */
function describeNothing({ tally, run }: PageContent, say: Say): Markup | undefined {
  const { items, unselected, broken } = tally.counts;
  if (items + broken > 0 || run.listing !== 'complete' || run.onlyFailed !== undefined) return undefined;
  const words = say(unselected > 0 ? 'figure.nothingSelected' : 'figure.nothingListed', {
    count: unselected,
  });
  return html`${say('word.semicolon')}<strong>${words}</strong>`;
}

function renderSpend({ request, total, tally, spending }: PageContent, say: Say): Markup {
  const { open } = tally.counts;
  const { currency } = request.prices;
  const [amount = '', ...rest] = formatMoney(total.charge, currency).split(' ');
  const isWhole = total.isComplete && open === 0;
  const tightest = findTightest(spending.caps);
  const more = spending.caps.length - 1;
  return renderFigure(
    say('figure.spent'),
    isWhole ? 'calm' : 'warn',
    html`${total.isComplete ? '' : html`<small>${say('bill.atLeast')}</small> `}${amount} <small>${rest.join(' ')}</small>`,
    [
      tightest && renderMeter(tightest),
      tightest &&
        html`<span class="id">${tightest.name}</span> ${describeCap(tightest, currency, say)}${more > 0 ? html` <a href="#caps">${say('spend.moreCaps', { count: more })}</a>` : undefined}`,
      html`${isWhole ? say('spend.complete') : undefined}${total.isComplete ? undefined : html`<strong>${say('spend.unpriced')}</strong>`}${open === 0 ? undefined : html` ${say('spend.open', { count: open })}`}`,
      ...Object.entries(spending.overrun).map(
        ([sku, count]) => html`<strong>${say('spend.overrun', { count, sku })}</strong>`,
      ),
    ],
  );
}

function renderTrouble({ tally, run, gathering }: PageContent, say: Say): Markup {
  const { failed, held, open, overCap } = tally.counts;
  const broken = run.counters.broken;
  const mood = failed + held > 0 ? 'bad' : open + overCap + broken > 0 ? 'warn' : 'good';
  const rest = [
    ...gathering.causes
      .list()
      .slice(0, mostCauses)
      .map((cause) => html`${formatCount(cause.count)} × ${cause.class}`),
    ...(open > 0 ? [html`${formatCount(open)} ${say('status.open')}`] : []),
    ...(overCap > 0 ? [html`${formatCount(overCap)} ${say('status.over-cap')}`] : []),
    ...(broken > 0 ? [say('figure.broken', { count: broken })] : []),
  ];
  return renderFigure(say('figure.trouble'), mood, html`${formatCount(failed + held)}`, [
    say('figure.troubled', { failed, held }),
    rest.length === 0
      ? undefined
      : html`${rest.map((text, index) => html`${index === 0 ? '' : say('word.comma')}${text}`)}`,
  ]);
}
