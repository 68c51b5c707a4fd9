/** The storages of `config/storages.yaml`. */
import type { PriceBook } from '../domain/pricing.ts';
import type { Storage } from '../domain/settings.ts';
import type { Path } from './document.ts';
import { readAmount } from './prices.ts';
import { readFields, readMap, readValue } from './reader.ts';
import { secretStorageKeys, storageShape } from './shape/world.ts';
import { suggest } from '../domain/suggestion.ts';
import { reportProblem, reportVariables, type Trouble } from './trouble.ts';
import { type ConfigFile, quoteAt } from './variable.ts';
import { readMapFile } from './map-file.ts';

export interface KnownStorages {
  readonly file: ConfigFile;
  readonly names: readonly string[];
  /** By name; absent where the entry is at fault. */
  readonly storages: ReadonlyMap<
    string,
    { readonly storage: Storage; readonly allowsPrivateAddresses: boolean }
  >;
}

/** Reads every storage; variables that are not set are no fault until the storage is used. */
export function readStorages(trouble: Trouble, file: ConfigFile, prices: PriceBook): KnownStorages {
  const names = readMapFile(trouble, file, 'storages');
  const storages: [string, { storage: Storage; allowsPrivateAddresses: boolean }][] = [];
  for (const name of names) {
    const path = ['storages', name];
    const fields = readFields(trouble, file, path, storageShape, { skipped: secretStorageKeys });
    if (!fields) continue;
    const keys = readKeys(trouble, file, path);
    const egress = readAmount(trouble, file, [...path, 'egress'], fields.egress, prices);
    const { region, pathStyle } = fields;
    if (!keys || region === undefined || pathStyle === undefined) continue;
    const endpoint = fields.endpoint === undefined ? {} : { endpoint: fields.endpoint };
    const storage: Storage = {
      name,
      ...endpoint,
      region,
      pathStyle,
      ...keys,
      ...(egress !== undefined && { egress }),
    };
    storages.push([name, { storage, allowsPrivateAddresses: fields.allowPrivateAddresses === true }]);
  }
  return { file, names, storages: new Map(storages) };
}

/**
 * The storage that a pipeline names. Reports a name that is not known, and variables of it that are not set; those of
 * its credentials only where `needsCredentials`.
 */
export function useStorage(
  trouble: Trouble,
  known: KnownStorages,
  name: string,
  from: { readonly file: ConfigFile; readonly path: Path },
  needsCredentials: boolean,
): Storage | undefined {
  if (known.file.isBroken === true) return undefined;
  if (!known.names.includes(name)) {
    const quoted = quoteAt(from.file, from.path);
    const advice = suggest(name, known.names) || listNames(known.names, known.file.file);
    reportProblem(
      trouble,
      from.file,
      from.path,
      `there is no storage ${quoted} in ${known.file.file}.${advice}`,
    );
    return undefined;
  }
  reportVariables(
    trouble,
    known.file,
    ['storages', name],
    (path) => needsCredentials || !secretStorageKeys.includes(String(path[2])),
  );
  return known.storages.get(name)?.storage;
}

/** ` Known: a, b.` or what to do where there is none. */
export function listNames(names: readonly string[], file: string): string {
  return names.length === 0 ? ` Add it to ${file}.` : ` Known: ${names.join(', ')}.`;
}

type Keys = Pick<Storage, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>;

function readKeys(trouble: Trouble, file: ConfigFile, path: Path): Keys | undefined {
  const before = trouble.problems.length;
  const keys: Record<string, string> = {};
  for (const key of ['accessKeyId', 'secretAccessKey', 'sessionToken'] as const) {
    const value = readValue(trouble, file, [...path, key], storageShape.shape[key], { isSecret: true });
    if (value !== undefined && value !== '') keys[key] = value;
  }
  if (trouble.problems.length > before) return undefined;
  const map = readMap(trouble, file, path) ?? {};
  const has = (key: string): boolean => Object.hasOwn(map, key) && map[key] !== '';
  if (has('accessKeyId') !== has('secretAccessKey')) {
    const missing = has('accessKeyId') ? 'secretAccessKey' : 'accessKeyId';
    const advice = 'Set both, or neither for the AWS credential chain.';
    reportProblem(trouble, file, [...path, missing], `this key is missing beside its other half. ${advice}`);
  } else if (has('sessionToken') && !has('accessKeyId')) {
    const expected =
      'expected accessKeyId and secretAccessKey beside a sessionToken, found neither. Set all three.';
    reportProblem(trouble, file, [...path, 'sessionToken'], expected);
  } else return keys;
  return undefined;
}
