/** The accounts of `config/accounts.yaml`: keys of every account, and the credential fields of its vendor. */
import type { BillingFacts, PriceBook } from '../domain/pricing.ts';
import type { Catalogue, Vendor } from '../domain/service.ts';
import { type Account, defaultLimits } from '../domain/settings.ts';
import type { Path } from './document.ts';
import { isLoopback } from './loopback.ts';
import { readMapFile } from './map-file.ts';
import { readAmount } from './prices.ts';
import { type Fields, readData, readFields, readMap } from './reader.ts';
import { accountShape } from './shape/world.ts';
import { suggest } from '../domain/suggestion.ts';
import { makeProblem, reportProblem, reportVariables, type Trouble } from './trouble.ts';
import { type ConfigFile, faultsUnder, quoteAt } from './variable.ts';

export interface KnownAccounts {
  readonly file: ConfigFile;
  readonly names: readonly string[];
  /** Vendor of each account that names a known one. */
  readonly vendors: ReadonlyMap<string, Vendor>;
  /** By name; absent where the entry is at fault. */
  readonly accounts: ReadonlyMap<string, Account>;
}

export interface AccountReading {
  readonly catalogue: Catalogue;
  readonly prices: PriceBook;
  /** False where nothing will be called, so that credentials may be missing from the environment. */
  readonly needsCredentials: boolean;
}

const commonKeys = Object.keys(accountShape.shape);

/** Reads every account; variables that are not set are no fault until the account is used. */
export function readAccounts(trouble: Trouble, file: ConfigFile, reading: AccountReading): KnownAccounts {
  const names = readMapFile(trouble, file, 'accounts');
  const vendors = new Map<string, Vendor>();
  const accounts = new Map<string, Account>();
  for (const name of names) {
    const path = ['accounts', name];
    const map = readMap(trouble, file, path);
    if (!map) continue;
    const before = trouble.problems.length;
    const common = readFields(trouble, file, path, accountShape, { isOpen: true }) ?? {};
    const vendor = findVendor(trouble, file, path, common.vendor, reading.catalogue);
    if (!vendor) continue;
    vendors.set(name, vendor);
    const credentials = readCredentials(trouble, file, path, map, vendor, reading);
    const billing = readBilling(trouble, file, path, common, vendor, reading.prices);
    const place = [...path, 'caps', 'month'];
    const month = readAmount(trouble, file, place, common.caps?.month, reading.prices);
    if (trouble.problems.length > before || !credentials) continue;
    accounts.set(name, {
      ...makeAccount(name, vendor, credentials, billing, common),
      ...(month !== undefined && { caps: { month } }),
    });
  }
  return { file, names, vendors, accounts };
}

/** Reports the variables that are not set in an account that is used; those of credentials only where needed. */
export function reportAccountVariables(
  trouble: Trouble,
  known: KnownAccounts,
  name: string,
  needsCredentials: boolean,
): void {
  reportVariables(
    trouble,
    known.file,
    ['accounts', name],
    (path) => needsCredentials || commonKeys.includes(String(path[2])),
  );
}

type Common = Fields<typeof accountShape>;

function findVendor(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  name: string | undefined,
  catalogue: Catalogue,
): Vendor | undefined {
  const vendor = catalogue.find((one) => one.name === name);
  if (vendor || name === undefined) return vendor;
  const names = catalogue.map((one) => one.name);
  const place = [...path, 'vendor'];
  const advice = suggest(name, names) || ` Known: ${names.join(', ')}.`;
  reportProblem(trouble, file, place, `there is no vendor ${quoteAt(file, place)}.${advice}`);
  return undefined;
}

function readCredentials(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  map: Readonly<Record<string, unknown>>,
  vendor: Vendor,
  { needsCredentials }: AccountReading,
): Readonly<Record<string, string>> | undefined {
  if (!needsCredentials && faultsUnder(file, path).length > 0) return {};
  const own = Object.fromEntries(Object.entries(map).filter(([key]) => !commonKeys.includes(key)));
  return readData(trouble, file, path, own, vendor.credentials, { isSecret: true, otherKeys: commonKeys });
}

function readBilling(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  common: Common,
  vendor: Vendor,
  prices: PriceBook,
): Readonly<Record<string, BillingFacts>> {
  const skus = [...new Set([...vendor.skus.map((one) => one.name), ...prices.skus.keys()])];
  const entries = Object.entries(common.billing ?? {}).map(([sku, facts]) => {
    const place = [...path, 'billing', sku];
    if (!skus.includes(sku)) {
      const advice = suggest(sku, skus) || ` Known: ${skus.join(', ')}.`;
      trouble.problems.push(
        makeProblem(file, place, `there is no SKU ${JSON.stringify(sku)}.${advice}`, 'key'),
      );
    }
    const packs = facts.packs.map(({ units, expires, cost }, index) => ({
      units,
      expires,
      cost: readAmount(trouble, file, [...place, 'packs', index, 'cost'], cost, prices) ?? 0n,
    }));
    return [sku, { freeUsed: facts.freeUsed, usedThisMonth: facts.usedThisMonth, packs }] as const;
  });
  return Object.fromEntries(entries);
}

function makeAccount(
  name: string,
  vendor: Vendor,
  credentials: Readonly<Record<string, string>>,
  billing: Readonly<Record<string, BillingFacts>>,
  common: Common,
): Account {
  const endpoint = (common.endpoint ?? vendor.endpoint).replace(/\/+$/, '');
  const { keyFrameGap, duration } = common.assume ?? {};
  const { concurrency, perSecond, maxOpenJobs, maxAttempts } = common.limits ?? {};
  return {
    name,
    vendor,
    endpoint,
    credentials,
    limits: {
      concurrency: concurrency ?? defaultLimits.concurrency,
      perSecond: perSecond ?? defaultLimits.perSecond,
      maxOpenJobs: maxOpenJobs ?? defaultLimits.maxOpenJobs,
      ...(maxAttempts !== undefined && { maxAttempts }),
    },
    billing,
    booking: common.booking ?? { refused: 'free', modelFailed: 'billed', failedJob: 'billed' },
    assume: {
      ...(duration !== undefined && { durationSeconds: duration / 1000 }),
      ...(keyFrameGap !== undefined && { keyFrameGapSeconds: keyFrameGap / 1000 }),
    },
    returnsEmptyFrames: common.returnsEmptyFrames === true,
    ...(common.callback && { callback: common.callback }),
    isLoopback: isLoopback(endpoint),
  };
}
