/** Which column of a manifest holds which of our fields. */
import { wrongUse } from '../domain/problem.ts';
import { type CsvSource, type ManifestField, manifestFields } from '../domain/settings.ts';
import { findDelimiter } from './delimiter.ts';
import type { RowField } from './manifest-row.ts';

/** Where our fields stand in a row, counted from 0, and how many columns each row must have. */
export interface Columns {
  readonly width: number;
  readonly at: ReadonlyMap<RowField, number>;
  readonly areKeysEncoded: boolean;
  /** Rows are those of our own `failures.csv`. */
  readonly isReport?: boolean | undefined;
}

/** Columns by which our own `failures.csv` is told from other files. */
const failureColumns = ['item', 'bucket', 'key', 'url', 'service', 'status', 'code', 'attempts'] as const;
const batchFields: readonly RowField[] = ['bucket', 'key', 'version'];

/** One of these must stand in a row, so one of their columns must be in the file. */
const mediaFields: readonly ManifestField[] = ['key', 'url', 'text', 'images', 'video_url'];

/**
 * The columns of a manifest, from its header, or from its first row where it has none. A mapped field stands where
 * `columns` says, by name or by position from 1; the others stand under their own name. Without header and mapping, two
 * or three columns are those of an S3 Batch manifest, and more stand in the order of our default columns.
 *
 * @throws Stop with exit 2 where a mapped column is missing or stands twice, or no column leads to media
 */
export function readColumns(source: CsvSource, first: readonly string[]): Columns {
  const names = source.header ? first.map((name) => name.trim()) : [];
  const known = recogniseColumns(source, names, first.length);
  if (known !== undefined) return known;
  const at = new Map<RowField, number>();
  for (const field of manifestFields) {
    const wanted = source.columns[field];
    if (wanted !== undefined) at.set(field, findMapped(source, names, first.length, field, wanted));
  }
  addDefaults(source, names, first.length, at);
  if (!mediaFields.some((field) => at.has(field))) {
    const expected = `expected a column for one of ${mediaFields.join(', ')}`;
    throw wrongUse(`${source.path}: ${expected}, ${nameFound(source, first)}. Map them with "columns".`);
  }
  return { width: first.length, at, areKeysEncoded: false };
}

/** Files whose columns need not be told: our own `failures.csv`, and manifests of S3 Batch. */
function recogniseColumns(source: CsvSource, names: readonly string[], width: number): Columns | undefined {
  if (Object.keys(source.columns).length > 0) return undefined;
  if (source.header) {
    if (!failureColumns.every((name) => names.includes(name))) return undefined;
    const at = new Map<RowField, number>([['id', names.indexOf('item')]]);
    for (const field of ['bucket', 'key', 'url', 'service'] as const) at.set(field, names.indexOf(field));
    return { width, at, areKeysEncoded: false, isReport: true };
  }
  if (width !== 2 && width !== 3) return undefined;
  const at = new Map(batchFields.slice(0, width).map((field, index) => [field, index]));
  return { width, at, areKeysEncoded: true };
}

function findMapped(
  source: CsvSource,
  names: readonly string[],
  width: number,
  field: ManifestField,
  wanted: string | number,
): number {
  const where = `${source.path}: columns.${field}`;
  if (typeof wanted === 'number') {
    if (Number.isInteger(wanted) && wanted >= 1 && wanted <= width) return wanted - 1;
    throw wrongUse(`${where}: expected a position from 1 to ${width}, found ${wanted}. Correct it.`);
  }
  if (!source.header) {
    const action = 'Give the position, or set header: true.';
    throw wrongUse(`${where}: expected a position because header is false, found "${wanted}". ${action}`);
  }
  const index = names.indexOf(wanted);
  if (index === -1) {
    throw wrongUse(`${where}: expected a column "${wanted}", ${nameFound(source, names)}. Correct the name.`);
  }
  refuseTwice(where, names, wanted, `set columns.${field} to the position`);
  return index;
}

/** Which of two is meant only people know. */
function refuseTwice(where: string, names: readonly string[], name: string, advice: string): void {
  const places = names.flatMap((one, index) => (one === name ? [index + 1] : []));
  if (places.length < 2) return;
  const found = `found it as columns ${places.join(' and ')}`;
  throw wrongUse(`${where}: expected one column "${name}", ${found}. Rename one, or ${advice}.`);
}

function addDefaults(
  source: CsvSource,
  names: readonly string[],
  width: number,
  at: Map<RowField, number>,
): void {
  const taken = new Set(at.values());
  if (source.header) {
    for (const field of manifestFields) {
      const index = names.indexOf(field);
      if (at.has(field) || index === -1 || taken.has(index)) continue;
      refuseTwice(source.path, names, field, `say which with columns: { ${field}: ${index + 1} }`);
      at.set(field, index);
    }
  } else if (at.size === 0) {
    for (const [index, field] of manifestFields.slice(0, width).entries()) at.set(field, index);
  }
}

function nameFound({ header, delimiter }: CsvSource, names: readonly string[]): string {
  const better = findDelimiter(names, delimiter);
  const advice =
    better === undefined ? '' : `, whose columns seem to be divided by ${JSON.stringify(better)} (delimiter)`;
  if (!header)
    return `found ${names.length === 1 ? 'one column' : `${names.length} columns`} without a header${advice}`;
  return `found ${names.map((name) => `"${name}"`).join(', ')}${advice}`;
}
