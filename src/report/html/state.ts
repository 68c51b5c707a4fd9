/** The top of the page: one line of state, and the figures that tell whether something needs attention. */
import { type CapStand, isPassed } from '../../domain/caps.ts';
import { formatMoney } from '../../domain/money.ts';
import type { ExitCode } from '../../domain/problem.ts';
import { formatCount, formatDuration } from '../../domain/quantity.ts';
import type { Units } from '../../domain/usage.ts';
import type { PageContent } from '../gather/gathering.ts';
import { formatInstant } from './instant.ts';
import { html, type Markup } from './markup.ts';

type Mood = 'good' | 'warn' | 'bad' | 'calm';

/** What each exit code says of a run, and how it looks. */
const states: Readonly<
  Record<ExitCode, { readonly word: string; readonly words: string; readonly mood: Mood }>
> = {
  0: { word: 'Finished', words: 'complete', mood: 'good' },
  1: { word: 'Finished', words: 'with failed or held tasks', mood: 'warn' },
  2: { word: 'Not started', words: 'wrong use or configuration', mood: 'bad' },
  3: { word: 'Halted', words: 'a vendor or a dependency was lost; run again to go on', mood: 'bad' },
  4: { word: 'Stopped', words: 'at a cap or a deadline; run again to go on', mood: 'warn' },
  5: { word: 'Finished', words: 'with verdicts that were to be reported', mood: 'warn' },
  6: { word: 'Not started', words: 'another run holds the pipeline', mood: 'bad' },
  70: { word: 'Our mistake', words: 'tasks are unaccounted for, or the program failed', mood: 'bad' },
  130: { word: 'Interrupted', words: 'run again to go on', mood: 'warn' },
  143: { word: 'Interrupted', words: 'run again to go on', mood: 'warn' },
};

const unfinished = {
  running: { word: 'Running', words: 'or ended without a word; this is what is known so far', mood: 'calm' },
  finished: { word: 'Finished', words: '', mood: 'good' },
  stopped: { word: 'Stopped', words: 'run again to go on', mood: 'warn' },
  superseded: { word: 'Superseded', words: 'a later run took its open jobs over', mood: 'calm' },
} as const;

export function renderState({ request, run }: PageContent): Markup {
  const state = run.exitCode === undefined ? unfinished[run.state] : states[run.exitCode];
  const { timezone } = request.reports;
  const end = run.endedAt;
  const took = end === undefined ? '' : formatDuration(Date.parse(end) - Date.parse(run.startedAt));
  // The words of the run may begin with the state itself, such as "finished with 14 failures".
  const why = run.why ?? state.words;
  const words = why.toLowerCase().startsWith(state.word.toLowerCase())
    ? why.slice(state.word.length).trim()
    : why;
  return html`<header>
<p class="run">${run.id}</p>
<h1>${run.pipeline}</h1>
<p class="state ${state.mood}"><strong>${state.word}</strong>${words === '' ? '' : ` ${words}`}</p>
<p class="when">${formatInstant(run.startedAt, timezone)}${end === undefined ? '' : html` to <time datetime="${end}">${formatInstant(end, timezone)}</time>`}
 <span>${timezone}</span>${took === '' ? '' : html` · <span>${took}</span>`}${
   run.exitCode === undefined
     ? ''
     : html` · <span>exit code ${run.exitCode}, ${states[run.exitCode].words}</span>`
 }${run.listing === 'partial' ? html` · <strong>listing incomplete</strong>` : ''}</p>
</header>
`;
}

export function renderFigures(content: PageContent): Markup {
  return html`<section class="figures" aria-label="At a glance">
${renderFlagged(content)}${renderChange(content)}${renderAccounts(content)}${renderSpend(content)}${renderTrouble(content)}
</section>
`;
}

function renderFigure(name: string, mood: Mood, figure: Markup, notes: readonly (Markup | string)[]): Markup {
  const lines = notes.map((note) => html`<p>${note}</p>`);
  return html`<div class="figure ${mood}"><h2>${name}</h2><p class="number">${figure}</p>${lines}</div>
`;
}

function renderFlagged({ tally }: PageContent): Markup {
  const { block, review, incomplete, pass } = tally.verdicts;
  const mood = block > 0 ? 'bad' : review > 0 ? 'warn' : 'good';
  return renderFigure('Flagged', mood, html`${formatCount(block + review)}`, [
    html`<span class="chip block">block ${formatCount(block)}</span> <span class="chip review">review ${formatCount(review)}</span>`,
    `pass ${formatCount(pass)}, incomplete ${formatCount(incomplete)}`,
  ]);
}

