/** What was run: enough to know which configuration gave these results. */
import { formatCount } from '../../domain/quantity.ts';
import { formatCondition } from '../../domain/policy.ts';
import type { PageContent } from '../gather/gathering.ts';
import type { ReportService } from '../request.ts';
import type { Column } from '../table/column.ts';
import { formatInstant } from './instant.ts';
import { html, type Markup } from './markup.ts';
import { renderTable } from './table.ts';

const serviceColumns: readonly Column<ReportService>[] = [
  { name: 'service', kind: 'text', read: (row) => row.name },
  { name: 'catalogue', kind: 'text', read: (row) => row.use },
  { name: 'vendor', kind: 'text', read: (row) => row.vendor },
  { name: 'account', kind: 'text', read: (row) => row.account },
];

export function renderAbout({ request, run }: PageContent): Markup {
  const { policy, services, reports, facts = [] } = request;
  const rules = policy.rules.map(
    (rule) =>
      html`<li><span class="chip ${rule.verdict}">${rule.verdict}</span> ${rule.reason} <span class="op">${formatCondition(rule)}</span></li>`,
  );
  const lines = [
    { name: 'Pipeline', value: run.pipeline },
    { name: 'Run', value: run.id },
    { name: 'Configuration', value: run.hash },
    {
      name: 'Listing',
      value: `${run.listing}; ${formatCount(run.counters.items)} selected, ${formatCount(run.counters.unselected)} left out by select`,
    },
    { name: 'Began', value: `${formatInstant(run.startedAt, reports.timezone)} ${reports.timezone}` },
    { name: 'Policy', value: `${policy.name}, ${formatCount(policy.rules.length)} rules` },
    ...facts,
  ];
  return html`<section id="about"><h2>What was run</h2>
<dl>${lines.map(({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${renderTable('Services', serviceColumns, services)}${rules.length === 0 ? undefined : html`<details><summary>Rules of the policy</summary><ul class="rules">${rules}</ul></details>`}</section>
`;
}
