/** What a finding cost, service by service, and what conditions saved. */
import { formatMoney, formatNano } from '../../domain/money.ts';
import type { PageContent } from '../gather/gathering.ts';
import { divideCharge, type ServiceCost } from '../gather/service-cost.ts';
import type { Say } from './language/say.ts';
import { html, type Markup } from './markup.ts';
import { type PageColumn, renderTable } from './table.ts';

/** A note of the bill; undefined where no condition spared anything. */
export function describeSaved({ saved, request }: PageContent, say: Say): Markup | undefined {
  if (!saved) return undefined;
  const units = Object.values(saved.units).reduce((sum, count) => sum + count, 0);
  const amount = formatMoney(saved.charge, request.prices.currency);
  const words = say(saved.isComplete ? 'thrift.about' : 'thrift.atLeast', { amount });
  return say('thrift.saved', { count: saved.tasks, units, amount: words });
}

/** Undefined where nothing was flagged. */
export function renderCosts({ gathering, tally, total, request }: PageContent, say: Say): Markup | undefined {
  const count = tally.verdicts.block + tally.verdicts.review;
  const each = divideCharge(total.charge, count);
  if (each === undefined) return undefined;
  const money = formatMoney(each, request.prices.currency);
  const amount = total.isComplete ? money : say('thrift.atLeast', { amount: money });
  return html`<h3>${say('thrift.title')}</h3><p class="note">${say('thrift.each', { count, amount })}</p>
${renderTable(say('thrift.caption'), listColumns(say), gathering.serviceCosts.list())}`;
}

function listColumns(say: Say): readonly PageColumn<ServiceCost>[] {
  return [
    { name: say('thrift.service'), kind: 'text', read: (row) => row.service },
    { name: say('bill.charge'), kind: 'number', read: (row) => formatNano(row.charge) },
    { name: say('thrift.answers'), kind: 'number', read: (row) => row.answers },
    { name: say('thrift.flagged'), kind: 'number', read: (row) => row.flagged },
    {
      name: say('thrift.perFlagged'),
      kind: 'number',
      read: ({ charge, flagged }) => {
        const each = divideCharge(charge, flagged);
        return each === undefined ? undefined : formatNano(each);
      },
    },
  ];
}
