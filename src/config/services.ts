/** The entries of `services:`: each service with its account, its options and what is asked of it. */
import { type Catalogue, type Delivery, findService, type Service, type Vendor } from '../domain/service.ts';
import type { Account, Limits, ServiceUse } from '../domain/settings.ts';
import { type KnownAccounts, reportAccountVariables } from './accounts.ts';
import { type Path, valueAt } from './document.ts';
import { type Fields, readData, readFields } from './reader.ts';
import { serviceShape } from './shape/pipeline.ts';
import { listNames } from './storages.ts';
import { suggest } from '../domain/suggestion.ts';
import { reportProblem, reportWarning, type Trouble } from './trouble.ts';
import { type ConfigFile, quoteAt } from './variable.ts';

export interface ServiceReading {
  readonly catalogue: Catalogue;
  readonly accounts: KnownAccounts;
  readonly needsCredentials: boolean;
}

/** An entry as far as it could be read, for what others check against it. */
export interface ReadService {
  /** Where the entry stands in the file. */
  readonly path: Path;
  readonly name: string;
  readonly service?: Service | undefined;
  /** Absent where the entry is at fault. */
  readonly use?: ServiceUse | undefined;
}

/** Reads the list. Faults of one entry hide none of the others. */
export function readServices(
  trouble: Trouble,
  file: ConfigFile,
  reading: ServiceReading,
): readonly ReadService[] {
  const list = valueAt(file.data, ['services']);
  if (!Array.isArray(list) || list.length === 0) {
    const expected = 'expected a list of at least one service';
    const message =
      list === undefined
        ? `this key is missing: ${expected}, such as "- use: ${reading.catalogue[0]?.services[0]?.name ?? ''}".`
        : `${expected}, found ${quoteAt(file, ['services'])}.`;
    reportProblem(trouble, file, ['services'], message);
    return [];
  }
  const services = list.flatMap((_, index) => readService(trouble, file, ['services', index], reading) ?? []);
  checkNames(trouble, file, services, reading.catalogue);
  return services;
}

interface PlacedService extends ReadService {
  readonly used?: string | undefined;
  readonly as?: string | undefined;
}

type Entry = Fields<typeof serviceShape>;

function readService(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  reading: ServiceReading,
): PlacedService | undefined {
  const before = trouble.problems.length;
  // What is asked of another service's answer is read once all services are known.
  const entry = readFields(trouble, file, path, serviceShape, { skipped: ['when'] });
  if (!entry) return undefined;
  const found = findUsed(trouble, file, path, entry, reading.catalogue);
  const placed = { path, used: entry.use, as: entry.as, name: entry.as ?? entry.use ?? '' };
  if (!found) return placed;
  const { service, vendor } = found;
  const account = readAccount(trouble, file, path, entry, vendor, reading);
  const asked = readOptions(trouble, file, path, entry, service);
  const delivery = readDelivery(trouble, file, path, entry, service, account);
  checkBatch(trouble, file, path, entry, service, account);
  const { unitsPerCall = 1, batch = 1 } = entry;
  if (trouble.problems.length > before || !account || !asked || !delivery) return { ...placed, service };
  warnService(trouble, file, path, service, asked);
  const limits = readLimits(entry.limits);
  const use: ServiceUse = {
    name: placed.name,
    service,
    account,
    ...asked,
    unitsPerCall,
    batch,
    delivery,
    ...(limits && { limits }),
  };
  return { ...placed, service, use };
}

function findUsed(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  entry: Entry,
  catalogue: Catalogue,
): { readonly service: Service; readonly vendor: Vendor } | undefined {
  if (entry.use === undefined) return undefined;
  const found = findService(catalogue, entry.use);
  if (found) return found;
  const names = catalogue.flatMap((vendor) => vendor.services.map((one) => one.name));
  const place = [...path, 'use'];
  const advice = `${suggest(entry.use, names)} \`mediasweep catalogue\` lists all.`;
  reportProblem(trouble, file, place, `there is no service ${quoteAt(file, place)}.${advice}`);
  return undefined;
}

