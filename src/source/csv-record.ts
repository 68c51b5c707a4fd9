/**
 * Cuts a CSV file into records, and goes on after one that cannot be read.
 *
 * csv-parse ends at the first wrong quote, and an unclosed quote takes in all that follows. So what it has read since
 * the last whole record is kept; after an error the first line of that is reported, and a new parser begins with the
 * line after it. Lines are counted in the file's own bytes, those within quoted fields and empty ones included.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { type CsvError, type CsvErrorCode, Parser } from 'csv-parse';

export interface CsvRecord {
  /** Of its first byte, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

export type CsvPiece =
  | { readonly form: 'record'; readonly record: CsvRecord }
  | { readonly form: 'broken'; readonly line: number; readonly message: string }
  /** The bytes of this record are not UTF-8; nothing follows. */
  | { readonly form: 'not-utf8'; readonly line: number };

/** A record longer than this (in characters) is taken for an unclosed quote. */
const longestRecord = 1024 * 1024;

/** After so many the process turns to its calls in between: a broken record costs much more time than a good one. */
const faultsAtOnce = 500;

/** Yields the pieces of a file, a batch for each chunk that was read. */
export async function* readCsvRecords(
  chunks: AsyncIterable<Buffer>,
  delimiter: string,
): AsyncGenerator<readonly CsvPiece[]> {
  const reader = new CsvReader(delimiter);
  for await (const chunk of chunks) yield await reader.feed(chunk);
  yield await reader.finish();
}

/** Hands each record over where it arises: `on_record` would be given all that the parser knows, copied for each. */
class RecordParser extends Parser {
  readonly #accept: (fields: readonly string[], endsAt: number) => void;

  constructor(
    delimiter: string,
    isFirst: boolean,
    accept: (fields: readonly string[], endsAt: number) => void,
  ) {
    super({
      bom: isFirst,
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: longestRecord,
    });
    this.#accept = accept;
  }

  override push(record: readonly string[] | null): boolean {
    if (record === null) return super.push(null);
    this.#accept(record, this.info.bytes);
    return true;
  }
}

