/** A vendor's usage export: a CSV file whose columns people name, since no vendor's own format was at hand. */
import { wrongUse } from '../domain/problem.ts';
import type { Nano } from '../domain/pricing.ts';
import { dayOf } from '../domain/pricing.ts';
import type { Encoding } from '../domain/settings.ts';
import { findDelimiter } from './delimiter.ts';
import { readCsvRecords } from './csv-record.ts';
import { readLocalBytes } from './manifest-bytes.ts';

export const exportFields = ['date', 'sku', 'units', 'amount', 'id'] as const;
export type ExportField = (typeof exportFields)[number];

export interface ExportSettings {
  /** A local file, or `-` for standard input; compressed with gzip or not. */
  readonly path: string;
  readonly encoding: Encoding;
  readonly delimiter: string;
  /** Our field to the name of their column. */
  readonly columns: Readonly<Partial<Record<ExportField, string>>>;
  /** Of dates that name no zone. */
  readonly timezone: string;
  /** Of amounts. */
  readonly currency: string;
}

export interface ExportRow {
  readonly line: number;
  /** `YYYY-MM-DD`, or `YYYY-MM` where the export has months only. */
  readonly date?: string | undefined;
  /** As they call it. */
  readonly sku: string;
  readonly units?: number | undefined;
  readonly amount?: Nano | undefined;
  readonly id?: string | undefined;
}

/**
 * Yields the rows, a batch for each chunk that was read.
 *
 * @throws Stop with exit 2 where the file cannot be read, lacks a named column, or a value is none of its kind
 */
export async function* readUsageExport(
  settings: ExportSettings,
  standardInput: AsyncIterable<unknown>,
): AsyncGenerator<readonly ExportRow[]> {
  const { path, encoding, delimiter } = settings;
  let places: Places | undefined;
  for await (const pieces of readCsvRecords(
    readLocalBytes(path, encoding, standardInput, 'export'),
    delimiter,
  )) {
    const rows: ExportRow[] = [];
    for (const piece of pieces) {
      if (piece.form === 'not-utf8') {
        throw wrongUse(
          `${path}:${piece.line}: expected text in UTF-8, found other bytes. Name its encoding, such as --encoding gb18030 (most files of Chinese Excel).`,
        );
      }
      if (piece.form === 'broken') throw wrongUse(`${path}:${piece.line}: ${piece.message}`);
      if (places) rows.push(readExportRow(piece.record, places, settings));
      else places = findPlaces(piece.record.fields, settings);
    }
    yield rows;
  }
  if (!places) throw wrongUse(`${path}: expected a line that names the columns, found an empty file.`);
}

type Places = Readonly<Partial<Record<ExportField, number>>>;

/** A column by its name, or by its position from 1 where none has that name. */
function findPlaces(header: readonly string[], settings: ExportSettings): Places {
  const names = header.map((name) => name.trim());
  const found = Object.entries(settings.columns).map(
    ([field, name]) => [field, findPlace(names, field, name.trim(), settings)] as const,
  );
  return Object.fromEntries(found);
}

function findPlace(names: readonly string[], field: string, name: string, settings: ExportSettings): number {
  const where = `${settings.path}:1: --columns ${field}=${name}`;
  const place = names.indexOf(name);
  const other = names.indexOf(name, place + 1);
  if (place >= 0 && other >= 0) {
    throw wrongUse(
      `${where}: columns ${place + 1} and ${other + 1} are both called ${JSON.stringify(name)}. Give the position: ${field}=${place + 1} or ${field}=${other + 1}.`,
    );
  }
  if (place >= 0) return place;
  const position = /^\d{1,4}$/.test(name) ? Number(name) : 0;
  if (position >= 1 && position <= names.length) return position - 1;
  const known = names.map((one) => JSON.stringify(one)).join(', ');
  throw wrongUse(
    `${where}: there is no column ${JSON.stringify(name)}. The file has: ${known}.${adviseDelimiter(names, settings)}`,
  );
}

function adviseDelimiter(names: readonly string[], { delimiter }: ExportSettings): string {
  const better = findDelimiter(names, delimiter);
  if (better === undefined) return '';
  return ` Its columns seem to be divided otherwise: try --delimiter ${JSON.stringify(better)}.`;
}

