/** Elements of EBML, in which Matroska and WebM are written: an id, a length, and a content. RFC 8794 (2020), 4 to 7. */

export interface Element {
  readonly id: number;
  /** Where its content begins and ends in the bytes that were handed in. */
  readonly start: number;
  /** May lie behind them; infinite where its writer did not know. */
  readonly end: number;
}

/** The element that begins there; `undefined` where none does, or its head is cut off. */
export function readElement(bytes: Uint8Array, at: number): Element | undefined {
  const idBytes = countBytes(bytes[at] ?? 0);
  if (idBytes > 4 || at + idBytes > bytes.length) return undefined;
  let id = 0;
  for (let index = 0; index < idBytes; index += 1) id = id * 256 + (bytes[at + index] ?? 0);
  const length = readLength(bytes, at + idBytes);
  if (length === undefined) return undefined;
  const start = at + idBytes + length.bytes;
  return { id, start, end: start + length.value };
}

/** Elements one after another, up to one that is none; whatever a child claims, it ends with its parent. */
export function* readElements(
  bytes: Uint8Array,
  start = 0,
  parentEnd: number = bytes.length,
): Generator<Element, undefined> {
  const end = Math.min(parentEnd, bytes.length);
  for (let at = start; at < end; ) {
    const element = readElement(bytes, at);
    if (element === undefined) return;
    yield { ...element, end: Math.min(element.end, end) };
    at = element.end;
  }
}

/** A length, or the number of a track: the first byte tells how many there are. All ones say that nobody knows. */
export function readLength(
  bytes: Uint8Array,
  at: number,
): { readonly value: number; readonly bytes: number } | undefined {
  const first = bytes[at] ?? 0;
  const count = countBytes(first);
  if (count > 8 || at + count > bytes.length) return undefined;
  let value = first & (0xff >> count);
  let isUnknown = value === 0xff >> count;
  for (let index = 1; index < count; index += 1) {
    const next = bytes[at + index] ?? 0;
    isUnknown &&= next === 0xff;
    value = value * 256 + next;
  }
  return { value: isUnknown ? Number.POSITIVE_INFINITY : value, bytes: count };
}

/** A whole number of up to eight bytes. */
export function readUnsigned(bytes: Uint8Array, { start, end }: Element): number {
  let value = 0;
  for (const byte of bytes.subarray(start, Math.min(end, start + 8))) value = value * 256 + byte;
  return value;
}

/** Of four or eight bytes; 0 for any other length. */
export function readFloat(bytes: Uint8Array, { start, end }: Element): number {
  if (end > bytes.length) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  if (view.byteLength === 4) return view.getFloat32(0);
  return view.byteLength === 8 ? view.getFloat64(0) : 0;
}

/** One more than the zeros before the first one; 9 for none. */
function countBytes(first: number): number {
  return Math.clz32(first) - 23;
}