/** Its life is that of one file. */
class CsvReader {
  readonly #delimiter: string;
  #parser: Parser;
  #held: Buffer = Buffer.alloc(0);
  /** How much of `held` is in whole records. */
  #read = 0;
  /** `held` is ASCII throughout, so that no record need be looked at by itself. */
  #isAscii = true;
  /** Where `held` begins, as the parser counts bytes. */
  #heldAt = 0;
  /** The line of the first byte that is not in a whole record. */
  #line = 1;
  #pieces: CsvPiece[] = [];
  /** Within a line that is given up, whose end has not come yet. */
  #isSkipping = false;
  #isOver = false;
  #faults = 0;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
    this.#parser = this.#openParser(true);
  }

  async feed(chunk: Buffer): Promise<readonly CsvPiece[]> {
    if (this.#isOver) return [];
    const rest = this.#isSkipping ? this.#skip(chunk) : chunk;
    const before = this.#takeRest();
    this.#hold(before.length === 0 ? rest : Buffer.concat([before, rest]));
    let error = await write(this.#parser, rest);
    while (error !== undefined && !this.#isOver) error = await this.#goOn(error, false);
    return this.#takePieces();
  }

  async finish(): Promise<readonly CsvPiece[]> {
    if (this.#isOver) return [];
    let error = await end(this.#parser);
    while (error !== undefined && !this.#isOver) error = await this.#goOn(error, true);
    if (!this.#isOver && !isUtf8(this.#takeRest())) this.#pieces.push({ form: 'not-utf8', line: this.#line });
    return this.#takePieces();
  }

  /** Gives up the first line that is held, and parses the lines after it anew. */
  async #goOn(error: CsvError, isEnd: boolean): Promise<CsvError | undefined> {
    this.#faults += 1;
    if (this.#faults % faultsAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    const rest = this.#takeRest();
    const empty = countLeadingBreaks(rest, 0);
    const line = this.#line + empty.lines;
    this.#pieces.push({ form: 'broken', line, message: describe(error) });
    this.#line = line + 1;
    this.#hold(this.#skip(rest.subarray(empty.bytes)));
    this.#heldAt = 0;
    this.#parser = this.#openParser(false);
    const next = await write(this.#parser, this.#held);
    return next === undefined && isEnd ? await end(this.#parser) : next;
  }

  /** What follows the end of the first line of these bytes. */
  #skip(bytes: Buffer): Buffer {
    const lineEnd = bytes.indexOf(0x0a);
    this.#isSkipping = lineEnd === -1;
    return this.#isSkipping ? Buffer.alloc(0) : bytes.subarray(lineEnd + 1);
  }

  /** What is held from the end of the last whole record on; the parser has it too. */
  #takeRest(): Buffer {
    const rest = this.#held.subarray(this.#read);
    this.#heldAt += this.#read;
    this.#read = 0;
    this.#held = rest;
    return rest;
  }

  #hold(bytes: Buffer): void {
    this.#held = bytes;
    this.#isAscii = isAscii(bytes);
  }

  #openParser(isFirst: boolean): Parser {
    const parser = new RecordParser(this.#delimiter, isFirst, (fields, endsAt) =>
      this.#accept(fields, endsAt),
    );
    // Errors are taken where they arise, by the callbacks of write and end.
    parser.on('error', () => undefined);
    parser.resume();
    return parser;
  }

  #accept(fields: readonly string[], endsAt: number): void {
    if (this.#isOver) return;
    const [begin, end] = [this.#read, endsAt - this.#heldAt];
    const line = this.#line + countLeadingBreaks(this.#held, begin).lines;
    if (this.#isAscii || isUtf8(this.#held.subarray(begin, end))) {
      this.#pieces.push({ form: 'record', record: { line, fields } });
    } else {
      this.#pieces.push({ form: 'not-utf8', line });
      this.#isOver = true;
    }
    this.#line += countBreaks(this.#held, begin, end);
    this.#read = end;
  }

  #takePieces(): readonly CsvPiece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }
}

function write(parser: Parser, chunk: Buffer): Promise<CsvError | undefined> {
  return new Promise((resolve) => {
    parser.write(chunk, (error) => resolve(asCsvError(error)));
  });
}

function end(parser: Parser): Promise<CsvError | undefined> {
  return new Promise((resolve) => {
    parser.once('error', (error: CsvError) => resolve(error));
    parser.once('finish', () => resolve(undefined));
    parser.end();
  });
}

function asCsvError(error: Error | null | undefined): CsvError | undefined {
  return error === null || error === undefined ? undefined : (error as CsvError);
}

/** The parser's codes in words of ours; its own texts quote whole fields, which may hold a link's signature. */
function describe(error: CsvError): string {
  const fault = quoteFaults[error.code] ?? `cannot be read as CSV: ${error.code}`;
  return `${fault}. Correct the row.`;
}

const quoteFaults: Readonly<Partial<Record<CsvErrorCode, string>>> = {
  CSV_INVALID_CLOSING_QUOTE: 'a quote in a quoted field: expected it doubled ("") or the delimiter after it',
  CSV_QUOTE_NOT_CLOSED: 'a quoted field that nothing closes: expected a closing quote',
  CSV_MAX_RECORD_SIZE: `a row beyond ${longestRecord} characters: expected a closing quote before that`,
  INVALID_OPENING_QUOTE:
    'a quote within a field that does not begin with one: expected the whole field in quotes',
};

/** Empty lines before a record, which begins at `from`: the parser passes over them. A byte order mark may stand before it. */
function countLeadingBreaks(bytes: Buffer, from: number): { readonly bytes: number; readonly lines: number } {
  const isMarked = bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf;
  let at = isMarked ? from + 3 : from;
  let lines = 0;
  for (;;) {
    if (bytes[at] === 0x0a) at += 1;
    else if (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) at += 2;
    else return { bytes: at - from, lines };
    lines += 1;
  }
}

function countBreaks(bytes: Buffer, from: number, to: number): number {
  let breaks = 0;
  for (let at = bytes.indexOf(0x0a, from); at !== -1 && at < to; at = bytes.indexOf(0x0a, at + 1))
    breaks += 1;
  return breaks;
}
