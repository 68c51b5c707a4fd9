/** Reads the rows of a CSV manifest; a broken row is reported and the rest goes on. */
import { wrongUse } from '../domain/problem.ts';
import type { CsvSource } from '../domain/settings.ts';
import { type Columns, readColumns } from './column.ts';
import { type CsvPiece, readCsvRecords } from './csv-record.ts';
import { breakRow, readRow, type Row } from './manifest-row.ts';

/**
 * The rows behind the header, a batch for each chunk.
 *
 * @throws Stop with exit 2 where the text is not UTF-8, or lacks a mapped column
 */
export async function* readCsvRows(
  chunks: AsyncIterable<Buffer>,
  source: CsvSource,
): AsyncGenerator<Iterable<Row>> {
  let columns: Columns | undefined;
  for await (const pieces of readCsvRecords(chunks, source.delimiter)) {
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
  const action =
    'Set "encoding" (gb18030 for most files of Chinese Excel), or save it as UTF-8 (in Excel: "CSV UTF-8").';
  return wrongUse(`${source.path}:${line}: expected text in UTF-8, found other bytes. ${action}`);
}
