/** Reads `canary:` of a pipeline, and holds its condition on money against what has a price. */
import type { Canary } from '../domain/canary.ts';
import type { PriceBook } from '../domain/pricing.ts';
import type { SourceSettings } from '../domain/settings.ts';
import { readAmount } from './prices.ts';
import { readFields } from './reader.ts';
import type { ReadService } from './services.ts';
import { canaryShape, stopIfShape } from './shape/canary.ts';
import { reportProblem, type Trouble } from './trouble.ts';
import { valueAt } from './document.ts';
import type { ConfigFile } from './variable.ts';

export interface CanaryReading {
  readonly prices: PriceBook;
  readonly services: readonly ReadService[];
  readonly source: SourceSettings | undefined;
}

/** `undefined` where there is none, or one at fault. */
export function readCanary(
  trouble: Trouble,
  file: ConfigFile,
  { prices, services, source }: CanaryReading,
): Canary | undefined {
  if (valueAt(file.data, ['canary']) === undefined) return undefined;
  const items = readFields(trouble, file, ['canary'], canaryShape, { skipped: ['stopIf'] })?.items;
  const place = ['canary', 'stopIf'];
  const read = readFields(trouble, file, place, stopIfShape);
  if (!read) return undefined;
  const { failed, chargePerItem } = read;
  const before = trouble.problems.length;
  if (source && 'path' in source && source.path === '-') {
    const message =
      'expected a source that can be read a second time, found standard input. Put it into a file.';
    reportProblem(trouble, file, ['canary'], message);
  }
  if (Object.keys(valueAt(file.data, place) ?? {}).length === 0) {
    const message =
      'expected a condition, failed or chargePerItem or both, found none. Write one, such as { failed: "> 5%" }.';
    reportProblem(trouble, file, place, message);
  }
  const amount =
    chargePerItem && readAmount(trouble, file, [...place, 'chargePerItem'], chargePerItem, prices);
  if (chargePerItem) requirePrices(trouble, file, { prices, services });
  if (items === undefined || trouble.problems.length > before) return undefined;
  return {
    items,
    stopIf: {
      ...(failed && { failed }),
      ...(chargePerItem &&
        amount !== undefined && { chargePerItem: { comparator: chargePerItem.comparator, amount } }),
    },
  };
}

function requirePrices(
  trouble: Trouble,
  file: ConfigFile,
  { prices, services }: Pick<CanaryReading, 'prices' | 'services'>,
): void {
  const skus = services.flatMap(({ use }) => (use ? use.service.skus(use.options) : []));
  for (const sku of new Set(skus)) {
    if (prices.skus.get(sku)?.tiers !== undefined) continue;
    const message = `chargePerItem cannot be told with ${JSON.stringify(sku)}, which has no price: expected one in config/prices. Set its price, or stop by failed alone.`;
    reportProblem(trouble, file, ['canary', 'stopIf', 'chargePerItem'], message);
  }
}
