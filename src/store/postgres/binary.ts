/**
 * Lists of values in the server's binary form, which neither side has to quote or to read: the dimensions, then each
 * element's length and bytes (`array_recv` in src/backend/utils/adt/arrayfuncs.c of PostgreSQL 15, read 2026-11-20).
 */

/** What a value of a statement is sent as: no lists in lists. */
export type Element = string | number | bigint | boolean | Uint8Array | null;

/** By the names that the server gives to types. */
const oids: Readonly<Record<string, number>> = { boolean: 16, bytea: 17, bigint: 20, text: 25 };

const headBytes = 20;
const longBytes = 8;
const half = 2 ** 32;

/** False for types that go as text. */
export function isBinary(type: string): boolean {
  return type in oids;
}

export function encodeList(type: string, values: readonly Element[]): Buffer {
  let bytes = headBytes;
  for (const value of values) bytes += 4 + (value === null ? 0 : measure(type, value));
  const buffer = Buffer.allocUnsafe(bytes);
  buffer.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(values.includes(null) ? 1 : 0, 4);
  buffer.writeInt32BE(oids[type] ?? 0, 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  let place = headBytes;
  for (const value of values) {
    const from = place + 4;
    const end = value === null ? from : write(buffer, type, value, from);
    buffer.writeInt32BE(value === null ? -1 : end - from, place);
    place = end;
  }
  return values.length === 0 ? buffer.subarray(0, 12) : buffer;
}

function measure(type: string, value: Exclude<Element, null>): number {
  if (type === 'bigint') return longBytes;
  if (type === 'boolean') return 1;
  return value instanceof Uint8Array ? value.byteLength : Buffer.byteLength(String(value));
}

/** Answers where the next one begins. */
function write(buffer: Buffer, type: string, value: Exclude<Element, null>, from: number): number {
  if (type === 'bigint') return writeLong(buffer, value, from);
  if (type === 'boolean') return buffer.writeUInt8(Number(value), from);
  if (value instanceof Uint8Array) {
    buffer.set(value, from);
    return from + value.byteLength;
  }
  return from + buffer.write(String(value), from);
}

function writeLong(buffer: Buffer, value: Exclude<Element, null>, from: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    return buffer.writeBigInt64BE(BigInt(value as string | number | bigint), from);
  }
  buffer.writeInt32BE(Math.floor(value / half), from);
  return buffer.writeUInt32BE(value >>> 0, from + 4);
}
