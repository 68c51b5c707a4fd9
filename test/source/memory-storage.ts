/** An object storage in memory, whose pages, order and faults a test decides. */
import type { ObjectAddress } from '../../src/domain/item.ts';
import type { ListedObject, ListPage, ListRequest, ObjectStorage } from '../../src/domain/storage.ts';

export interface MemoryObject {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly contentType?: string;
}

export interface MemoryStorage extends ObjectStorage {
  readonly listed: readonly ListRequest[];
  readonly heads: readonly string[];
  readonly mostHeadsAtOnce: () => number;
  /** Ranges read, as `[start, end)`. */
  readonly reads: readonly (readonly [number, number])[];
  readonly bytesRead: () => number;
}

export interface MemoryOptions {
  readonly pageSize?: number;
  /** How the server orders keys; by their UTF-8 bytes where it is left out. */
  readonly order?: (left: string, right: string) => number;
  /** Changes a page before it is answered: a server that misbehaves. */
  readonly spoil?: (page: ListPage, request: ListRequest) => ListPage;
}

export function openMemoryStorage(
  objects: readonly MemoryObject[],
  options: MemoryOptions = {},
): MemoryStorage {
  const compare = options.order ?? compareBytes;
  const sorted = [...objects].sort((left, right) => compare(left.key, right.key));
  const listed: ListRequest[] = [];
  const heads: string[] = [];
  const reads: (readonly [number, number])[] = [];
  let bytesRead = 0;
  let headsNow = 0;
  let mostHeads = 0;
  const find = ({ key }: ObjectAddress): MemoryObject | undefined =>
    sorted.find((object) => object.key === key);
  return {
    listed,
    heads,
    reads,
    mostHeadsAtOnce: () => mostHeads,
    bytesRead: () => bytesRead,
    list: async (request) => {
      listed.push(request);
      const after = request.token ?? request.startAfter ?? '';
      const matching = sorted.filter(
        ({ key }) => key.startsWith(request.prefix) && (after === '' || compare(key, after) > 0),
      );
      const size = Math.min(options.pageSize ?? 1000, request.maxKeys ?? 1000);
      const page = matching.slice(0, size).map(describeObject);
      const isTruncated = matching.length > size;
      const honest = { objects: page, isTruncated, nextToken: isTruncated ? page.at(-1)?.key : undefined };
      return options.spoil?.(honest, request) ?? honest;
    },
    head: async (address) => {
      heads.push(address.key);
      headsNow += 1;
      mostHeads = Math.max(mostHeads, headsNow);
      await new Promise((resolve) => setImmediate(resolve));
      headsNow -= 1;
      const object = find(address);
      return object && { ...describeObject(object), contentType: object.contentType };
    },
    read: async (address, start, end) => {
      reads.push([start, end]);
      const bytes = find(address)?.bytes.subarray(start, end) ?? new Uint8Array();
      bytesRead += bytes.length;
      return bytes;
    },
    sign: async ({ key }) => ({ url: `https://signed.example/${key}` }),
    close: () => undefined,
  };
}

/** Objects of ten bytes with these keys. */
export function makeObjects(keys: readonly string[]): readonly MemoryObject[] {
  return keys.map((key) => ({ key, bytes: Buffer.from('0123456789') }));
}

function describeObject({ key, bytes }: MemoryObject): ListedObject {
  return { key, sizeBytes: bytes.length, etag: `etag-${key}`, lastModified: '2026-11-01T00:00:00.000Z' };
}

/** As Java and JavaScript compare texts: what lies beyond U+FFFF comes before U+E000. */
export function compareUtf16(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
