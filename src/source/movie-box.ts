/** Boxes of MP4 and MOV files: where each one lies, found by hopping from head to head. ISO/IEC 14496-12 (2022), 4.2. */
import type { HeaderReader } from './header-reader.ts';

export interface Box {
  readonly type: string;
  /** Where it begins, where its content begins, and where it ends, in bytes of the file. */
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

/** Boxes looked at in one parent; more of them is no index that we know. */
const mostBoxes = 100;

/** The boxes between two places, one after another; a read is made for each that no window holds. */
export async function* eachBox(
  reader: HeaderReader,
  start: number,
  end: number,
): AsyncGenerator<Box, undefined> {
  let at = start;
  for (let count = 0; at + 8 <= end && count < mostBoxes; count += 1) {
    const view = await readView(reader, at, Math.min(16, end - at));
    const box = view.byteLength < 8 ? undefined : readBox(view, at, end);
    if (box === undefined) return;
    yield { ...box, end: Math.min(box.end, end) };
    at = box.end;
  }
}

/** All of them, up to and with the first of one of the types `last`. */
export async function listBoxes(
  reader: HeaderReader,
  start: number,
  end: number,
  ...last: readonly string[]
): Promise<readonly Box[]> {
  const boxes: Box[] = [];
  for await (const box of eachBox(reader, start, end)) {
    boxes.push(box);
    if (last.includes(box.type)) break;
  }
  return boxes;
}

/** The first box on a path of types below a parent. */
export async function findBox(
  reader: HeaderReader,
  parent: Box,
  ...path: readonly string[]
): Promise<Box | undefined> {
  let found: Box | undefined = parent;
  for (const type of path) {
    if (found === undefined) return undefined;
    const boxes = await listBoxes(reader, found.start, found.end, type);
    found = boxes.find((box) => box.type === type);
  }
  return found;
}

/** At most `length` bytes of a box's content; fewer where the box or the file ends before. */
export async function readContent(reader: HeaderReader, box: Box, length: number): Promise<DataView> {
  return await readView(reader, box.start, Math.max(0, Math.min(length, box.end - box.start)));
}

/** Four letters; `''` behind the end. */
export function readType(view: DataView, offset: number): string {
  if (offset < 0 || offset + 4 > view.byteLength) return '';
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(offset + index)));
}

async function readView(reader: HeaderReader, at: number, length: number): Promise<DataView> {
  const bytes = await reader.read(at, at + length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A box of length 0 goes on to the end; one whose length is smaller than its own head is none. */
function readBox(view: DataView, at: number, end: number): Box | undefined {
  const short = view.getUint32(0);
  if (short === 1 && view.byteLength < 16) return undefined;
  const length = short === 1 ? Number(view.getBigUint64(8)) : short === 0 ? end - at : short;
  const headBytes = short === 1 ? 16 : 8;
  if (length < headBytes) return undefined;
  return { type: readType(view, 4), at, start: at + headBytes, end: at + length };
}
