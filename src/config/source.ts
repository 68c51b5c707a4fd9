/** `source:`, `select:` and `access:` of a pipeline. */
import { dirname, resolve } from 'node:path';
import type {
  AccessSettings,
  BucketSource,
  CsvSource,
  SelectSettings,
  SourceSettings,
} from '../domain/settings.ts';
import { valueAt } from './document.ts';
import { type Fields, readFields, readMap, readValue } from './reader.ts';
import { accessModeShape, accessShapes, selectShape, sourceShape, sourceShapes } from './shape/pipeline.ts';
import { type KnownStorages, useStorage } from './storages.ts';
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
  readFields(trouble, file, ['source'], sourceShape, { skipped: ['bucket', 'csv'] });
  const written = forms.filter((form) => Object.hasOwn(map, form));
  if (written.length !== 1) {
    const found = written.length === 0 ? 'none' : written.join(' and ');
    reportProblem(trouble, file, ['source'], `expected exactly one of ${forms.join(', ')}, found ${found}.`);
  }
  const bucket = written.includes('bucket') ? readBucket(trouble, file, reading) : undefined;
  const csv = written.includes('csv') ? readCsv(trouble, file, reading) : undefined;
  return bucket ?? csv;
}

function readBucket(trouble: Trouble, file: ConfigFile, reading: SourceReading): BucketSource | undefined {
  const path = ['source', 'bucket'];
  const fields = readFields(trouble, file, path, sourceShapes.bucket);
  const { storage, bucket, prefix } = fields ?? {};
  if (storage !== undefined) nameStorage(trouble, file, storage, path, reading);
  if (storage === undefined || bucket === undefined || prefix === undefined) return undefined;
  return { form: 'bucket', storage, bucket, prefixes: prefix };
}

function readCsv(trouble: Trouble, file: ConfigFile, reading: SourceReading): CsvSource | undefined {
  const path = ['source', 'csv'];
  const fields = readFields(trouble, file, path, sourceShapes.csv);
  if (!fields) return undefined;
  if (fields.storage !== undefined) nameStorage(trouble, file, fields.storage, path, reading);
  checkColumns(trouble, file, fields);
  const { header, columns, delimiter, encoding, storage, bucket } = fields;
  if (fields.path === undefined || header === undefined || !columns) return undefined;
  if (delimiter === undefined || encoding === undefined) return undefined;
  const known = storage === undefined ? undefined : reading.storages.storages.get(storage);
  return {
    form: 'csv',
    path: resolve(dirname(reading.path), fields.path),
    header,
    columns: Object.fromEntries(Object.entries(columns).filter(([, column]) => column !== undefined)),
    delimiter,
    encoding,
    ...(storage !== undefined && { storage }),
    ...(bucket !== undefined && { bucket }),
    allowPrivateAddresses: fields.allowPrivateAddresses === true || known?.allowsPrivateAddresses === true,
  };
}

function nameStorage(
  trouble: Trouble,
  file: ConfigFile,
  name: string,
  path: readonly string[],
  { storages, needsCredentials }: SourceReading,
): void {
  useStorage(trouble, storages, name, { file, path: [...path, 'storage'] }, needsCredentials);
}

/** With a header columns have names, without one they have positions. */
function checkColumns(
  trouble: Trouble,
  file: ConfigFile,
  { header, columns }: Fields<typeof sourceShapes.csv>,
): void {
  if (header === undefined || !columns) return;
  const expected = header
    ? 'the name of a column, since header is true'
    : 'a position from 1, since header is false';
  for (const [field, column] of Object.entries(columns)) {
    if (column === undefined || (typeof column === 'string') === header) continue;
    const place = ['source', 'csv', 'columns', field];
    reportProblem(trouble, file, place, `expected ${expected}, found ${quoteAt(file, place)}.`);
  }
  if (header || Object.values(columns).some((column) => column !== undefined)) return;
  const place = ['source', 'csv', 'header'];
  reportProblem(
    trouble,
    file,
    place,
    'not supported yet: header: false without columns. Say which position is which.',
  );
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
  };
}

/** Reads `access:`; presigned links for a day where it is left out. */
export function readAccess(trouble: Trouble, file: ConfigFile): AccessSettings | undefined {
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
  if (mode === 'inline') return readFields(trouble, file, ['access'], accessShapes.inline) && { mode };
  return undefined;
}
