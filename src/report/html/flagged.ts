/** The frame of the flagged items; the script fills it from the data that the page carries. */
import { formatCount } from '../../domain/quantity.ts';
import { type PageContent } from '../gather/gathering.ts';
import { mostFlagged } from '../gather/flagged.ts';
import { html, type Markup } from './markup.ts';

export function renderFlaggedFrame({ gathering, request }: PageContent): Markup {
  const count = gathering.flagged.count();
  if (count === 0) {
    const words =
      request.policy.rules.length === 0
        ? 'The pipeline has no policy, so nothing is judged: set policy: to have items flagged.'
        : 'Nothing. No rule of the policy matched.';
    return html`<section id="flagged"><h2>Flagged items</h2><p class="none">${words}</p></section>
`;
  }
  const note =
    count <= mostFlagged
      ? undefined
      : html`<p class="note">The worst ${formatCount(mostFlagged)} of ${formatCount(count)} are on this page. All of them are in items.csv and tasks.jsonl.</p>`;
  return html`<section id="flagged"><h2>Flagged items <span class="count">${formatCount(count)}, worst first</span></h2>
${note}<noscript><p class="note">This list needs JavaScript. The same items are in items.csv, their labels in findings.csv.</p></noscript>
<form id="filters" class="filters" role="search" aria-label="Filter the flagged items">
<label>Verdict <select id="by-verdict"><option value="">all</option><option>block</option><option>review</option></select></label>
<label>Service <select id="by-service"><option value="">all</option></select></label>
<label>Label <select id="by-label"><option value="">all</option></select></label>
<label class="wide">Search <input id="by-text" type="search" placeholder="key, bucket, label or reason" autocomplete="off" spellcheck="false"></label>
<button id="clear" type="button">Clear</button>
<button id="export" type="button">Export as CSV</button>
</form>
<p id="found" class="found" role="status" aria-live="polite"></p>
<ol id="items" class="items"></ol>
<nav id="pages" class="pages" aria-label="Pages of flagged items"></nav>
</section>
`;
}