function readAccount(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  entry: Entry,
  vendor: Vendor,
  { accounts, needsCredentials }: ServiceReading,
): Account | undefined {
  const place = [...path, 'account'];
  const ofVendor = accounts.names.filter((name) => accounts.vendors.get(name) === vendor);
  const isWritten = valueAt(file.data, place) !== undefined;
  // Where the file or an account's vendor cannot be read, that is the fault to mend first.
  const isKnown =
    accounts.file.isBroken !== true && accounts.names.every((name) => accounts.vendors.has(name));
  if (!isWritten && ofVendor.length !== 1) {
    if (!isKnown) return undefined;
    const found = ofVendor.length === 0 ? 'none' : ofVendor.join(', ');
    const advice = ofVendor.length === 0 ? 'Add one.' : 'Say here which of them.';
    const expected = `expected exactly one account of vendor "${vendor.name}" in ${accounts.file.file}`;
    reportProblem(trouble, file, place, `this key is missing: ${expected}, found ${found}. ${advice}`);
    return undefined;
  }
  const name = isWritten ? entry.account : ofVendor[0];
  if (name === undefined || accounts.file.isBroken === true) return undefined;
  if (!accounts.names.includes(name)) {
    const advice = suggest(name, ofVendor) || listNames(ofVendor, accounts.file.file);
    reportProblem(
      trouble,
      file,
      place,
      `there is no account ${quoteAt(file, place)} in ${accounts.file.file}.${advice}`,
    );
    return undefined;
  }
  reportAccountVariables(trouble, accounts, name, needsCredentials);
  const other = accounts.vendors.get(name);
  if (other && other !== vendor) {
    const expected = `expected an account of vendor "${vendor.name}"`;
    const advice = listNames(ofVendor, accounts.file.file);
    reportProblem(
      trouble,
      file,
      place,
      `${expected}, found ${quoteAt(file, place)} of "${other.name}".${advice}`,
    );
    return undefined;
  }
  return accounts.accounts.get(name);
}

type Asked = Pick<ServiceUse, 'options' | 'model'>;

/** `model_name` stands among the options for the person's sake; it is no option of the service's shape. */
function readOptions(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  entry: Entry,
  service: Service,
): Asked | undefined {
  const place = [...path, 'options'];
  const written = valueAt(file.data, place);
  if (written !== undefined && entry.options === undefined) return undefined;
  const options = { ...entry.options };
  let model = '';
  if (service.defaultModel !== undefined && Object.hasOwn(options, 'model_name')) {
    const named = options.model_name;
    delete options.model_name;
    if (typeof named !== 'string' || named === '') {
      const at = [...place, 'model_name'];
      reportProblem(trouble, file, at, `expected the name of a model, found ${quoteAt(file, at)}.`);
    } else if (named !== service.defaultModel) model = named;
  }
  const otherKeys = service.defaultModel === undefined ? [] : ['model_name'];
  const hint = `Manual: ${service.manual}.`;
  const before = trouble.problems.length;
  const parsed = readData(trouble, file, place, options, service.options, { hint, otherKeys });
  return trouble.problems.length > before ? undefined : { options: parsed, model };
}

function readDelivery(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  entry: Entry,
  service: Service,
  account: Account | undefined,
): Delivery | undefined {
  const place = [...path, 'delivery'];
  const delivery = entry.delivery ?? service.deliveries[0];
  if (entry.delivery === undefined && valueAt(file.data, place) !== undefined) return undefined;
  if (delivery === undefined || !service.deliveries.includes(delivery)) {
    const known = service.deliveries.map((one) => JSON.stringify(one)).join(', ');
    const found = `delivery ${quoteAt(file, place)} is not supported yet by ${service.name}`;
    reportProblem(trouble, file, place, `${found}: expected one of ${known}.`);
    return undefined;
  }
  if (delivery === 'callback' && account && !account.callback) {
    const expected = `delivery "callback" needs callback: { listen, publicUrl } in account "${account.name}"`;
    reportProblem(trouble, file, place, `${expected}, found none. Add it there, or use delivery: poll.`);
    return undefined;
  }
  return delivery;
}

