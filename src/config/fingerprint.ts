/** Hashes of a pipeline: of all that it was set up with, and of what a run must keep to be gone on with. */
import { createHash } from 'node:crypto';
import { dirname, relative } from 'node:path';
import type {
  AccessSettings,
  Account,
  Pipeline,
  ServiceUse,
  SourceSettings,
  Storage,
} from '../domain/settings.ts';

type Settings = Omit<Pipeline, 'hash' | 'shapeHash' | 'written' | 'name'>;

/** Both hashes, as SHA-256 in hex. No secret goes into them, nor where the project lies on the disk. */
export function hashPipeline(settings: Settings): { readonly hash: string; readonly shapeHash: string } {
  const shape = {
    source: describeSource(settings.source, settings.path),
    select: settings.select,
    access: describeAccess(settings.access),
    services: settings.services.map(describeShape),
  };
  const whole = {
    ...shape,
    parallel: settings.source.form === 'bucket' ? settings.source.parallel : undefined,
    about: settings.about,
    services: settings.services.map((use) => ({
      ...describeShape(use),
      batch: use.batch,
      delivery: use.delivery,
      limits: use.limits,
    })),
    accounts: settings.services.map((use) => describeAccount(use.account)),
    storages: [...settings.storages.values()].map(describeStorage),
    policy: settings.policy,
    reports: settings.reports,
    reuse: settings.reuse,
    resendBelow: settings.resendBelow,
    caps: settings.caps,
    canary: settings.canary,
    deadlines: settings.deadlines,
    notify: settings.notify.map(({ format, on }) => ({ format, on })),
    prices: describePrices(settings),
  };
  return { hash: hashData(whole), shapeHash: hashData(shape) };
}

/**
 * Hashes of the parts that decide what is asked of whom and at what price, by name: a plan holds for these. Limits, caps,
 * policies and reports are no part of them.
 */
export function hashParts(settings: Settings): Readonly<Record<string, string>> {
  const { source, path, select, access, services, reuse } = settings;
  const accounts = services.map(({ account }) => {
    const { name, vendor, endpoint, assume, returnsEmptyFrames, booking } = account;
    return { name, vendor: vendor.name, endpoint, assume, returnsEmptyFrames, booking };
  });
  const parts = {
    source: describeSource(source, path),
    select,
    access: describeAccess(access),
    services: services.map(describeShape),
    accounts,
    reuse,
    prices: describeCharges(settings),
  };
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, hashData(part)]));
}

/** SHA-256 of plain data; the order of keys does not count. */
function hashData(data: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(data, (_, value: unknown) => sortKeys(value)))
    .digest('hex');
}

function sortKeys(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Map) return sortKeys(Object.fromEntries(value));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** How many listings go on at a time is left out: where a run stands holds for any number. */
function describeSource(source: SourceSettings, path: string): unknown {
  if (source.form === 'bucket') return { ...source, parallel: undefined };
  if (source.form === 'inventory' || source.path === '-' || source.path.startsWith('s3://')) return source;
  return { ...source, path: relative(dirname(path), source.path) };
}

/** The account by its name: its keys are secret, and may be others tomorrow. */
function describeAccess(access: AccessSettings): unknown {
  return access.mode === 'qiniu-private' ? { ...access, account: access.account.name } : access;
}

/** Only what the services are billed for: the price of another SKU changes nothing here. */
function describePrices({ prices, services }: Settings): unknown {
  const used = new Set(services.flatMap((use) => use.service.skus(use.options)));
  return { ...prices, skus: [...prices.skus.values()].filter((price) => used.has(price.sku)) };
}

/** Where a price was read changes no charge. */
function describeCharges({ prices, services }: Settings): unknown {
  const used = new Set(services.flatMap((use) => use.service.skus(use.options)));
  const skus = [...prices.skus.values()].filter((price) => used.has(price.sku));
  return { ...prices, skus: skus.map(({ source: _, readOn: __, ...price }) => price) };
}

function describeShape(use: ServiceUse): Readonly<Record<string, unknown>> {
  return {
    name: use.name,
    service: use.service.name,
    account: use.account.name,
    options: use.options,
    model: use.model,
    unitsPerCall: use.unitsPerCall,
    when: use.when,
    // What became of a long call cannot be found out as that of a job can: a run does not change from one to the other.
    ...(use.delivery === 'sync' && { delivery: use.delivery }),
  };
}

function describeAccount({ credentials: _, vendor, ...rest }: Account): unknown {
  return { ...rest, vendor: vendor.name };
}

function describeStorage({ name, endpoint, region, pathStyle }: Storage): unknown {
  return { name, endpoint, region, pathStyle };
}
