/** Counted words and money for people. */
import { formatMoney, parseNano } from '../../domain/money.ts';
import { formatCount } from '../../domain/quantity.ts';

/** `1 task`, `1,204 tasks`. */
export function countWord(count: number, word: string, plural = `${word}s`): string {
  return `${formatCount(count)} ${count === 1 ? word : plural}`;
}

/** Money of a decimal string such as a summary holds; without a price book there is no currency. */
export function formatAmount(decimal: string, currency: string): string {
  const amount = parseNano(decimal);
  return amount === undefined ? `${decimal} ${currency}`.trim() : formatMoney(amount, currency).trim();
}

/** Seconds are enough for people: `2026-11-20T02:00:00Z`. */
export function formatInstant(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}
