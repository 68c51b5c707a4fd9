/** Bars as SVG, drawn here: no script, no network. */
import { html, type Markup } from '../html/markup.ts';

export interface Bar {
  readonly name: string;
  /** Any measure; the longest bar fills the chart. */
  readonly value: bigint;
  /** Beyond the value: what is only expected. */
  readonly more?: bigint | undefined;
  /** What is said of it. */
  readonly words: string;
}

const height = 120;
const barWidth = 18;
const step = 24;

/** Upright bars in their order, as for days and months; each tells its words. */
export function renderColumns(caption: string, bars: readonly Bar[]): Markup {
  const most = findMost(bars);
  const width = Math.max(1, bars.length) * step;
  const columns = bars.map((bar, index) => {
    const [solid, faint] = [scale(bar.value, most, height), scale(bar.more ?? 0n, most, height)];
    const left = index * step + (step - barWidth) / 2;
    return html`<g><title>${bar.name}: ${bar.words}</title>
<rect class="track" x="${left}" y="${height - solid - faint}" width="${barWidth}" height="${faint}"></rect>
<rect class="bar" x="${left}" y="${height - solid}" width="${barWidth}" height="${solid}"></rect>
<text x="${left + barWidth / 2}" y="${height + 12}" text-anchor="middle">${bar.name.slice(-2)}</text></g>`;
  });
  return html`<figure class="wide"><figcaption>${caption}</figcaption>
<svg viewBox="0 0 ${width} ${height + 16}" width="${width}" height="${height + 16}" role="img" aria-label="${describe(caption, bars)}">
<line class="axis" x1="0" y1="${height}" x2="${width}" y2="${height}"></line>${columns}</svg></figure>
`;
}

/** Lying bars with their names before them, as for SKUs and pipelines; what is only expected is not drawn. */
export function renderBars(caption: string, bars: readonly Bar[]): Markup {
  const most = findMost(bars.map(({ value }) => ({ value })));
  const lines = bars.map(
    (
      bar,
    ) => html`<li><span class="name">${bar.name}</span><svg viewBox="0 0 200 10" width="200" height="10" aria-hidden="true">
<rect class="track" x="0" y="0" width="200" height="10"></rect><rect class="bar" x="0" y="0" width="${scale(bar.value, most, 200)}" height="10"></rect></svg><span>${bar.words}</span></li>`,
  );
  return html`<figure class="wide"><figcaption>${caption}</figcaption><ul class="shares">${lines}</ul></figure>
`;
}

function findMost(bars: readonly Pick<Bar, 'value' | 'more'>[]): bigint {
  return bars.reduce((most, { value, more = 0n }) => (value + more > most ? value + more : most), 1n);
}

function scale(value: bigint, most: bigint, length: number): number {
  const share = Number((value * 10_000n) / most) / 10_000;
  return Math.round(share * length * 10) / 10;
}

function describe(caption: string, bars: readonly Bar[]): string {
  return `${caption}: ${bars.map(({ name, words }) => `${name} ${words}`).join('; ')}`;
}
