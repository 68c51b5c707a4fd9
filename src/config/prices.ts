/** The price book: all files of `config/prices/` together. */
import type { PriceBook, SkuPrice, Tier } from '../domain/pricing.ts';
import { type Catalogue } from '../domain/service.ts';
import type { Path } from './document.ts';
import { type Fields, readFields, readMap } from './reader.ts';
import { type Money } from './shape/scalar.ts';
import { pricesShape, skuShape } from './shape/world.ts';
import { findClosest } from '../domain/suggestion.ts';
import { makeProblem, reportProblem, reportVariables, reportWarning, type Trouble } from './trouble.ts';
import { type ConfigFile, nameIn, quoteAt } from './variable.ts';

/** What stands in for a price book where no file gives one: nothing has a price, and months are the vendors'. */
const emptyBook: PriceBook = { currency: 'CNY', timezone: 'Asia/Shanghai', skus: new Map() };

/** Reads all price files. A SKU given twice, or another currency or zone than the first file's, is a problem. */
export function readPrices(trouble: Trouble, files: readonly ConfigFile[], catalogue: Catalogue): PriceBook {
  const skus = new Map<string, SkuPrice>();
  const places = new Map<string, string>();
  let first: { readonly file: ConfigFile; readonly currency: string; readonly timezone: string } | undefined;
  for (const file of files.filter((one) => one.isBroken !== true)) {
    reportVariables(trouble, file, []);
    const head = readFields(trouble, file, [], pricesShape, { skipped: ['skus'] });
    const currency = head?.currency ?? first?.currency ?? emptyBook.currency;
    const timezone = head?.timezone ?? first?.timezone ?? emptyBook.timezone;
    if (head?.currency !== undefined && head.timezone !== undefined) {
      if (first) checkSame(trouble, file, head, first);
      else first = { file, currency, timezone };
    }
    for (const sku of Object.keys((head && readMap(trouble, file, ['skus'])) ?? {})) {
      const path = ['skus', sku];
      const earlier = places.get(sku);
      if (earlier !== undefined) {
        const message = `the price of ${JSON.stringify(sku)} is given twice, first in ${earlier}. Remove one of them.`;
        trouble.problems.push(makeProblem(file, path, message, 'key'));
        continue;
      }
      places.set(sku, nameIn(file, path));
      warnMisspelt(trouble, file, sku, catalogue);
      const price = readSku(trouble, file, sku);
      if (price) skus.set(sku, { ...price, currency, timezone });
    }
  }
  return {
    currency: first?.currency ?? emptyBook.currency,
    timezone: first?.timezone ?? emptyBook.timezone,
    skus,
  };
}

/**
 * Money that should be in the price book's currency. `undefined`, with a problem, where another is written. Without any
 * price there is no currency to differ from.
 */
export function readAmount(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  money: Money | undefined,
  prices: PriceBook,
): Money['amount'] | undefined {
  if (!money) return undefined;
  if (money.currency === undefined || money.currency === prices.currency || prices.skus.size === 0) {
    return money.amount;
  }
  const expected = `expected an amount in ${prices.currency}, the currency of the price book`;
  reportProblem(trouble, file, path, `${expected}, found ${quoteAt(file, path)}.`);
  return undefined;
}

function checkSame(
  trouble: Trouble,
  file: ConfigFile,
  head: Fields<typeof pricesShape>,
  first: { readonly file: ConfigFile; readonly currency: string; readonly timezone: string },
): void {
  for (const key of ['currency', 'timezone'] as const) {
    if (head[key] === first[key]) continue;
    const expected = `expected ${JSON.stringify(first[key])} as in ${first.file.file}, since there is one price book`;
    reportProblem(trouble, file, [key], `${expected}, found ${quoteAt(file, [key])}.`);
  }
}

function readSku(
  trouble: Trouble,
  file: ConfigFile,
  sku: string,
): Omit<SkuPrice, 'currency' | 'timezone'> | undefined {
  const path = ['skus', sku];
  const fields = readFields(trouble, file, path, skuShape);
  if (!fields) return undefined;
  const { unit, per, tiers, price, free } = fields;
  const map = readMap(trouble, file, path);
  const isTiered = map !== undefined && Object.hasOwn(map, 'tiers');
  const isPriced = map !== undefined && Object.hasOwn(map, 'price');
  if (isTiered === isPriced) {
    const found = isTiered ? 'both' : 'neither';
    reportProblem(
      trouble,
      file,
      path,
      `expected either tiers or price, found ${found}. Write one; price may be unknown.`,
    );
    return undefined;
  }
  if (tiers && !areAscending(trouble, file, [...path, 'tiers'], tiers)) return undefined;
  if (unit === undefined || per === undefined) return undefined;
  const known = tiers ?? (typeof price === 'bigint' ? [{ price }] : undefined);
  return {
    sku,
    unit,
    per,
    ...(known && { tiers: known }),
    ...(free !== undefined && { free: typeof free === 'number' ? { units: free, per: 'once' } : free }),
    ...(fields.increment !== undefined && { increment: fields.increment }),
    ...(fields.source !== undefined && { source: fields.source }),
    ...(fields.readOn !== undefined && { readOn: fields.readOn }),
  };
}

function areAscending(trouble: Trouble, file: ConfigFile, path: Path, tiers: readonly Tier[]): boolean {
  let before = 0;
  let isFine = true;
  for (const [index, tier] of tiers.entries()) {
    const isLast = index === tiers.length - 1;
    const place = [...path, index, 'upTo'];
    if (isLast && tier.upTo !== undefined) {
      const reason = 'there would be no price for what comes after it';
      reportProblem(trouble, file, place, `the last tier has no upTo: ${reason}. Remove it, or add a tier.`);
    } else if (!isLast && tier.upTo === undefined) {
      reportProblem(trouble, file, place, 'this key is missing: only the last tier goes without upTo.');
    } else if (tier.upTo !== undefined && tier.upTo <= before) {
      const expected = `expected more than ${before}, where the tier before ends`;
      reportProblem(trouble, file, place, `${expected}, found ${quoteAt(file, place)}.`);
    } else {
      before = tier.upTo ?? before;
      continue;
    }
    isFine = false;
  }
  return isFine;
}

/** A SKU that is nearly one of a vendor's would leave that one without a price. */
function warnMisspelt(trouble: Trouble, file: ConfigFile, sku: string, catalogue: Catalogue): void {
  const names = catalogue.flatMap((vendor) => vendor.skus.map((one) => one.name));
  if (names.includes(sku)) return;
  const closest = findClosest(sku, names);
  if (closest === undefined) return;
  const question = `Did you mean ${JSON.stringify(closest)}?`;
  reportWarning(trouble, file, ['skus', sku], `no service uses the SKU ${JSON.stringify(sku)}. ${question}`);
}
