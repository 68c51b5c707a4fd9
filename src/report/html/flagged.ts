/** The frame of the flagged items; the script fills it from the data that the page carries. */
import { decisionVerdicts } from '../../domain/decision.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { PageContent } from '../gather/gathering.ts';
import type { Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';

export function renderFlaggedFrame({ gathering, request, change }: PageContent, say: Say): Markup {
  const { flagged } = gathering;
  const count = flagged.count();
  if (count === 0) {
    const words = say(request.policy.rules.length === 0 ? 'flagged.noPolicy' : 'flagged.nothing');
    return html`<section id="flagged"><h2>${say('flagged.title')}</h2><p class="none">${words}</p></section>
`;
  }
  const carried = flagged.carried();
  const note =
    carried === count
      ? undefined
      : html`<p class="note">${say('flagged.worst', { carried, all: count })}</p>`;
  const any = html`<option value="">${say('filter.all')}</option>`;
  const changes = change === undefined ? undefined : renderChangeFilter(any, say);
  const decided = flagged.decided();
  const decisions = decided === 0 ? undefined : renderDecisionFilter(any, say);
  const tally =
    decided === 0 ? undefined : html`${say('word.comma')}${say('flagged.decided', { count: decided })}`;
  return html`<section id="flagged"><h2>${say('flagged.title')} <span class="count">${say('flagged.order', { all: formatCount(count) })}${tally}</span></h2>
${note}<noscript><p class="note">${say('flagged.noScript')}</p></noscript>
<form id="filters" class="filters" hidden role="search" aria-label="${say('filter.title')}">
<label>${say('filter.verdict')} <select id="by-verdict">${any}<option value="block">${say('verdict.block')}</option><option value="review">${say('verdict.review')}</option></select></label>
<label>${say('filter.service')} <select id="by-service">${any}</select></label>
<label>${say('filter.label')} <select id="by-label">${any}</select></label>
<label>${say('filter.place')} <input id="by-place" class="prefix" list="places" placeholder="${say('filter.placeHint')}" autocomplete="off" spellcheck="false"></label><datalist id="places"></datalist>
${changes}${decisions}<fieldset><legend>${say('filter.score')}</legend><input id="by-least" type="number" step="any" aria-label="${say('filter.least')}" placeholder="≥"> <input id="by-most" type="number" step="any" aria-label="${say('filter.most')}" placeholder="≤"></fieldset>
<label class="wide">${say('filter.search')} <input id="by-text" type="search" placeholder="${say('filter.searchHint')}" autocomplete="off" spellcheck="false"></label>
<button id="clear" type="button">${say('filter.clear')}</button>
<button id="export" type="button">${say('filter.export')}</button>
</form>
<p id="found" class="found" hidden role="status" aria-live="polite">${say('flagged.loading')}</p>
<ol id="items" class="items" aria-busy="true"></ol>
<nav id="pages" class="pages" aria-label="${say('flagged.pages')}"></nav>
</section>
`;
}

function renderDecisionFilter(any: Markup, say: Say): Markup {
  const verdicts = decisionVerdicts.map(
    (verdict) => html`<option value="${verdict}">${say(`verdict.${verdict}`)}</option>`,
  );
  return html`<label>${say('filter.decision')} <select id="by-decision">${any}<option value="none">${say('filter.undecided')}</option>${verdicts}</select></label>
`;
}

function renderChangeFilter(any: Markup, say: Say): Markup {
  return html`<label>${say('filter.change')} <select id="by-change">${any}<option value="new">${say('filter.newItem')}</option><option value="flip">${say('filter.flip')}</option><option value="moved">${say('filter.moved')}</option><option value="same">${say('filter.same')}</option></select></label>
`;
}
