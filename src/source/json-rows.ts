/** Reads a manifest of JSON lines; a line that cannot be read is reported and the rest goes on. */
import { isUtf8 } from 'node:buffer';
import {
  type Cell,
  CellFault,
  breakRow,
  readCells,
  type Row,
  type RowField,
  type RowHome,
} from './manifest-row.ts';

/** A longer line is not kept. */
const longestLine = 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/** Names of our fields in our own `tasks.jsonl`. */
const taskNames: Readonly<Partial<Record<RowField, string>>> = { id: 'item', size: 'sizeBytes' };

/** The rows of the lines that are not empty, a batch for each chunk. */
export async function* readJsonRows(
  chunks: AsyncIterable<Buffer>,
  home: RowHome,
): AsyncGenerator<readonly Row[]> {
  /** What has come of the line so far: joined once, when its end has come. */
  let held: Buffer[] = [];
  let heldBytes = 0;
  let line = 1;
  const hold = (bytes: Buffer): void => {
    heldBytes += bytes.length;
    if (heldBytes <= longestLine) held.push(bytes);
    else held = [];
  };
  const take = (): readonly Row[] => {
    const row =
      heldBytes > longestLine ? breakRow(line, describeLong()) : readLine(Buffer.concat(held), line, home);
    held = [];
    heldBytes = 0;
    line += 1;
    return row === undefined ? [] : [row];
  };
  for await (const chunk of chunks) {
    const rows: Row[] = [];
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
      hold(chunk.subarray(from, end));
      rows.push(...take());
      from = end + 1;
    }
    hold(chunk.subarray(from));
    yield rows;
  }
  if (heldBytes > 0) yield take();
}

function describeLong(): string {
  return `a line beyond ${longestLine} bytes: expected one JSON object a line. Correct the row.`;
}

function readLine(bytes: Buffer, line: number, home: RowHome): Row | undefined {
  if (!isUtf8(bytes)) return breakRow(line, 'expected text in UTF-8, found other bytes. Correct "encoding".');
  const text = bytes.toString().replace(/^\uFEFF/, '');
  if (text.trim() === '') return undefined;
  const fields = parseObject(text);
  if (fields === undefined) return breakRow(line, 'expected a JSON object. Correct the row.');
  const isTask = ['item', 'service', 'account', 'status'].every((name) => typeof fields[name] === 'string');
  return readCells(makeCell(fields, isTask), line, home, isTask);
}

function parseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined;
  } catch {
    return undefined;
  }
}

/** `isTask`: a row of our own `tasks.jsonl`. */
function makeCell(fields: Fields, isTask: boolean): Cell {
  return (field) => {
    // Only our own rows name the service that they are about; elsewhere the word may mean anything.
    if (field === 'service' && !isTask) return undefined;
    const name = (isTask ? taskNames[field] : undefined) ?? field;
    const text = readText(Object.hasOwn(fields, name) ? fields[name] : undefined, name);
    return text === undefined || text.trim() === '' ? undefined : text;
  };
}

function readText(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return readWhole(value, name);
  if (typeof value === 'number') return String(value);
  if (name === 'images' && Array.isArray(value)) return readList(value);
  throw new CellFault(
    `${name}: expected a text or a number, found ${Array.isArray(value) ? 'a list' : typeof value}. Correct it.`,
  );
}

/**
 * JSON can spell half a character, UTF-8 cannot. In running text, which somebody may have cut, it becomes a mark; what
 * names something would name something else.
 */
function readWhole(text: string, name: string): string {
  const whole = /\p{Surrogate}/u.test(text) ? Buffer.from(text).toString() : text;
  if (whole === text || name === 'title' || name === 'text') return whole;
  throw new CellFault(`${name}: expected whole characters, found half of one. Correct it.`);
}

/** As a cell of a table has it. What is in the list may be nested without bottom, so only texts are written. */
function readList(values: readonly unknown[]): string | undefined {
  if (values.length === 0) return undefined;
  if (values.every((value) => typeof value === 'string')) {
    return JSON.stringify(values.map((value) => readWhole(value, 'images')));
  }
  throw new CellFault('images: expected a list of URLs, found something else in it. Correct it.');
}
