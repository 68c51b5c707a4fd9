/** Money and units: always with the currency, always saying whether that is all. */
import { formatBooking } from '../../domain/booking.ts';
import type { BillRow } from '../../domain/ledger.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { Summary } from '../../domain/summary.ts';
import type { Ink } from './ink.ts';
import { countWord, formatAmount } from './word.ts';

const mostUnits = 6;

/** `charged 5,098.12 CNY (complete); 3 units uncertain`. */
export function formatCharge(
  summary: Pick<Summary, 'charge' | 'currency' | 'counts'>,
  bill: readonly BillRow[],
  ink: Ink,
): string {
  const amount = formatAmount(summary.charge, summary.currency);
  const { open } = summary.counts;
  const lacks = [
    ...(bill.every((row) => row.isComplete) ? [] : [formatUnpriced(bill)]),
    ...(open === 0
      ? []
      : [`${countWord(open, 'task')} open, charged when ${open === 1 ? 'it ends' : 'they end'}`]),
  ];
  const charged =
    lacks.length === 0
      ? `charged ${amount} (complete)`
      : `charged ${open === 0 ? `at least ${amount}` : `${amount} so far`} (${ink.yellow('incomplete')}: ${lacks.join('; ')})`;
  return `${charged}${formatUncertain(bill, ink)}`;
}

/** One line per assumption that stands in for what could not be read; they may be too high or too low. */
export function formatAssumptions(
  assumptions: Readonly<Record<string, number>>,
  ink: Ink,
): readonly string[] {
  return Object.entries(assumptions).map(
    ([text, count]) => `${ink.yellow('assumed')} for ${countWord(count, 'task')}: ${text}`,
  );
}

/** What a row of the bill says that no price covers. */
export function countUnpriced(row: BillRow): number {
  return row.isComplete ? 0 : Math.max(0, row.observed + row.estimated - row.free - row.pack);
}

function formatUnpriced(bill: readonly BillRow[]): string {
  const rows = bill.filter((row) => !row.isComplete);
  const units = rows.reduce((sum, row) => sum + countUnpriced(row), 0);
  const skus = [...new Set(rows.map(({ sku }) => sku))].join(', ');
  return `${countWord(units, 'unpriced unit')}; set a price for ${skus} in config/prices/`;
}

function formatUncertain(bill: readonly BillRow[], ink: Ink): string {
  const units = bill.reduce((sum, row) => sum + row.uncertain, 0);
  return units === 0 ? '' : `; ${ink.yellow(`${countWord(units, 'unit')} uncertain`)}, billed perhaps`;
}

/** What failed tasks were billed, and by which rule; nothing where none failed. */
export function formatFailures({ booking = {}, billedFailures, counts, currency }: Summary): string {
  const isTold = counts.failed > 0 && Object.keys(booking).length > 0;
  if (!isTold && billedFailures === undefined) return '';
  const { tasks, charge } = billedFailures ?? { tasks: 0, charge: '0' };
  const amount = tasks === 0 ? 'none' : `${formatCount(tasks)}, ${formatAmount(charge, currency)}`;
  const texts = Object.entries(booking).map(([account, rule]) => [account, formatBooking(rule)] as const);
  const isOne = new Set(texts.map(([, text]) => text)).size === 1;
  const rules = isOne
    ? (texts[0]?.[1] ?? '')
    : texts.map(([account, text]) => `${account}: ${text}`).join('; ');
  return `failures billed: ${amount}${rules === '' ? '' : ` (by booking: ${rules})`}`;
}

/** What conditions spared, as estimated; nothing where nothing was. */
export function formatSaved({ saved, currency }: Summary): string {
  if (!saved) return '';
  const units = Object.values(saved.units).reduce((sum, count) => sum + count, 0);
  const amount = `${saved.complete ? 'about' : 'at least'} ${formatAmount(saved.charge, currency)}`;
  return `saved by \`when\`: ${countWord(saved.tasks, 'task')} not asked, ${countWord(units, 'unit')}, ${amount} (estimated)`;
}

/** `units: pai/basic 21,857, qiniu/terror-image 3,402,118`. */
export function formatUnits({ units }: Pick<Summary, 'units'>): string {
  const all = Object.entries(units).filter(([, count]) => count > 0);
  if (all.length === 0) return '';
  const shown = all.slice(0, mostUnits).map(([sku, count]) => `${sku} ${formatCount(count)}`);
  const more = all.length > mostUnits ? [`${all.length - mostUnits} more in bill.csv`] : [];
  return `units: ${[...shown, ...more].join(', ')}`;
}
