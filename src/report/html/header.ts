/** The top of the page: what was run, how it ended, and when. */
import type { RunRecord } from '../../domain/ledger.ts';
import { exitCodes } from '../../domain/problem.ts';
import type { PageContent } from '../gather/gathering.ts';
import type { ReportTally } from '../summary.ts';
import { formatInstant } from './instant.ts';
import type { Say } from './language/say.ts';
import { type State, stateOf } from './language/state.ts';
import { html, type Markup } from './markup.ts';

function findState({ exitCode, state, canary }: RunRecord): State {
  return exitCode === undefined ? unfinished[state] : stateOf(exitCode, canary?.state === 'stopped');
}

const unfinished: Readonly<Record<RunRecord['state'], State>> = {
  running: { word: 'state.running', words: 'state.runningWords', mood: 'calm' },
  finished: { word: 'state.finished', words: 'exit.0', mood: 'good' },
  stopped: { word: 'state.stopped', words: 'exit.130', mood: 'warn' },
  superseded: { word: 'state.superseded', words: 'state.supersededWords', mood: 'calm' },
};

export function renderHeader({ request, run, tally }: PageContent, say: Say): Markup {
  const state = findState(run);
  const { timezone } = request.reports;
  const end = run.endedAt;
  const facts = [
    html`${renderTime(run.startedAt, timezone)}${end === undefined ? '' : html` – ${renderTime(end, timezone)}`} ${timezone}`,
    end === undefined ? undefined : say.duration(Date.parse(end) - Date.parse(run.startedAt)),
    run.exitCode === undefined
      ? undefined
      : say('state.exit', { code: run.exitCode, words: say(state.words) }),
    run.listing === 'partial' ? html`<strong>${say('state.partial')}</strong>` : undefined,
  ].filter((fact) => fact !== undefined);
  return html`<header>
<h1>${run.pipeline}</h1>
<p class="run">${run.id}</p>
<p class="state ${state.mood}"><strong>${say(state.word)}</strong>${describeWhy(run, tally, state, say)}</p>
<p class="when">${facts.map((fact, index) => html`${index === 0 ? '' : ' · '}<span>${fact}</span>`)}</p>
</header>
`;
}

function renderTime(iso: string, timezone: string): Markup {
  return html`<time datetime="${iso}">${formatInstant(iso, timezone)}</time>`;
}

/** The words of the run are English: another language says the same from the counts, and quotes them where they say more. */
function describeWhy({ exitCode, why }: RunRecord, tally: ReportTally, state: State, say: Say): Markup {
  if (say.language === 'en') return describeInOwnWords(why, state, say);
  const { failed, held, overCap } = tally.counts;
  const { block, review } = tally.verdicts;
  const words = say(state.words);
  if (exitCode === exitCodes.complete) return html``;
  if (exitCode === exitCodes.failures) return html` ${say('state.failures', { failed, held })}`;
  if (exitCode === exitCodes.flagged) return html` ${say('state.flagged', { count: block + review })}`;
  if (exitCode === exitCodes.capped && overCap > 0) {
    return html` ${words}${say('state.overCap', { count: overCap })}`;
  }
  const isTelling = exitCode === exitCodes.halted || exitCode === exitCodes.ourMistake;
  return html` ${words}${isTelling && why !== undefined ? html` <q lang="en">${why}</q>` : undefined}`;
}

/** They may begin with the state itself, such as "finished with 14 failures". */
function describeInOwnWords(why: string | undefined, state: State, say: Say): Markup {
  const word = say(state.word).markup;
  if (why === undefined) return html` ${say(state.words)}`;
  const rest = why.toLowerCase().startsWith(word.toLowerCase()) ? why.slice(word.length).trim() : why;
  return rest === '' ? html`` : html` ${rest}`;
}
