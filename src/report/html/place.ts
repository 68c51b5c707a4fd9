/** Verdicts by the folders of the library. */
import { verdicts } from '../../domain/policy.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { PageContent } from '../gather/gathering.ts';
import type { PlaceCount } from '../gather/place.ts';
import type { Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';
import { renderStripe } from './stripe.ts';
import { type PageColumn, renderTable } from './table.ts';

const mostRows = 20;

export function renderPlaces({ gathering }: PageContent, say: Say): Markup {
  const { places } = gathering;
  const all = places.list();
  if (all.length === 0) return html``;
  const rest = all.length - mostRows;
  const notes = [
    rest > 0 ? say('place.more', { count: rest }) : undefined,
    places.unlisted() > 0 ? say('place.unlisted', { count: places.unlisted() }) : undefined,
  ].filter((note) => note !== undefined);
  return html`<section id="places"><h2>${say('place.title')}</h2>
${renderTable(say('place.title'), listColumns(say), all.slice(0, mostRows))}${notes.map((note) => html`<p class="note">${note}</p>`)}</section>
`;
}

function listColumns(say: Say): readonly PageColumn<PlaceCount>[] {
  const order = verdicts.toReversed();
  return [
    {
      name: say('place.place'),
      kind: 'text',
      read: ({ place }) => html`<bdi class="key">${place === '' ? say('place.none') : place}</bdi>`,
    },
    {
      name: say('place.items'),
      kind: 'number',
      read: ({ verdicts: counts }) => order.reduce((sum, verdict) => sum + counts[verdict], 0),
    },
    ...order.map(
      (verdict): PageColumn<PlaceCount> => ({
        name: say(`verdict.${verdict}`),
        kind: 'number',
        read: ({ verdicts: counts }) =>
          counts[verdict] === 0
            ? html`<span class="op">0</span>`
            : html`<span class="asked ${verdict}">${formatCount(counts[verdict])}</span>`,
      }),
    ),
    {
      name: html`<span class="unseen">${say('place.shares')}</span>`,
      kind: 'boolean',
      read: ({ verdicts: counts }) => renderStripe(counts),
    },
  ];
}
