/** `source:`, `select:` and `access:` of a pipeline. */
import { dirname, resolve } from 'node:path';
import type {
  AccessSettings,
  Account,
  BucketSource,
  CsvSource,
  InventorySource,
  JsonlSource,
  SelectSettings,
  SourceSettings,
} from '../domain/settings.ts';
import { type KnownAccounts, reportAccountVariables } from './accounts.ts';
import { type Path, valueAt } from './document.ts';
import { type Fields, readFields, readMap, readValue } from './reader.ts';
import { accessModeShape, accessShapes, selectShape, sourceShape, sourceShapes } from './shape/pipeline.ts';
import { suggest } from '../domain/suggestion.ts';
import { type KnownStorages, listNames, useStorage } from './storages.ts';
import { reportProblem, type Trouble } from './trouble.ts';
import { type ConfigFile, quoteAt } from './variable.ts';

export interface SourceReading {
  readonly storages: KnownStorages;
  /** Absolute path of the pipeline file; paths in it are relative to it. */
  readonly path: string;
  readonly needsCredentials: boolean;
}

/** Reads `source:`: exactly one of its forms. */
export function readSource(
  trouble: Trouble,
  file: ConfigFile,
  reading: SourceReading,
): SourceSettings | undefined {
  const forms = Object.keys(sourceShape.shape);
  if (valueAt(file.data, ['source']) === undefined) {
    const message = `this key is missing: expected a map with exactly one of ${forms.join(', ')}.`;
    reportProblem(trouble, file, ['source'], message);
    return undefined;
  }
  const map = readMap(trouble, file, ['source']);
  if (!map) return undefined;
  readFields(trouble, file, ['source'], sourceShape, { skipped: forms });
  const written = forms.filter((form) => Object.hasOwn(map, form));
  if (written.length !== 1) {
    const found = written.length === 0 ? 'none' : written.join(' and ');
    reportProblem(trouble, file, ['source'], `expected exactly one of ${forms.join(', ')}, found ${found}.`);
  }
  const bucket = written.includes('bucket') ? readBucket(trouble, file, reading) : undefined;
  const csv = written.includes('csv') ? readCsv(trouble, file, reading) : undefined;
  const jsonl = written.includes('jsonl') ? readJsonl(trouble, file, reading) : undefined;
  const inventory = written.includes('inventory') ? readInventory(trouble, file, reading) : undefined;
  return bucket ?? csv ?? jsonl ?? inventory;
}

