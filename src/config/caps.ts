/** Reads the caps of a pipeline, and holds those on money against what has a price. */
import type { Caps } from '../domain/caps.ts';
import type { PriceBook } from '../domain/pricing.ts';
import type { Catalogue } from '../domain/service.ts';
import { suggest } from '../domain/suggestion.ts';
import type { KnownAccounts } from './accounts.ts';
import { type Path, valueAt } from './document.ts';
import { readAmount } from './prices.ts';
import { readFields } from './reader.ts';
import type { ReadService } from './services.ts';
import { capsShape } from './shape/pipeline.ts';
import type { Money } from './shape/scalar.ts';
import { makeProblem, reportProblem, type Trouble } from './trouble.ts';
import type { ConfigFile } from './variable.ts';

export interface CapReading {
  readonly catalogue: Catalogue;
  readonly prices: PriceBook;
  /** `--cap`: replaces `caps.run`. */
  readonly runCap?: Money | undefined;
}

/** `undefined` where nothing is capped. A SKU that no vendor has is a problem, and so is another currency. */
export function readCaps(
  trouble: Trouble,
  file: ConfigFile,
  { catalogue, prices, runCap }: CapReading,
): Caps | undefined {
  const { run, month, units } = readFields(trouble, file, ['caps'], capsShape) ?? {};
  const skus = [...new Set(catalogue.flatMap((vendor) => vendor.skus).map(({ name }) => name))];
  for (const sku of Object.keys(units ?? {})) {
    if (skus.includes(sku) || prices.skus.has(sku)) continue;
    const advice = suggest(sku, skus) || ` Known: ${skus.join(', ')}.`;
    const message = `there is no SKU ${JSON.stringify(sku)}.${advice}`;
    trouble.problems.push(makeProblem(file, ['caps', 'units', sku], message, 'key'));
  }
  const caps = {
    run: runCap
      ? readRunCap(trouble, file, runCap, prices)
      : readAmount(trouble, file, ['caps', 'run'], run, prices),
    month: readAmount(trouble, file, ['caps', 'month'], month, prices),
    ...(units && Object.keys(units).length > 0 && { units }),
  };
  const isNone = caps.run === undefined && caps.month === undefined && caps.units === undefined;
  return isNone ? undefined : caps;
}

function readRunCap(
  trouble: Trouble,
  file: ConfigFile,
  { amount, currency }: Money,
  prices: PriceBook,
): Money['amount'] {
  if (currency !== undefined && currency !== prices.currency && prices.skus.size > 0) {
    const expected = `expected an amount in ${prices.currency}, the currency of the price book`;
    reportProblem(trouble, file, [], `--cap: ${expected}, found one in ${currency}.`);
  }
  return amount;
}

/** Where a cap on money is written. */
interface MoneyCap {
  readonly file: ConfigFile;
  readonly path: Path;
  readonly name: string;
  /** Absent for a cap over all accounts. */
  readonly account?: string | undefined;
}

/**
 * A cap on money over units without a price would hold nothing: it is a problem, unless `caps.units` bounds these units.
 */
export function requirePrices(
  trouble: Trouble,
  file: ConfigFile,
  caps: Caps | undefined,
  world: {
    readonly services: readonly ReadService[];
    readonly accounts: KnownAccounts;
    readonly prices: PriceBook;
  },
): void {
  const { services, accounts, prices } = world;
  for (const cap of listMoneyCaps(file, caps, services, accounts)) {
    const uses = services.flatMap(({ use }) => use ?? []);
    const held = uses.filter(({ account }) => cap.account === undefined || account.name === cap.account);
    const skus = new Set(held.flatMap(({ service, options }) => service.skus(options)));
    for (const sku of skus) {
      if (prices.skus.get(sku)?.tiers !== undefined || caps?.units?.[sku] !== undefined) continue;
      const message = `${cap.name} cannot hold over ${JSON.stringify(sku)}, which has no price: expected one in config/prices, or a cap on its units. Set its price, or bound it with caps: { units: { ${sku}: N } }.`;
      reportProblem(trouble, cap.file, cap.path, message);
    }
  }
}

function listMoneyCaps(
  file: ConfigFile,
  caps: Caps | undefined,
  services: readonly ReadService[],
  accounts: KnownAccounts,
): readonly MoneyCap[] {
  const isWritten = valueAt(file.data, ['caps', 'run']) !== undefined;
  const used = new Map(
    services.flatMap(({ use }) => (use ? [[use.account.name, use.account] as const] : [])),
  );
  return [
    ...(caps?.run === undefined
      ? []
      : [{ file, path: isWritten ? ['caps', 'run'] : [], name: isWritten ? 'a cap on money' : '--cap' }]),
    ...(caps?.month === undefined ? [] : [{ file, path: ['caps', 'month'], name: 'a cap on money' }]),
    ...[...used.values()].flatMap((account) =>
      account.caps?.month === undefined
        ? []
        : [
            {
              file: accounts.file,
              path: ['accounts', account.name, 'caps', 'month'],
              name: 'a cap on money',
              account: account.name,
            },
          ],
    ),
  ];
}
