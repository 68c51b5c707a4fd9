/** `report.html`: one file that needs no network and runs nothing but its own script. */
import type { TextSink } from '../../domain/output.ts';
import type { PageContent } from '../gather/gathering.ts';
import { readOrigin } from '../gather/media-link.ts';
import { renderAbout } from './about.ts';
import { renderBill } from './bill.ts';
import { renderChanges } from './change.ts';
import { writeData } from './data.ts';
import { renderDistributions } from './distribution.ts';
import { renderFigures } from './figure.ts';
import { renderFlaggedFrame } from './flagged.ts';
import { renderHead } from './head.ts';
import { renderHeader } from './header.ts';
import type { MessageKey } from './language/catalogue.ts';
import { makeSay, type Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';
import { renderPlaces } from './place.ts';
import { script } from './script/index.ts';
import { style } from './style.ts';
import { renderTrouble } from './trouble.ts';

/** Writes the page piece by piece: the flagged items may be tens of megabytes. */
export async function writePage(sink: TextSink, content: PageContent): Promise<void> {
  const say = makeSay(content.request.reports.language);
  await sink.write(renderTop(content, say).markup);
  await sink.write(renderHeader(content, say).markup);
  const parts = sections
    .map(({ id, title, render }) => ({ id, title, part: render(content, say) }))
    .filter(({ part }) => part.markup !== '');
  await sink.write(renderContents(parts, say).markup);
  await sink.write(`<main>\n${renderFigures(content, say).markup}`);
  for (const { part } of parts) await sink.write(part.markup);
  await sink.write('<p id="said" class="unseen" role="status"></p>\n</main>\n');
  await writeData(sink, content, say);
  await sink.write(`<script>${script}</script>\n</body>\n</html>\n`);
}

interface Section {
  readonly id: string;
  readonly title: MessageKey;
  readonly render: (content: PageContent, say: Say) => Markup;
}

/** From what asks for attention to what is looked up; one that renders to nothing is left out. */
const sections: readonly Section[] = [
  { id: 'flagged', title: 'flagged.title', render: renderFlaggedFrame },
  { id: 'change', title: 'change.title', render: renderChanges },
  { id: 'places', title: 'place.title', render: renderPlaces },
  { id: 'distributions', title: 'distribution.title', render: renderDistributions },
  { id: 'bill', title: 'bill.title', render: renderBill },
  { id: 'failures', title: 'trouble.title', render: renderTrouble },
  { id: 'about', title: 'about.title', render: renderAbout },
];

function renderContents(parts: readonly Pick<Section, 'id' | 'title'>[], say: Say): Markup {
  const links = parts.map(({ id, title }) => html`<li><a href="#${id}">${say(title)}</a></li>`);
  return html`<nav class="contents" aria-label="${say('page.contents')}"><ul>${links}</ul></nav>
`;
}

function renderTop({ request, run, tally }: PageContent, say: Say): Markup {
  const { block, review } = tally.verdicts;
  const title = say('page.title', { pipeline: run.pipeline, block, review, run: run.id });
  const mediaOrigin = readOrigin(request.publicBaseUrl);
  const head = renderHead({ lang: say('page.lang'), title, style, script, mediaOrigin });
  return html`${head}<a class="skip" href="#flagged">${say('page.skip')}</a>
`;
}
