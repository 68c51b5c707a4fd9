/** Reads a CSV manifest from disk as a stream of pages; a broken row is reported and the rest goes on. */
import { createReadStream } from 'node:fs';
import pLimit from 'p-limit';
import type { BrokenRow, Item, SourcePage } from '../domain/item.ts';
import { kindOf } from '../domain/kind.ts';
import { describeError, wrongUse } from '../domain/problem.ts';
import type { CsvSource } from '../domain/settings.ts';
import type { ObjectStorage } from '../domain/storage.ts';
import { type Columns, readColumns } from './column.ts';
import { type CsvPiece, readCsvRecords } from './csv-record.ts';
import { breakRow, readRow, type Row } from './manifest-row.ts';
import type { Selection } from './select.ts';

const rowsOfPage = 500;
const chunkBytes = 256 * 1024;
/** Heads in progress at once. */
const headConcurrency = 8;

/**
 * Yields the rows of a manifest in pages of 500. Rows with a key in a known storage but without etag or size are
 * completed by HEAD; one whose object is not there is broken.
 *
 * @throws Stop with exit 2 where the file cannot be read, is not UTF-8, or lacks a mapped column
 */
export async function* readManifest(
  source: CsvSource,
  selection: Selection,
  storage: ObjectStorage,
): AsyncGenerator<SourcePage> {
  const limit = pLimit(headConcurrency);
  const toPage = (rows: readonly Row[], isLast: boolean): Promise<SourcePage> =>
    makePage(rows, isLast, selection, (item) => limit(() => completeItem(item, storage)));
  let rows: Row[] = [];
  for await (const more of readRows(source)) {
    for (const row of more) {
      if (rows.length === rowsOfPage) {
        yield await toPage(rows, false);
        rows = [];
      }
      rows.push(row);
    }
  }
  yield await toPage(rows, true);
}

async function* readRows(source: CsvSource): AsyncGenerator<Iterable<Row>> {
  let columns: Columns | undefined;
  for await (const pieces of readCsvRecords(readChunks(source.path), source.delimiter)) {
    const [first] = pieces;
    if (first === undefined) continue;
    const isHeader = columns === undefined && source.header;
    columns ??= readColumns(source, readFirst(first, source));
    yield toRows(isHeader ? pieces.slice(1) : pieces, columns, source);
  }
  if (columns === undefined && source.header) {
    throw wrongUse(
      `${source.path}: expected a header line, found an empty file. Write it, or set header: false.`,
    );
  }
}

function readFirst(piece: CsvPiece, source: CsvSource): readonly string[] {
  if (piece.form === 'record') return piece.record.fields;
  if (piece.form === 'not-utf8') throw refuseEncoding(source, piece.line);
  throw wrongUse(`${source.path}:${piece.line}: ${piece.message}`);
}

function* toRows(pieces: readonly CsvPiece[], columns: Columns, source: CsvSource): Generator<Row> {
  for (const piece of pieces) yield toRow(piece, columns, source);
}

function toRow(piece: CsvPiece, columns: Columns, source: CsvSource): Row {
  if (piece.form === 'record') return readRow(piece.record, columns, source);
  if (piece.form === 'broken') return breakRow(piece.line, piece.message);
  throw refuseEncoding(source, piece.line);
}

function refuseEncoding(source: CsvSource, line: number): Error {
  const action = 'Save it as UTF-8 (in Excel: "CSV UTF-8").';
  return wrongUse(`${source.path}:${line}: expected text in UTF-8, found other bytes. ${action}`);
}

async function* readChunks(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
      if (Buffer.isBuffer(chunk)) yield chunk;
    }
  } catch (error) {
    throw wrongUse(
      `${path}: the manifest cannot be read: ${describeError(error)}. Check the path and its rights.`,
    );
  }
}

async function makePage(
  rows: readonly Row[],
  isLast: boolean,
  selection: Selection,
  complete: (item: Item) => Promise<Item | undefined>,
): Promise<SourcePage> {
  const looked = await Promise.all(rows.map((row) => lookAt(row, selection, complete)));
  const items: Item[] = [];
  const broken: BrokenRow[] = [];
  for (const row of looked) {
    if (row === undefined) continue;
    if (row.isBroken) broken.push({ line: row.line, message: row.message });
    else items.push(row.item);
  }
  return { items, unselected: rows.length - items.length - broken.length, broken, isLast };
}

/** The row as it goes into the page; `undefined` where it is not selected. */
async function lookAt(
  row: Row,
  selection: Selection,
  complete: (item: Item) => Promise<Item | undefined>,
): Promise<Row | undefined> {
  if (row.isBroken) return row;
  const { line } = row;
  if (!selection.isPathSelected(row.item)) return undefined;
  const item = isComplete(row.item) ? row.item : await complete(row.item);
  if (item === undefined) return breakRow(line, nameAbsent(row.item));
  return selection.isSelected(item) ? { isBroken: false, line, item } : undefined;
}

function isComplete({ object, etag, sizeBytes }: Item): boolean {
  return object === undefined || (etag !== undefined && sizeBytes !== undefined);
}

async function completeItem(item: Item, storage: ObjectStorage): Promise<Item | undefined> {
  const facts = item.object && (await storage.head(item.object));
  if (facts === undefined) return undefined;
  const contentType = item.contentType ?? facts.contentType;
  return {
    ...item,
    contentType,
    kind: item.kind ?? kindOf({ ...item, contentType }),
    etag: item.etag ?? facts.etag,
    sizeBytes: item.sizeBytes ?? facts.sizeBytes,
    lastModified: item.lastModified ?? facts.lastModified,
  };
}

function nameAbsent(item: Item): string {
  const { storage, bucket, key } = item.object ?? { storage: '', bucket: '', key: '' };
  return `no object "${key}" in bucket "${bucket}" of storage "${storage}". Correct the row or remove it.`;
}
