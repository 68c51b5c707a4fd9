/** Prices for people: the first tier in a word, or the whole walk. */
import { formatNano } from '../../domain/money.ts';
import type { SkuPrice } from '../../domain/pricing.ts';
import { formatCount } from '../../domain/quantity.ts';

/** `0.0046 CNY per call`, `0.155 CNY per 100`, `price unknown`; empty where no price book names the SKU. */
export function formatFirstTier(price: SkuPrice | undefined): string {
  if (!price) return '';
  const [first] = price.tiers ?? [];
  if (!first) return 'price unknown';
  const per = price.per === 1 ? `per ${price.unit}` : `per ${formatCount(price.per)}`;
  return `${formatNano(first.price)} ${price.currency} ${per}`;
}

/** `0.155 CNY per 100 up to 3,000,000 a month, then 0.145; 200 free once`. */
export function formatTiers(price: SkuPrice | undefined): string {
  if (!price) return 'no price in config/prices/';
  const tiers = price.tiers ?? [];
  const steps = tiers.map((tier, index) => {
    const amount = index === 0 ? formatFirstTier(price) : formatNano(tier.price);
    return tier.upTo === undefined ? amount : `${amount} up to ${formatCount(tier.upTo)} a month`;
  });
  const walk = steps.length === 0 ? 'price unknown' : steps.join(', then ');
  const free =
    price.free && `${formatCount(price.free.units)} free ${price.free.per === 'once' ? 'once' : 'a month'}`;
  const step = price.increment && `billed in whole ${formatCount(price.increment)}s`;
  return [walk, step, free].filter((part) => part !== undefined).join('; ');
}
