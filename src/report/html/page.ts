/** `report.html`: one file that needs no network and runs nothing but its own script. */
import { createHash } from 'node:crypto';
import type { TextSink } from '../../domain/output.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { PageContent } from '../gather/gathering.ts';
import { readOrigin } from '../gather/media-link.ts';
import { renderAbout } from './about.ts';
import { renderBill } from './bill.ts';
import { renderDistributions } from './distribution.ts';
import { renderFlaggedFrame } from './flagged.ts';
import { embedJson, html, type Markup } from './markup.ts';
import { script } from './script.ts';
import { renderFigures, renderState } from './state.ts';
import { style } from './style.ts';
import { renderTrouble } from './trouble.ts';

/** Writes the page piece by piece: the flagged items may be tens of megabytes. */
export async function writePage(sink: TextSink, content: PageContent): Promise<void> {
  await sink.write(renderHead(content).markup);
  for (const render of sections) await sink.write(render(content).markup);
  await sink.write('</main>\n');
  await writeData(sink, content);
  await sink.write(`<script>${script}</script>\n</body>\n</html>\n`);
}

const sections: readonly ((content: PageContent) => Markup)[] = [
  renderState,
  renderFigures,
  renderFlaggedFrame,
  renderDistributions,
  renderBill,
  renderTrouble,
  renderAbout,
];

function renderHead({ request, run, tally }: PageContent): Markup {
  const { block, review } = tally.verdicts;
  const title = `${run.pipeline}: ${formatCount(block)} block, ${formatCount(review)} review (${run.id})`;
  const raw = (markup: string): Markup => ({ markup });
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${makeContentPolicy(request.publicBaseUrl)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>
<main>
`;
}

/** Nothing is allowed but our own style and script, by their hashes, and media of the public origin. */
export function makeContentPolicy(publicBaseUrl: string | undefined): string {
  const origin = readOrigin(publicBaseUrl);
  const media = origin === undefined ? [] : [`img-src ${origin}`, `media-src ${origin}`];
  return [
    "default-src 'none'",
    `style-src '${hashSource(style)}'`,
    `script-src '${hashSource(script)}'`,
    ...media,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function hashSource(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** A data block: never run, whatever it holds. */
async function writeData(sink: TextSink, { request, gathering, run }: PageContent): Promise<void> {
  const rules = request.policy.rules.map(({ reason, verdict, score, is }) => ({
    reason,
    verdict,
    score,
    is,
  }));
  const scales = gathering.distributions
    .list()
    .filter((one) => one.isMetric)
    .map((one) => {
      const bars = one.histogram.bars();
      return [one.service, one.name, bars[0]?.from ?? 0, bars.at(-1)?.to ?? 0];
    });
  const settings = { run: run.id, isGuarded: request.reports.excel, rules, scales };
  await sink.write(
    `<script type="application/json" id="data">{"settings":${embedJson(JSON.stringify(settings))},"items":[`,
  );
  let pending = '';
  let separator = '\n';
  for (const item of gathering.flagged.list()) {
    pending += separator + embedJson(item);
    separator = ',\n';
    if (pending.length > 65_536) {
      await sink.write(pending);
      pending = '';
    }
  }
  await sink.write(`${pending}\n]}</script>\n`);
}