function renderChange({ change }: PageContent): Markup | undefined {
  if (change === undefined) return undefined;
  const { newlyFlagged, cleared, verdictChanged, scoreMoved, gone } = change;
  const mood = newlyFlagged > 0 ? 'warn' : 'calm';
  return renderFigure('Change', mood, html`${formatCount(newlyFlagged)} <small>newly flagged</small>`, [
    `${formatCount(cleared)} cleared, ${formatCount(verdictChanged)} verdicts changed, ${formatCount(scoreMoved)} scores moved`,
    `items: ${formatCount(change.new)} new, ${formatCount(change.changed)} changed${gone === null ? '' : `, ${formatCount(gone)} gone`}`,
    html`since <span class="id">${change.previous}</span>`,
  ]);
}

function renderAccounts({ tally }: PageContent): Markup {
  const { counts, isBalanced, expected, found } = tally;
  const named: readonly (readonly [number, string])[] = [
    [counts.answered, 'answered'],
    [counts.reused, 'reused'],
    [counts.skipped, 'skipped'],
    [counts.notApplicable, 'not applicable'],
    [counts.failed, 'failed'],
    [counts.held, 'held'],
    [counts.overCap, 'over the cap'],
    [counts.open, 'open'],
  ];
  const parts = named.filter(([count]) => count > 0).map(([count, name]) => `${formatCount(count)} ${name}`);
  const services = `${formatCount(counts.services)} ${counts.services === 1 ? 'service' : 'services'}`;
  return renderFigure(
    'Items',
    isBalanced ? 'calm' : 'bad',
    html`${formatCount(counts.items)} <small>\u00D7 ${services}</small>`,
    [
      parts.length === 0 ? 'no tasks' : `= ${parts.join(' + ')}`,
      isBalanced
        ? ''
        : html`<strong>not balanced: ${formatCount(expected)} expected, ${formatCount(found)} found</strong>`,
    ],
  );
}

function describeCompleteness(isPriced: boolean, open: number): Markup {
  if (isPriced && open === 0) return html`complete`;
  const lacks = [
    ...(isPriced ? [] : ['some units have no price']),
    ...(open === 0 ? [] : [`${formatCount(open)} open tasks are not charged yet`]),
  ];
  return html`<strong>so far</strong>, incomplete: ${lacks.join('; ')}`;
}

function renderSpend({ request, total, tally, spending }: PageContent): Markup {
  const { open } = tally.counts;
  const { currency } = request.prices;
  const units = Object.values(total.units).reduce((sum, count) => sum + count, 0);
  const [amount = '', ...rest] = formatMoney(total.charge, currency).split(' ');
  return renderFigure(
    'Spent',
    total.isComplete && open === 0 ? 'calm' : 'warn',
    html`${amount} <small>${rest.join(' ')}</small>`,
    [
      describeCompleteness(total.isComplete, open),
      `${formatCount(units)} units${total.uncertain === 0 ? '' : `, ${formatCount(total.uncertain)} more uncertain`}`,
      ...spending.caps.map((cap) => renderCap(cap, currency)),
      ...renderOverrun(spending.overrun),
    ],
  );
}

function renderCap(cap: CapStand, currency: string): Markup {
  const show = (amount: bigint) =>
    cap.sku === undefined ? formatMoney(amount, currency).trim() : formatCount(Number(amount));
  const held = cap.reserved > 0n ? `, ${show(cap.reserved)} reserved` : '';
  const words = `${show(cap.spent)} spent${held}, of ${show(cap.limit)}`;
  return html`<span class="id">${cap.name}</span>: ${isPassed(cap) ? html`<strong>${words}</strong>` : words}`;
}

function renderOverrun(overrun: Units): readonly Markup[] {
  return Object.entries(overrun).map(
    ([sku, count]) =>
      html`<strong>overrun</strong>: ${formatCount(count)} units of ${sku} beyond what was reserved`,
  );
}

function renderTrouble({ tally, run }: PageContent): Markup {
  const { failed, held, open, overCap } = tally.counts;
  const broken = run.counters.broken;
  const mood = failed + held > 0 ? 'bad' : open + overCap + broken > 0 ? 'warn' : 'good';
  const rest = [
    open > 0 ? `${formatCount(open)} open` : '',
    overCap > 0 ? `${formatCount(overCap)} over the cap` : '',
    broken > 0 ? `${formatCount(broken)} broken rows` : '',
  ].filter((text) => text !== '');
  return renderFigure('Failed and held', mood, html`${formatCount(failed + held)}`, [
    `failed ${formatCount(failed)}, held ${formatCount(held)}`,
    rest.join(', '),
  ]);
}