/** Storages that a source names: of the media, and of the manifest. */
export function listStorages(source: SourceSettings): readonly string[] {
  const path = source.form === 'bucket' ? '' : source.form === 'inventory' ? source.manifest : source.path;
  return [source.storage, /^s3:\/\/([^/]+)\//.exec(path)?.[1]].filter((name) => name !== undefined);
}

function readBucket(trouble: Trouble, file: ConfigFile, reading: SourceReading): BucketSource | undefined {
  const path = ['source', 'bucket'];
  const fields = readFields(trouble, file, path, sourceShapes.bucket);
  const { storage, bucket, prefix, parallel } = fields ?? {};
  if (storage !== undefined) nameStorage(trouble, file, storage, path, reading);
  if (storage === undefined || bucket === undefined || prefix === undefined) return undefined;
  return { form: 'bucket', storage, bucket, prefixes: prefix, ...(parallel !== undefined && { parallel }) };
}

function readCsv(trouble: Trouble, file: ConfigFile, reading: SourceReading): CsvSource | undefined {
  const path = ['source', 'csv'];
  const fields = readFields(trouble, file, path, sourceShapes.csv);
  if (!fields) return undefined;
  const manifest = readManifest(trouble, file, path, fields, reading);
  checkColumns(trouble, file, fields);
  const { header, columns, delimiter } = fields;
  if (!manifest || header === undefined || !columns || delimiter === undefined) return undefined;
  return {
    form: 'csv',
    ...manifest,
    header,
    columns: Object.fromEntries(Object.entries(columns).filter(([, column]) => column !== undefined)),
    delimiter,
  };
}

function readJsonl(trouble: Trouble, file: ConfigFile, reading: SourceReading): JsonlSource | undefined {
  const path = ['source', 'jsonl'];
  const fields = readFields(trouble, file, path, sourceShapes.jsonl);
  const manifest = fields && readManifest(trouble, file, path, fields, reading);
  return manifest && { form: 'jsonl', ...manifest };
}

/** What manifests of rows have in common. */
function readManifest(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  fields: Fields<typeof sourceShapes.jsonl>,
  reading: SourceReading,
): Omit<JsonlSource, 'form'> | undefined {
  const { encoding, storage, bucket, maxBrokenRows } = fields;
  if (storage !== undefined) nameStorage(trouble, file, storage, path, reading);
  if (fields.path !== undefined) nameStorageOf(trouble, file, fields.path, [...path, 'path'], reading);
  if (fields.path === undefined || encoding === undefined) return undefined;
  const known = storage === undefined ? undefined : reading.storages.storages.get(storage);
  return {
    path: resolvePath(fields.path, reading.path),
    encoding,
    ...(storage !== undefined && { storage }),
    ...(bucket !== undefined && { bucket }),
    ...(maxBrokenRows !== undefined && { maxBrokenRows }),
    allowPrivateAddresses: fields.allowPrivateAddresses === true || known?.allowsPrivateAddresses === true,
  };
}

function readInventory(
  trouble: Trouble,
  file: ConfigFile,
  reading: SourceReading,
): InventorySource | undefined {
  const path = ['source', 'inventory'];
  const { manifest, storage, maxBrokenRows } = readFields(trouble, file, path, sourceShapes.inventory) ?? {};
  if (storage !== undefined) nameStorage(trouble, file, storage, path, reading);
  if (manifest === undefined) return undefined;
  const own = nameStorageOf(trouble, file, manifest, [...path, 'manifest'], reading);
  return {
    form: 'inventory',
    manifest,
    storage: storage ?? own ?? '',
    ...(maxBrokenRows !== undefined && { maxBrokenRows }),
  };
}

/** The storage in a path such as `s3://main/lists/rows.csv`, which must be known. */
function nameStorageOf(
  trouble: Trouble,
  file: ConfigFile,
  written: string,
  path: Path,
  { storages, needsCredentials }: SourceReading,
): string | undefined {
  const name = /^s3:\/\/([^/]+)\//.exec(written)?.[1];
  if (name !== undefined) useStorage(trouble, storages, name, { file, path }, needsCredentials);
  return name;
}

function resolvePath(written: string, pipeline: string): string {
  return written === '-' || written.startsWith('s3://') ? written : resolve(dirname(pipeline), written);
}

function nameStorage(
  trouble: Trouble,
  file: ConfigFile,
  name: string,
  path: Path,
  { storages, needsCredentials }: SourceReading,
): void {
  useStorage(trouble, storages, name, { file, path: [...path, 'storage'] }, needsCredentials);
}

/** Every column has a position; only a header gives it a name. */
function checkColumns(
  trouble: Trouble,
  file: ConfigFile,
  { header, columns }: Fields<typeof sourceShapes.csv>,
): void {
  if (header !== false || !columns) return;
  for (const [field, column] of Object.entries(columns)) {
    if (typeof column !== 'string') continue;
    const place = ['source', 'csv', 'columns', field];
    const expected = 'expected a position from 1, since header is false';
    reportProblem(trouble, file, place, `${expected}, found ${quoteAt(file, place)}.`);
  }
}

/** Reads `select:`; everything is selected where it is left out. */
export function readSelect(trouble: Trouble, file: ConfigFile): SelectSettings | undefined {
  const fields = readFields(trouble, file, ['select'], selectShape);
  if (!fields) return undefined;
  const { minSize, maxSize, modifiedAfter, modifiedWithin } = fields;
  if (minSize !== undefined && maxSize !== undefined && minSize > maxSize) {
    const place = ['select', 'maxSize'];
    const least = quoteAt(file, ['select', 'minSize']);
    reportProblem(
      trouble,
      file,
      place,
      `expected no less than minSize (${least}), found ${quoteAt(file, place)}.`,
    );
  }
  return {
    include: fields.include ?? [],
    exclude: fields.exclude ?? [],
    kinds: fields.kinds ?? [],
    ...(minSize !== undefined && { minSizeBytes: minSize }),
    ...(maxSize !== undefined && { maxSizeBytes: maxSize }),
    ...(modifiedAfter !== undefined && { modifiedAfter }),
    ...(modifiedWithin !== undefined && { modifiedWithinMs: modifiedWithin }),
    ...(fields.sample !== undefined && { sample: fields.sample }),
    fit: fields.fit ?? 'warn',
  };
}

/** Reads `access:`; presigned links for a day where it is left out. */
export function readAccess(
  trouble: Trouble,
  file: ConfigFile,
  reading: AccessReading,
): AccessSettings | undefined {
  if (!readMap(trouble, file, ['access'])) return undefined;
  const mode = readValue(trouble, file, ['access', 'mode'], accessModeShape);
  if (mode === 'presigned') {
    const fields = readFields(trouble, file, ['access'], accessShapes.presigned);
    if (fields?.expiresIn === undefined) return undefined;
    return { mode, expiresInSeconds: Math.floor(fields.expiresIn / 1000) };
  }
  if (mode === 'public') {
    const fields = readFields(trouble, file, ['access'], accessShapes.public);
    return fields?.baseUrl === undefined ? undefined : { mode, baseUrl: fields.baseUrl };
  }
  if (mode === 'qiniu-private') {
    const fields = readFields(trouble, file, ['access'], accessShapes['qiniu-private']);
    const account =
      fields?.account === undefined ? undefined : findSigner(trouble, file, fields.account, reading);
    if (fields?.baseUrl === undefined || fields.expiresIn === undefined || !account) return undefined;
    const expiresInSeconds = Math.floor(fields.expiresIn / 1000);
    return { mode, baseUrl: fields.baseUrl, account, expiresInSeconds };
  }
  if (mode === 'inline') return readFields(trouble, file, ['access'], accessShapes.inline) && { mode };
  return undefined;
}

export interface AccessReading {
  readonly accounts: KnownAccounts;
  readonly needsCredentials: boolean;
}

/** The account whose keys sign links; only some vendors have object stores of their own. */
function findSigner(
  trouble: Trouble,
  file: ConfigFile,
  name: string,
  { accounts, needsCredentials }: AccessReading,
): Account | undefined {
  if (accounts.file.isBroken === true) return undefined;
  const place = ['access', 'account'];
  const signers = accounts.names.filter((one) => accounts.vendors.get(one)?.signLink !== undefined);
  if (!accounts.names.includes(name)) {
    const advice = suggest(name, signers) || listNames(signers, accounts.file.file);
    const message = `there is no account ${quoteAt(file, place)} in ${accounts.file.file}.${advice}`;
    reportProblem(trouble, file, place, message);
    return undefined;
  }
  const vendor = accounts.vendors.get(name);
  if (vendor && !signers.includes(name)) {
    const expected = 'expected an account of a vendor that signs links to an object store of its own';
    const found = `found ${quoteAt(file, place)} of "${vendor.name}"`;
    reportProblem(trouble, file, place, `${expected}, ${found}.${listNames(signers, accounts.file.file)}`);
    return undefined;
  }
  reportAccountVariables(trouble, accounts, name, needsCredentials);
  return accounts.accounts.get(name);
}
