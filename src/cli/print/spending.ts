/** Caps for people: what is spent and reserved, and of how much. */
import type { CapStand, Spending } from '../../domain/caps.ts';
import { formatMoney, formatNano } from '../../domain/money.ts';
import { formatCount } from '../../domain/quantity.ts';
import type { Summary } from '../../domain/summary.ts';
import type { Ink } from './ink.ts';
import { countWord, formatAmount } from './word.ts';

/** For the line of progress: what the run has spent and reserved, and of what where there is a cap. */
export function formatSpending({ spent, reserved, currency }: Spending, cap: CapStand | undefined): string {
  if (cap) return formatCapProgress(cap, currency);
  return `spent ${formatMoney(spent, currency).trim()} (reserved ${formatMoney(reserved, '').trim()})`;
}

/** Where one cap stands: `spent 213.10 of 500.00 CNY (reserved 4.20)`. */
function formatCapProgress(cap: CapStand, currency: string): string {
  if (cap.sku !== undefined) {
    const [spent, reserved, limit] = [cap.spent, cap.reserved, cap.limit].map((count) =>
      formatCount(Number(count)),
    );
    return `spent ${spent} of ${limit} ${cap.sku} (reserved ${reserved})`;
  }
  const bare = (amount: bigint) => formatMoney(amount, '').trim();
  return `spent ${bare(cap.spent)} of ${formatMoney(cap.limit, currency).trim()} (reserved ${bare(cap.reserved)})`;
}

/** For `--log json`: money of the run as decimals. */
export function spendingFacts({ spent, reserved }: Spending, cap: CapStand | undefined) {
  const format = (amount: bigint) => (cap?.sku === undefined ? formatNano(amount) : `${amount}`);
  return {
    spent: formatNano(spent),
    reserved: formatNano(reserved),
    ...(cap && {
      cap: cap.name,
      capSpent: format(cap.spent),
      capReserved: format(cap.reserved),
      capLimit: format(cap.limit),
    }),
  };
}

/** One line for the canary of the run. */
export function formatCanary({ canary, currency }: Summary, ink: Ink): readonly string[] {
  if (!canary) return [];
  const { state, items, ended, failed = 0, chargePerItem } = canary;
  if (ended === undefined) return [`canary of ${countWord(items, 'item')}: has not come to an end`];
  const cost = chargePerItem === undefined ? '' : `, ${formatAmount(chargePerItem, currency)} an item`;
  const words = {
    waiting: 'not judged yet',
    passed: 'passed',
    stopped: ink.yellow('stopped the run'),
    overridden: 'overridden (--resume)',
  };
  const figures = `${formatCount(failed)} of ${countWord(ended, 'task')} failed${cost}`;
  return [`canary of ${countWord(items, 'item')} ${words[state]}: ${figures}`];
}

/** One line for each cap, and one for what passed its reservation. */
export function formatCaps(
  { caps = [], overrun = {}, currency }: Pick<Summary, 'caps' | 'overrun' | 'currency'>,
  ink: Ink,
): readonly string[] {
  const lines = caps.map(({ cap, sku, spent, reserved, limit }) => {
    const show = (amount: string | number) =>
      typeof amount === 'number' ? `${formatCount(amount)}` : formatAmount(amount, currency);
    const held = Number(reserved) > 0 ? ` + ${show(reserved)} reserved` : '';
    return `${cap}: ${show(spent)} spent${held} of ${show(limit)}${sku === undefined ? '' : ' units'}`;
  });
  const passed = Object.entries(overrun).map(([sku, units]) => `${sku} ${formatCount(units)}`);
  const sum = Object.values(overrun).reduce((all, units) => all + units, 0);
  return passed.length === 0
    ? lines
    : [
        ...lines,
        `${ink.yellow('overrun')}: ${countWord(sum, 'unit')} beyond what was reserved (${passed.join(', ')})`,
      ];
}
