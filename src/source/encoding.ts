/** Turns a manifest's text into UTF-8, and notices where it is not in the encoding that was said. */
import { isUtf8 } from 'node:buffer';
import { wrongUse } from '../domain/problem.ts';
import type { Encoding } from '../domain/settings.ts';

/** Enough of a file to tell encodings apart. */
export const headBytes = 4096;

/**
 * Reads text chunk by chunk. A byte order mark is believed before `encoding`; UTF-8 is handed on as it is. Messages say
 * what to write as `writeEncoding` tells it.
 *
 * @throws Stop with exit 2 where the first bytes speak for another encoding, or some cannot be decoded
 */
export async function* decodeText(
  path: string,
  encoding: Encoding,
  head: Buffer,
  chunks: AsyncGenerator<Buffer>,
  writeEncoding: (encoding: string) => string = (name) => `encoding: ${name}`,
): AsyncGenerator<Buffer> {
  const mark = readMark(head);
  const actual = mark ?? encoding;
  if (mark === undefined) refuseStranger(path, encoding, head, writeEncoding);
  // The reader of records tells the line of what is not UTF-8, and takes its mark away.
  if (actual === 'utf-8') {
    yield* chunks;
    return;
  }
  const decoder = new TextDecoder(actual, { fatal: true });
  let line = 1;
  const read = (chunk?: Buffer): Buffer => {
    try {
      const text = Buffer.from(
        chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true }),
      );
      for (let at = text.indexOf(0x0a); at !== -1; at = text.indexOf(0x0a, at + 1)) line += 1;
      return text;
    } catch {
      const action = `Correct "${writeEncoding('...')}", or the file.`;
      throw wrongUse(
        `${path}: expected text in ${actual}, found other bytes in or behind line ${line}. ${action}`,
      );
    }
  };
  for await (const chunk of chunks) yield read(chunk);
  yield read();
}

function readMark(head: Buffer): Encoding | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8';
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : undefined;
}

/** Bytes of one encoding often pass for another's, and bring keys that nobody has; so what is plainly wrong is refused. */
function refuseStranger(
  path: string,
  encoding: Encoding,
  head: Buffer,
  writeEncoding: (encoding: string) => string,
): void {
  const looksLike = findStranger(encoding, head);
  if (looksLike === undefined) return;
  const said = encoding === 'utf-8' ? 'utf-8 (the default)' : encoding;
  throw wrongUse(
    `${path}: expected text in ${said}, found what looks like ${looksLike}. Set "${writeEncoding(looksLike)}", or correct the file.`,
  );
}

/** Another encoding that the bytes must be in; `undefined` where they may be in the one that was said. */
function findStranger(encoding: Encoding, head: Buffer): Encoding | undefined {
  const zeros: [number, number] = [0, 0];
  for (let at = 0; at < head.length; at += 1) if (head[at] === 0) zeros[(at % 2) as 0 | 1] += 1;
  const [even, odd] = zeros;
  // In UTF-16 delimiters, digits and line ends have a zero byte; other text has none.
  if (even + odd > head.length / 10) {
    const actual = odd > even ? 'utf-16le' : 'utf-16be';
    return actual === encoding ? undefined : actual;
  }
  if (encoding === 'utf-8') return undefined;
  const text = withoutCutEnd(head);
  const isWritten = isUtf8(text) && countHan(text) > 1;
  if (encoding === 'gb18030') return isWritten ? 'utf-8' : undefined;
  if (even + odd > 0 || head.length < 4) return undefined;
  return isUtf8(text) ? 'utf-8' : 'gb18030';
}

/** Without the bytes of a character whose rest lies behind the head. */
function withoutCutEnd(head: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, head.length); back += 1) {
    const byte = head[head.length - back] ?? 0;
    if (byte >= 0xc0) return head.subarray(0, head.length - back);
    if (byte < 0x80) break;
  }
  return head;
}

/** How many of the three-byte sequences of Chinese and its neighbours there are. */
function countHan(text: Buffer): number {
  let count = 0;
  for (const byte of text) if (byte >= 0xe3 && byte <= 0xe9) count += 1;
  return count;
}
