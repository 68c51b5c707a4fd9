/** Histograms as SVG: scores by label and measures by name, with the thresholds of the policy drawn in. */
import { formatCount } from '../../domain/quantity.ts';
import type { Policy, Rule } from '../../domain/policy.ts';
import type { Distribution } from '../gather/distribution.ts';
import type { PageContent } from '../gather/gathering.ts';
import type { Bar } from '../gather/histogram.ts';
import type { Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';
import { listMeanings, nameLabel } from './meaning.ts';

/** Charts of labels for each service and op; the rest is named in words. */
const mostCharts = 8;
const [width, height] = [248, 84];

export function renderDistributions({ gathering, request }: PageContent, say: Say): Markup {
  const all = gathering.distributions.list();
  if (all.length === 0) return html``;
  const blocks = request.services.flatMap(({ name }) => {
    const own = all.filter((one) => one.service === name);
    return own.length === 0 ? [] : [renderService(name, own, request, say)];
  });
  const unlisted = gathering.distributions.unlisted();
  const rest =
    unlisted === 0
      ? undefined
      : html`<p class="note">${say('distribution.unlisted', { count: unlisted })}</p>`;
  return html`<section id="distributions"><h2>${say('distribution.title')}</h2>
<p class="note">${say('distribution.about')}</p>
${blocks}${rest}</section>
`;
}

function renderService(
  name: string,
  own: readonly Distribution[],
  { policy, services }: PageContent['request'],
  say: Say,
): Markup {
  const meanings = listMeanings(services, say.language);
  const ops = [...new Set(own.map((one) => one.op))];
  const shown = ops.flatMap((op) => {
    const ofOp = own.filter((one) => one.op === op);
    const isAsked = (one: Distribution) => Number(findThresholds(policy, one).length > 0);
    return sortAsked(ofOp, isAsked).slice(0, mostCharts);
  });
  const charts = shown.map((one) => {
    const meaning = one.isMetric ? undefined : meanings[nameLabel(one.op, one.name)];
    return renderChart({ ...one, meaning }, findThresholds(policy, one), say);
  });
  const hidden = own.length - shown.length;
  const more =
    hidden === 0 ? undefined : html`<p class="note">${say('distribution.hidden', { count: hidden })}</p>`;
  return html`<h3>${name}</h3><div class="charts">${charts}</div>${more}
`;
}

/** Those that a rule asks for come first, in the order they had otherwise. */
function sortAsked(list: readonly Distribution[], isAsked: (one: Distribution) => number) {
  return list.toSorted((a, b) => isAsked(b) - isAsked(a));
}

interface Threshold {
  readonly value: number;
  readonly comparator: string;
  readonly verdict: Rule['verdict'];
}

function findThresholds(policy: Policy, one: Distribution): readonly Threshold[] {
  return policy.rules.flatMap((rule) => {
    if (rule.service !== one.service) return [];
    const isMeant = one.isMetric
      ? rule.metric === one.name
      : (rule.op === undefined || rule.op === one.op) && (rule.labels?.includes(one.name) ?? true);
    const asked = one.isMetric ? rule.is : rule.score;
    if (!isMeant || asked === undefined || typeof asked.value !== 'number') return [];
    return [{ value: asked.value, comparator: asked.comparator, verdict: rule.verdict }];
  });
}

/** A distribution, and what its label stands for. */
type Charted = Distribution & { readonly meaning: string | undefined };

function renderChart(one: Charted, thresholds: readonly Threshold[], say: Say): Markup {
  const bars = one.histogram.bars();
  const low = Math.min(bars[0]?.from ?? 0, ...thresholds.map((line) => line.value));
  const high = Math.max(bars.at(-1)?.to ?? 1, ...thresholds.map((line) => line.value));
  const most = bars.reduce((a, b) => Math.max(a, b.count), 1);
  const x = (value: number) => round(((value - low) / (high - low || 1)) * width);
  const columns = bars
    .filter((bar) => bar.count > 0)
    .map((bar) => {
      const tall = Math.max(2, (bar.count / most) * height);
      const wide = Math.max(1, x(bar.to) - x(bar.from) - 1);
      return html`<rect class="bar" x="${x(bar.from)}" y="${round(height - tall)}" width="${round(wide)}" height="${round(tall)}"><title>${describeBar(bar, say)}</title></rect>`;
    });
  const lines = thresholds.map((line) => {
    const at = x(line.value);
    return html`<line class="threshold ${line.verdict}" x1="${at}" x2="${at}" y1="0" y2="${height}"><title>${describeThreshold(line, say)}</title></line>`;
  });
  const asked = thresholds.map(
    (line) => html` <span class="asked ${line.verdict}">${describeThreshold(line, say)}</span>`,
  );
  const count = one.histogram.count();
  return html`<figure><figcaption>${one.op === undefined ? '' : html`<span class="op">${one.op}</span> `}<bdi>${one.name}</bdi>${one.meaning === undefined ? '' : ` ${one.meaning}`} <span class="count">${formatCount(count)}</span>${asked}</figcaption>
<svg viewBox="0 -2 ${width} ${height + 16}" role="img" aria-label="${describe(one, thresholds, say)}">${columns}<line class="axis" x1="0" x2="${width}" y1="${height}" y2="${height}"/>${lines}
<text x="0" y="${height + 12}">${formatNumber(low)}</text><text x="${width}" y="${height + 12}" text-anchor="end">${formatNumber(high)}</text></svg></figure>
`;
}

function describeBar({ from, to, count }: Bar, say: Say): Markup {
  return say('distribution.bar', { from: formatNumber(from), to: formatNumber(to), count });
}

function describeThreshold({ verdict, comparator, value }: Threshold, say: Say): Markup {
  return html`${say(`verdict.${verdict}`)} ${comparator} ${value}`;
}

/** The chart in words, for those who do not see it. */
function describe(one: Charted, thresholds: readonly Threshold[], say: Say): Markup {
  const bars = one.histogram.bars().filter((bar) => bar.count > 0);
  const name = [one.op, one.name, one.meaning].filter((text) => text !== undefined).join(' ');
  return html`${say('distribution.chart', { name })} ${joinWords(
    bars.map((bar) => describeBar(bar, say)),
    say,
  )}. ${joinWords(
    thresholds.map((line) => describeThreshold(line, say)),
    say,
  )}`;
}

function joinWords(words: readonly Markup[], say: Say): Markup {
  return html`${words.map((word, index) => html`${index === 0 ? '' : say('word.comma')}${word}`)}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function formatNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}
