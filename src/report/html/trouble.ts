/** What went wrong or was left out: failures and held tasks by cause, what was skipped and why, broken rows. */
import { type BrokenRow, lineInFile } from '../../domain/item.ts';
import { formatCount } from '../../domain/quantity.ts';
import { statusOf } from '../../domain/task.ts';
import type { Cause } from '../../domain/summary.ts';
import type { PageContent } from '../gather/gathering.ts';
import type { Column } from '../table/column.ts';
import { html, type Markup } from './markup.ts';
import { renderTable } from './table.ts';

export function renderTrouble(content: PageContent): Markup {
  const causes = content.gathering.causes.list();
  const failed = causes.filter((cause) => cause.status === 'failed');
  const held = causes.filter((cause) => cause.status === 'held');
  return html`<section id="failures"><h2>Failures <span class="count">${formatCount(content.tally.counts.failed)}</span></h2>
${failed.length === 0 ? html`<p class="none">None.</p>` : renderCauses(failed)}
${held.length === 0 ? undefined : renderHeld(content, held)}${renderLeftOut(content)}${renderBroken(content)}</section>
`;
}

function renderHeld({ tally }: PageContent, held: readonly Cause[]): Markup {
  return html`<h3>Held <span class="count">${formatCount(tally.counts.held)}</span></h3>
<p class="note">These calls may have been billed and their fate could not be learnt, so they are not sent again by themselves. Their units stand in the bill as uncertain.</p>
${renderCauses(held)}`;
}

function renderCauses(causes: readonly Cause[]): Markup {
  const lines = causes.map((cause) => {
    const examples = cause.examples.map(
      ({ item, message }) => html`<li><bdi class="key">${item}</bdi> <q>${message}</q></li>`,
    );
    const http =
      cause.httpStatus === undefined ? undefined : html` <span class="op">HTTP ${cause.httpStatus}</span>`;
    const code = cause.code === cause.class ? undefined : html` <span class="op">${cause.code}</span>`;
    return html`<li class="cause"><details><summary><span class="many">${formatCount(cause.count)}</span>
<span><strong>${cause.class || 'unknown'}</strong>${http}${code} <span class="op">${cause.service}</span>
<q>${cause.examples[0]?.message ?? ''}</q></span></summary><ul>${examples}</ul>${
      cause.count > cause.examples.length
        ? html`<p class="note">and ${formatCount(cause.count - cause.examples.length)} more, all in failures.csv</p>`
        : undefined
    }</details></li>
`;
  });
  return html`<ul class="causes">${lines}</ul>`;
}

interface LeftOut {
  readonly service: string;
  readonly status: string;
  readonly reason: string;
  readonly count: number;
}

const leftOutColumns: readonly Column<LeftOut>[] = [
  { name: 'tasks', kind: 'number', read: (row) => row.count },
  { name: 'service', kind: 'text', read: (row) => row.service },
  { name: 'status', kind: 'text', read: (row) => row.status },
  { name: 'reason', kind: 'text', read: (row) => row.reason },
];

function renderLeftOut({ taskCounts }: PageContent): Markup | undefined {
  const rows = taskCounts
    .map(({ service, state, reason, count }) => ({ service, status: statusOf(state), reason, count }))
    .filter(({ status, count }) => count > 0 && ['skipped', 'over-cap', 'open'].includes(status))
    .sort((a, b) => b.count - a.count);
  if (rows.length === 0) return undefined;
  return html`<h3>Not asked, or still open</h3>${renderTable('Tasks that were skipped, over the cap or left open', leftOutColumns, rows)}`;
}

const brokenColumns: readonly Column<BrokenRow>[] = [
  { name: 'line', kind: 'number', read: lineInFile },
  { name: 'what is wrong', kind: 'text', read: (row) => row.message },
];

function renderBroken({ run, broken }: PageContent): Markup | undefined {
  const count = Math.max(run.counters.broken, broken.length);
  if (count === 0) return undefined;
  const more =
    count > broken.length
      ? html`<p class="note">The first ${formatCount(broken.length)} of ${formatCount(count)}.</p>`
      : undefined;
  return html`<h3>Broken rows of the manifest <span class="count">${formatCount(count)}</span></h3>${more}${renderTable('Broken rows', brokenColumns, broken)}`;
}
