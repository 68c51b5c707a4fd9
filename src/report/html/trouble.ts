/** What went wrong or was left out: failures and held tasks by cause, what was skipped and why, broken rows. */
import { type BrokenRow, lineInFile } from '../../domain/item.ts';
import type { RunRecord } from '../../domain/ledger.ts';
import { formatCount } from '../../domain/quantity.ts';
import { statusOf } from '../../domain/task.ts';
import type { Cause } from '../../domain/summary.ts';
import type { PageContent } from '../gather/gathering.ts';
import { adviseOn } from './advice.ts';
import { sayKnown } from './language/known.ts';
import type { Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';
import { type PageColumn, renderTable } from './table.ts';

export function renderTrouble(content: PageContent, say: Say): Markup {
  const { run, tally } = content;
  const causes = content.gathering.causes.list();
  const failed = causes.filter((cause) => cause.status === 'failed');
  const held = causes.filter((cause) => cause.status === 'held');
  return html`<section id="failures"><h2>${say('trouble.title')} <span class="count">${formatCount(tally.counts.failed)}</span></h2>
${failed.length === 0 ? html`<p class="none">${say('word.none')}</p>` : html`${renderCauses(failed, say)}${renderAgain(run, say)}`}
${held.length === 0 ? undefined : renderHeld(content, held, say)}${renderLeftOut(content, say)}${renderBroken(content, say)}</section>
`;
}

/** Only where the pipeline's name is a plain word, so that nothing strange is pasted into a shell. */
function renderAgain({ pipeline, id }: RunRecord, say: Say): Markup | undefined {
  if (!/^\w[\w.-]*$/.test(pipeline)) return undefined;
  const command = `mediasweep run pipelines/${pipeline}.yaml --only-failed ${id}`;
  return html`<p class="note">${say('trouble.again')} ${renderCommand(command, say)}</p>`;
}

function renderHeld({ tally }: PageContent, held: readonly Cause[], say: Say): Markup {
  const ways = (['list', 'resend', 'forget'] as const).map(
    (way) => html`<li>${renderCommand(`mediasweep held ${way}`, say)} ${say(`held.${way}`)}</li>`,
  );
  return html`<h3>${say('held.title')} <span class="count">${formatCount(tally.counts.held)}</span></h3>
<p class="note">${say('held.about')}</p><ul class="notes">${ways}</ul>
${renderCauses(held, say)}`;
}

/** A command line to be copied; the script makes the button work. */
function renderCommand(command: string, say: Say): Markup {
  return html`<code>${command}</code> <button type="button" class="small copy" data-copy="${command}" aria-label="${say('word.copyOf', { text: command })}">${say('word.copy')}</button>`;
}

function renderCauses(causes: readonly Cause[], say: Say): Markup {
  const lines = causes.map((cause) => {
    const examples = cause.examples.map(
      ({ item, message }) =>
        html`<li><bdi class="key">${item}</bdi>${message === '' ? undefined : html` <q>${message}</q>`}</li>`,
    );
    const http =
      cause.httpStatus === undefined ? undefined : html` <span class="op">HTTP ${cause.httpStatus}</span>`;
    const isTold = cause.code === cause.class || cause.code === String(cause.httpStatus);
    const code = isTold ? undefined : html` <span class="op">${cause.code}</span>`;
    const advice = adviseOn(cause.class, say);
    const rest = cause.count - cause.examples.length;
    return html`<li class="cause"><details><summary><span class="many">${formatCount(cause.count)}</span>
<span><strong>${cause.class || say('trouble.unknown')}</strong>${http}${code} <span class="op">${cause.service}</span>
<q>${cause.examples[0]?.message ?? ''}</q></span></summary>${advice === undefined ? undefined : html`<p class="note">${advice}</p>`}<ul>${examples}</ul>${
      rest > 0 ? html`<p class="note">${say('trouble.more', { count: rest })}</p>` : undefined
    }</details></li>
`;
  });
  return html`<ul class="causes">${lines}</ul>`;
}

interface LeftOut {
  readonly service: string;
  readonly status: 'skipped' | 'over-cap' | 'open';
  readonly reason: string;
  readonly count: number;
}

function renderLeftOut({ taskCounts }: PageContent, say: Say): Markup | undefined {
  const rows = taskCounts
    .flatMap(({ service, state, reason, count }): LeftOut[] => {
      const status = statusOf(state);
      const isLeftOut = status === 'skipped' || status === 'over-cap' || status === 'open';
      return isLeftOut && count > 0 ? [{ service, status, reason, count }] : [];
    })
    .sort((a, b) => b.count - a.count);
  if (rows.length === 0) return undefined;
  const columns: readonly PageColumn<LeftOut>[] = [
    { name: say('leftOut.tasks'), kind: 'number', read: (row) => row.count },
    { name: say('leftOut.service'), kind: 'text', read: (row) => row.service },
    { name: say('leftOut.status'), kind: 'text', read: (row) => say(`status.${row.status}`) },
    { name: say('leftOut.reason'), kind: 'text', read: (row) => sayKnown(row.reason, say) },
  ];
  return html`<h3>${say('leftOut.title')}</h3>${renderTable(say('leftOut.caption'), columns, rows)}`;
}

function renderBroken({ run, broken }: PageContent, say: Say): Markup | undefined {
  const count = Math.max(run.counters.broken, broken.length);
  if (count === 0) return undefined;
  const columns: readonly PageColumn<BrokenRow>[] = [
    { name: say('broken.line'), kind: 'number', read: lineInFile },
    { name: say('broken.what'), kind: 'text', read: (row) => row.message },
  ];
  const more =
    count > broken.length
      ? html`<p class="note">${say('broken.first', { shown: broken.length, all: count })}</p>`
      : undefined;
  return html`<h3>${say('broken.title')} <span class="count">${formatCount(count)}</span></h3>${more}${renderTable(say('broken.title'), columns, broken)}`;
}