function readExportRow(
  { line, fields }: { readonly line: number; readonly fields: readonly string[] },
  places: Places,
  { path, timezone, currency }: ExportSettings,
): ExportRow {
  const cell = (field: ExportField): string | undefined => {
    const place = places[field];
    return place === undefined ? undefined : (fields[place] ?? '').trim();
  };
  const read = <Value>(field: ExportField, parse: (text: string) => Value | undefined, expected: string) => {
    const text = cell(field);
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value !== undefined) return value;
    throw wrongUse(
      `${path}:${line}: ${field}: expected ${expected}, found ${quote(text)}. Correct the row, or --columns.`,
    );
  };
  return {
    line,
    sku: cell('sku') ?? '',
    date: read(
      'date',
      (text) => parseExportDate(text, timezone),
      'a date such as 2026-11-20 or 2026/11/20 08:00:00',
    ),
    units: read('units', parseUnits, 'a whole number of units'),
    amount: read(
      'amount',
      (text) => parseAmount(text, currency),
      `an amount in ${currency} such as 1,204.50`,
    ),
    ...(cell('id') !== undefined && { id: cell('id') }),
  };
}

/** `1,204`, `1204.00`; an empty cell is none. */
function parseUnits(text: string): number | undefined {
  const match = /^(-?(?:\d{1,3}(?:,\d{3})+|\d+))(?:\.0*)?$/.exec(text === '' ? '0' : text);
  const count = match ? Number((match[1] ?? '').replaceAll(',', '')) : Number.NaN;
  return Number.isSafeInteger(count) ? count : undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

const signs: Readonly<Record<string, readonly string[]>> = {
  '¥': ['CNY', 'JPY'],
  '￥': ['CNY', 'JPY'],
  '€': ['EUR'],
  $: ['USD', 'HKD', 'SGD', 'AUD', 'CAD'],
};

/**
 * `¥1,204.50`, `-0.0046`, `CNY 5`, `5 元`; to a billionth. An empty cell is nothing. Another currency is none, and
 * neither is what has more than 15 digits and commas before the point.
 */
export function parseAmount(text: string, currency: string): Nano | undefined {
  const match =
    /^(-?)(?:([¥￥$€])|([A-Z]{3}))?\s?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(?:\s?(?:([A-Z]{3})|元))?$/.exec(
      text === '' ? '0' : text,
    );
  if (!match || (match[4]?.length ?? 0) > 15) return undefined;
  const [, minus, sign = '', before = currency, whole = '', fraction = '', behind = currency] = match;
  if (before !== currency || behind !== currency || signs[sign]?.includes(currency) === false)
    return undefined;
  const digits =
    BigInt(whole.replaceAll(',', '')) * 10n ** 10n + BigInt(fraction.padEnd(10, '0').slice(0, 10));
  const amount = (digits + 5n) / 10n;
  return minus === '-' ? -amount : amount;
}

/** A day or a month as people and programs write them; an instant with its zone is told in that of the price book. */
export function parseExportDate(text: string, timezone: string): string | undefined {
  // Some write the zone twice: `+0800 CST`.
  const instant = text.replace(/([+-]\d\d:?\d\d) [A-Z]{2,5}$/, '$1');
  if (/\d[T ]\d.*(?:Z|[+-]\d\d:?\d\d)$/.test(instant)) {
    const ms = Date.parse(instant);
    return Number.isNaN(ms) ? undefined : dayOf(ms, timezone);
  }
  const match =
    /^(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|(\d\d)(\d\d)?)(?:[ T]\d{1,2}(?::\d\d){0,2}(?:\.\d+)?)?$/.exec(
      text,
    );
  if (!match) return undefined;
  const [, year = '', month, day, packedMonth, packedDay] = match;
  const numbers = [Number(month ?? packedMonth), Number(day ?? packedDay ?? 1)] as const;
  const midnight = new Date(Date.UTC(Number(year), numbers[0] - 1, numbers[1]));
  if (midnight.getUTCMonth() !== numbers[0] - 1 || midnight.getUTCDate() !== numbers[1]) return undefined;
  const iso = midnight.toISOString();
  return (day ?? packedDay) === undefined ? iso.slice(0, 7) : iso.slice(0, 10);
}
