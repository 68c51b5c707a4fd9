/** Histograms as SVG: scores by label and measures by name, with the thresholds of the policy drawn in. */
import { formatCount } from '../../domain/quantity.ts';
import type { Policy, Rule } from '../../domain/policy.ts';
import type { Distribution } from '../gather/distribution.ts';
import type { PageContent } from '../gather/gathering.ts';
import { html, type Markup } from './markup.ts';

/** Charts of labels for each service and op; the rest is named in words. */
const mostCharts = 8;
const [width, height] = [248, 84];

export function renderDistributions({ gathering, request }: PageContent): Markup {
  const all = gathering.distributions.list();
  if (all.length === 0) return html``;
  const blocks = request.services.flatMap(({ name }) => {
    const own = all.filter((one) => one.service === name);
    return own.length === 0 ? [] : [renderService(name, own, request.policy)];
  });
  const unlisted = gathering.distributions.unlisted();
  const rest =
    unlisted === 0
      ? undefined
      : html`<p class="note">${formatCount(unlisted)} more labels are not charted: a service showed over 200 different ones.</p>`;
  return html`<section id="distributions"><h2>Distributions</h2>
<p class="note">How many items at which score or value; the dashed lines are the policy's thresholds.</p>
${blocks}${rest}</section>
`;
}

function renderService(name: string, own: readonly Distribution[], policy: Policy): Markup {
  const ops = [...new Set(own.map((one) => one.op))];
  const shown = ops.flatMap((op) => {
    const ofOp = own.filter((one) => one.op === op);
    const isAsked = (one: Distribution) => Number(findThresholds(policy, one).length > 0);
    return sortAsked(ofOp, isAsked).slice(0, mostCharts);
  });
  const hidden = own.length - shown.length;
  const more =
    hidden === 0
      ? undefined
      : html`<p class="note">and ${formatCount(hidden)} less frequent labels, all in findings.csv</p>`;
  return html`<h3>${name}</h3><div class="charts">${shown.map((one) => renderChart(one, findThresholds(policy, one)))}</div>${more}
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

function renderChart(one: Distribution, thresholds: readonly Threshold[]): Markup {
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
      return html`<rect class="bar" x="${x(bar.from)}" y="${round(height - tall)}" width="${round(wide)}" height="${round(tall)}"><title>${formatNumber(bar.from)} to ${formatNumber(bar.to)}: ${formatCount(bar.count)}</title></rect>`;
    });
  const lines = thresholds.map((line) => {
    const at = x(line.value);
    return html`<line class="threshold ${line.verdict}" x1="${at}" x2="${at}" y1="0" y2="${height}"><title>${line.verdict} ${line.comparator} ${line.value}</title></line>`;
  });
  const asked = thresholds.map(
    (line) =>
      html` <span class="asked ${line.verdict}">${line.verdict} ${line.comparator} ${line.value}</span>`,
  );
  const count = one.histogram.count();
  return html`<figure><figcaption>${one.op === undefined ? '' : html`<span class="op">${one.op}</span> `}<bdi>${one.name}</bdi> <span class="count">${formatCount(count)}</span>${asked}</figcaption>
<svg viewBox="0 -2 ${width} ${height + 16}" role="img" aria-label="${describe(one, thresholds)}">${columns}<line class="axis" x1="0" x2="${width}" y1="${height}" y2="${height}"/>${lines}
<text x="0" y="${height + 12}">${formatNumber(low)}</text><text x="${width}" y="${height + 12}" text-anchor="end">${formatNumber(high)}</text></svg></figure>
`;
}

function describe(one: Distribution, thresholds: readonly Threshold[]): string {
  const bars = one.histogram.bars().filter((bar) => bar.count > 0);
  const words = bars.map((bar) => `${formatNumber(bar.from)} to ${formatNumber(bar.to)}: ${bar.count}`);
  const asked = thresholds.map((line) => `${line.verdict} ${line.comparator} ${line.value}`);
  const title = [one.op, one.name].filter((text) => text !== undefined).join(' ');
  return `Histogram of ${title}. ${words.join(', ')}.${asked.length === 0 ? '' : ` Rules: ${asked.join(', ')}.`}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function formatNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}
