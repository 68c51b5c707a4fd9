/** Money as text: read from decimal strings and written back without loss, never by way of a float. */
import { knownCharge, type Nano, type Quote } from './pricing.ts';

const nanoDigits = 9;
const one: Nano = 1_000_000_000n;

/**
 * Reads a plain decimal such as `0.0046` or `20000`: no sign, exponent or separators. `undefined` for anything else,
 * and for more than nine decimals, since a nano cannot hold them.
 */
export function parseNano(text: string): Nano | undefined {
  const match = /^(\d{1,24})(?:\.(\d{1,24}))?$/.exec(text.trim());
  if (!match) return undefined;
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > nanoDigits) return undefined;
  return BigInt(match[1] ?? '0') * one + BigInt(fraction.padEnd(nanoDigits, '0'));
}

/** Reads `500 CNY`, `500CNY` or `0.1`; the currency is three capital letters. `undefined` for anything else. */
export function parseMoney(
  text: string,
): { readonly amount: Nano; readonly currency?: string | undefined } | undefined {
  const match = /^([\d.]+)\s*([A-Z]{3})?$/.exec(text.trim());
  if (!match) return undefined;
  const amount = parseNano(match[1] ?? '');
  if (amount === undefined) return undefined;
  return match[2] === undefined ? { amount } : { amount, currency: match[2] };
}

/** The exact decimal, for JSON and CSV: `0`, `0.0046`, `7550`, `-1.5`. */
export function formatNano(amount: Nano): string {
  const digits = absolute(amount)
    .toString()
    .padStart(nanoDigits + 1, '0');
  const whole = digits.slice(0, -nanoDigits);
  const fraction = digits.slice(-nanoDigits).replace(/0+$/, '');
  return `${amount < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** As `formatNano`; `undefined` where nothing of the charge could be priced. */
export function writeKnownCharge(quote: Quote): string | undefined {
  const charge = knownCharge(quote);
  return charge === undefined ? undefined : formatNano(charge);
}

/** For people, rounded half away from zero: `2,131.40 CNY`; four decimals below one, `0.0046 CNY`. */
export function formatMoney(amount: Nano, currency: string): string {
  const size = absolute(amount);
  const isSmall = size !== 0n && roundTo(size, 4) < 10_000n;
  const decimals = isSmall ? 4 : 2;
  const digits = roundTo(size, decimals)
    .toString()
    .padStart(decimals + 1, '0');
  const whole = digits.slice(0, -decimals).replace(/\B(?=(?:\d{3})+$)/g, ',');
  const sign = amount < 0n && /[1-9]/.test(digits) ? '-' : '';
  return `${sign}${whole}.${digits.slice(-decimals)} ${currency}`;
}

function absolute(amount: Nano): Nano {
  return amount < 0n ? -amount : amount;
}

/** How many units of that many decimals, rounded half up. */
function roundTo(size: Nano, decimals: number): bigint {
  const step = 10n ** BigInt(nanoDigits - decimals);
  return (size + step / 2n) / step;
}
