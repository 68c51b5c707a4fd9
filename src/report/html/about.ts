/** What was run: enough to know which configuration gave these results, and where the whole of them lies. */
import { formatCount } from '../../domain/quantity.ts';
import { formatCondition } from '../../domain/policy.ts';
import type { PageContent } from '../gather/gathering.ts';
import type { ReportService } from '../request.ts';
import { formatInstant } from './instant.ts';
import type { Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';
import { type PageColumn, renderTable } from './table.ts';

export function renderAbout({ request, run }: PageContent, say: Say): Markup {
  const { policy, services, reports, version } = request;
  const { items, unselected } = run.counters;
  const lines = [
    [say('about.pipeline'), run.pipeline],
    [say('about.run'), run.id],
    [say('about.configuration'), run.hash],
    [
      say('about.listing'),
      say(run.listing === 'complete' ? 'about.complete' : 'about.partial', { items, unselected }),
    ],
    [say('about.began'), `${formatInstant(run.startedAt, reports.timezone)} ${reports.timezone}`],
    [say('about.policy'), say('about.rules', { name: policy.name, count: policy.rules.length })],
    ...(version === undefined ? [] : [[say('about.version'), `mediasweep ${version}`] as const]),
  ] as const;
  const rules = policy.rules.map(
    (rule) =>
      html`<li><span class="chip ${rule.verdict}">${say(`verdict.${rule.verdict}`)}</span> ${rule.reason} <span class="op">${formatCondition(rule)}</span></li>`,
  );
  return html`<section id="about"><h2>${say('about.title')}</h2>
<dl>${lines.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${renderTable(say('about.services'), listColumns(say), services)}${rules.length === 0 ? undefined : html`<details><summary>${say('about.rulesTitle')} <span class="count">${formatCount(rules.length)}</span></summary><ul class="rules">${rules}</ul></details>`}
<p class="note">${say('about.files')}</p></section>
`;
}

function listColumns(say: Say): readonly PageColumn<ReportService>[] {
  return [
    { name: say('about.service'), kind: 'text', read: (row) => row.name },
    { name: say('about.catalogue'), kind: 'text', read: (row) => row.use },
    { name: say('about.account'), kind: 'text', read: (row) => row.account },
    { name: say('about.delivery'), kind: 'text', read: (row) => row.delivery },
    { name: say('about.concurrency'), kind: 'number', read: (row) => row.limits?.concurrency },
    { name: say('about.perSecond'), kind: 'number', read: (row) => row.limits?.perSecond },
    { name: say('about.maxOpenJobs'), kind: 'number', read: (row) => row.limits?.maxOpenJobs },
  ];
}