function checkBatch(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  entry: Entry,
  service: Service,
  account: Account | undefined,
): void {
  const place = [...path, 'batch'];
  const { batch = 1 } = entry;
  const most = Math.min(100, service.maxBatch);
  const openJobs = Math.min(entry.limits?.maxOpenJobs ?? Infinity, account?.limits.maxOpenJobs ?? Infinity);
  if (batch > most) {
    const expected =
      most <= 1
        ? `expected 1, since ${service.name} has no batch form`
        : `expected a whole number from 1 to ${most}`;
    reportProblem(trouble, file, place, `${expected}, found ${quoteAt(file, place)}.`);
  } else if (batch > 1 && batch > openJobs) {
    const expected = `expected at most ${openJobs}, the maxOpenJobs that holds here, since a batch counts its elements`;
    reportProblem(trouble, file, place, `${expected}, found ${quoteAt(file, place)}.`);
  }
}

function warnService(trouble: Trouble, file: ConfigFile, path: Path, service: Service, asked: Asked): void {
  for (const warning of service.warn?.(asked.options) ?? []) {
    const named = /^([A-Za-z_][\w.]*): ([\s\S]+)$/.exec(warning);
    const inner = [...path, 'options', ...(named?.[1] ?? '').split('.')];
    if (named?.[2] !== undefined && valueAt(file.data, inner) !== undefined) {
      reportWarning(trouble, file, inner, named[2]);
    } else reportWarning(trouble, file, [...path, 'options'], warning);
  }
  if (asked.model !== '' && valueAt(file.data, [...path, 'unitsPerCall']) === undefined) {
    const place = [...path, 'options', 'model_name'];
    const advice = 'Set unitsPerCall beside use: to what the vendor bills, 1 if it is one.';
    const message = `a call of the custom model ${quoteAt(file, place)} is counted as 1 unit, but may cost more. ${advice}`;
    reportWarning(trouble, file, place, message);
  }
}

function readLimits(limits: Entry['limits']): Partial<Limits> | undefined {
  const { concurrency, perSecond, maxOpenJobs, maxAttempts } = limits ?? {};
  const set = {
    ...(concurrency !== undefined && { concurrency }),
    ...(perSecond !== undefined && { perSecond }),
    ...(maxOpenJobs !== undefined && { maxOpenJobs }),
    ...(maxAttempts !== undefined && { maxAttempts }),
  };
  return Object.keys(set).length === 0 ? undefined : set;
}

function checkNames(
  trouble: Trouble,
  file: ConfigFile,
  services: readonly PlacedService[],
  catalogue: Catalogue,
): void {
  const taken = new Map<string, PlacedService>();
  for (const one of services) {
    if (one.name === '') continue;
    const first = taken.get(one.name);
    if (one.as !== undefined && one.as !== one.used && findService(catalogue, one.as)) {
      const place = [...one.path, 'as'];
      const message = `${quoteAt(file, place)} is the name of another service. Choose a name of your own.`;
      reportProblem(trouble, file, place, message);
    } else if (first && one.as !== undefined) {
      const place = [...one.path, 'as'];
      reportProblem(
        trouble,
        file,
        place,
        `${quoteAt(file, place)} is taken by an entry above. Choose another name.`,
      );
    } else if (first) {
      const place = [...one.path, 'use'];
      const message = `${quoteAt(file, place)} is used twice. Add \`as: NAME\` to one of the two, under which it stands everywhere.`;
      reportProblem(trouble, file, place, message);
    } else taken.set(one.name, one);
  }
}
