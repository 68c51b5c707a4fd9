/** What surveyed units cost: a walk through the tiers for each account and SKU, from this month's position. Pure. */
import {
  type EstimateBasis,
  estimateBases,
  type EstimatedSku,
  type Estimate,
} from '../../domain/estimate.ts';
import { type Position, type PriceBook, priceOf } from '../../domain/pricing.ts';
import type { Account } from '../../domain/settings.ts';
import { walkTiers } from '../../domain/tier-walk.ts';
import type { Line } from './survey.ts';

export interface Market {
  readonly accounts: ReadonlyMap<string, Account>;
  readonly prices: PriceBook;
  readonly readPosition: (account: Account, sku: string) => Position;
  /** When the units are sent, as far as their month goes. */
  readonly atMs: number;
}

/** In the order of accounts and SKUs. */
export function priceLines(lines: readonly Line[], market: Market): readonly EstimatedSku[] {
  return lines
    .flatMap((line) => {
      const account = market.accounts.get(line.account);
      return account ? [priceLine(line, account, market)] : [];
    })
    .sort((one, other) => compareText(one.account, other.account) || compareText(one.sku, other.sku));
}

function priceLine(line: Line, account: Account, { prices, readPosition, atMs }: Market): EstimatedSku {
  const { sku, byBasis, low, high } = line;
  const price = priceOf(prices, sku);
  const position = readPosition(account, sku);
  const walk = (count: number) => walkTiers(price, account.billing[sku], position, count, atMs);
  const units = estimateBases.reduce((sum, basis) => sum + byBasis[basis], 0);
  const { steps, charge, monthSoFar, unpriced, billed } = walk(units);
  const reach = (count: number) => ({ units: count, charge: walk(count).charge.amount });
  return {
    account: account.name,
    sku,
    unit: price.unit || (account.vendor.skus.find(({ name }) => name === sku)?.unit ?? 'unit'),
    units,
    unitsByBasis: byBasis,
    basis: findWorst(byBasis),
    monthSoFar,
    walk: steps,
    unpriced,
    ...(billed !== undefined && { increment: price.increment, billed }),
    charge: charge.amount,
    isComplete: charge.isComplete,
    ...(byBasis.sampled > 0 && { spread: { low: reach(units + low), high: reach(units + high) } }),
  };
}

/** All SKUs together; their spreads too, as if all erred to the same side, which is the careful view. */
export function sumCharges(skus: readonly EstimatedSku[], currency: string): Estimate['total'] {
  const sum = (read: (sku: EstimatedSku) => bigint) => skus.reduce((all, sku) => all + read(sku), 0n);
  return {
    charge: sum((sku) => sku.charge),
    currency,
    isComplete: skus.every(({ isComplete }) => isComplete),
    ...(skus.some(({ spread }) => spread) && {
      spread: {
        low: sum((sku) => sku.spread?.low.charge ?? sku.charge),
        high: sum((sku) => sku.spread?.high.charge ?? sku.charge),
      },
    }),
  };
}

function findWorst(byBasis: Readonly<Record<EstimateBasis, number>>): EstimateBasis {
  return estimateBases.findLast((basis) => byBasis[basis] > 0) ?? 'observed';
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
