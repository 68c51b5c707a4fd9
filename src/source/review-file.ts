/** Reads the decisions out of a `review.csv` that came back from people, whatever their spreadsheet made of it. */
import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { decisionWords, type NewDecision, parseDecision } from '../domain/decision.ts';
import { describeError, wrongUse } from '../domain/problem.ts';
import { type CsvRecord, readCsvRecords } from './csv-record.ts';

/** People decided on what is in it, so it is no larger than this. */
const mostBytes = 256 * 1024 * 1024;
const mostCharacters = 4096;

export interface ReviewReading {
  readonly decisions: readonly NewDecision[];
  /** Rows without a decision. */
  readonly blank: number;
  readonly faults: readonly ReviewFault[];
}

/** A row that says nothing that could be stored. */
export interface ReviewFault {
  readonly line: number;
  readonly message: string;
}

interface Place {
  readonly content: number;
  readonly decision: number;
  readonly comment: number;
  readonly item: number;
  readonly run: number;
}

/**
 * Takes UTF-8 and UTF-16 with or without a byte order mark of theirs, else GB18030 as a Chinese Excel saves CSV; commas,
 * semicolons and tabs; columns in any order, others among them. `path` is `-` for standard input.
 *
 * @throws Stop with exit 2 where the file cannot be read, or lacks the columns content and decision
 */
export async function readReviewFile(
  path: string,
  standardInput: AsyncIterable<unknown>,
): Promise<ReviewReading> {
  const text = decode(path, path === '-' ? await readAll(standardInput) : await readBytes(path));
  const { delimiter, place } = readHeader(path, text);
  const seen = new Map<string, { readonly line: number; readonly word: string }>();
  const decisions: NewDecision[] = [];
  const faults: ReviewFault[] = [];
  let blank = 0;
  let isHeader = true;
  for await (const pieces of readCsvRecords(once(Buffer.from(text)), delimiter)) {
    for (const piece of pieces) {
      if (isHeader) {
        isHeader = false;
        continue;
      }
      if (piece.form === 'broken') faults.push({ line: piece.line, message: piece.message });
      // Decoded text is UTF-8 throughout: there is no third form here.
      if (piece.form !== 'record') continue;
      const read = readRow(piece.record, place, seen);
      if (read === undefined) blank += 1;
      else if ('content' in read) decisions.push(read);
      else faults.push(read);
    }
  }
  return { decisions, blank, faults };
}

/** `undefined` for a row without a decision. */
function readRow(
  { line, fields }: CsvRecord,
  place: Place,
  seen: Map<string, { readonly line: number; readonly word: string }>,
): NewDecision | ReviewFault | undefined {
  const read = (index: number) => unguard(fields[index] ?? '').trim();
  const written = read(place.decision);
  if (written === '') return undefined;
  const word = parseDecision(written);
  const fault = (message: string): ReviewFault => ({ line, message });
  if (word === undefined) {
    return fault(`decision: expected ${decisionWords}, or nothing, found ${quote(written)}.`);
  }
  const content = read(place.content);
  if (!/^[\w-]{22}$/.test(content)) {
    return fault(
      `content: expected the 22 characters that review.csv had here, found ${quote(content)}. Copy them from there.`,
    );
  }
  const before = seen.get(content);
  if (before && before.word !== word) {
    return fault(
      `decision: line ${before.line} decides ${before.word} for the same content, this one ${word}. Decide one way.`,
    );
  }
  // A copy of the same media under another name.
  if (before) return undefined;
  seen.set(content, { line, word });
  const cut = (index: number) => read(index).slice(0, mostCharacters);
  const rest = { comment: cut(place.comment), item: cut(place.item), run: cut(place.run) };
  return word === 'clear' ? { content, ...rest } : { content, verdict: word, ...rest };
}

/** The delimiter is the one under which the first line has the columns. */
function readHeader(path: string, text: string): { readonly delimiter: string; readonly place: Place } {
  const first = /^\s*[^\r\n]*/.exec(text)?.[0].trim() ?? '';
  for (const delimiter of [',', ';', '\t']) {
    const names = first
      .split(delimiter)
      .map((name) => unguard(name.replaceAll('"', '')).trim().toLowerCase());
    const find = (name: string) => names.indexOf(name);
    const place = {
      content: find('content'),
      decision: find('decision'),
      comment: find('comment'),
      item: find('item'),
      run: find('run'),
    };
    if (place.content >= 0 && place.decision >= 0) return { delimiter, place };
  }
  throw wrongUse(
    `${path}:1: expected a header line with the columns content and decision, found ${quote(first.slice(0, 200))}. Decide in a review.csv of a run's reports, and keep its columns.`,
  );
}

/** Takes the apostrophes away that our tables for people put before what a spreadsheet would run. */
function unguard(cell: string): string {
  const open = cell.replace(/([;\t\r\n][\s\p{Cc}\p{Cf}]{0,9})'(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/gu, '$1');
  return /^'[\s\p{Cc}\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/u.test(open) ? open.slice(1) : open;
}

function decode(path: string, bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (isUtf8(bytes)) return new TextDecoder('utf-8').decode(bytes);
  try {
    return new TextDecoder('gb18030', { fatal: true }).decode(bytes);
  } catch {
    throw wrongUse(
      `${path}: expected text in UTF-8, UTF-16 or GB18030, found other bytes. Save it as "CSV UTF-8".`,
    );
  }
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size <= mostBytes) return await readFile(path);
  } catch (error) {
    throw wrongUse(`${path}: cannot be read: ${describeError(error)}. Check the path and its rights.`);
  }
  throw tooLarge(path);
}

async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostBytes) throw tooLarge('standard input');
  }
  return Buffer.concat(chunks);
}

function tooLarge(path: string): Error {
  return wrongUse(`${path}: expected at most ${mostBytes} bytes. Is this the right file?`);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
