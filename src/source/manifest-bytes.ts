/** The bytes of a manifest, wherever it lies: unpacked, and in UTF-8 whatever its encoding was. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { describeError, Stop, wrongUse } from '../domain/problem.ts';
import type { Encoding } from '../domain/settings.ts';
import type { ObjectStorage } from '../domain/storage.ts';
import type { ObjectAddress } from '../domain/item.ts';

const chunkBytes = 256 * 1024;
const rangeBytes = 4 * 1024 * 1024;

export interface ManifestTools {
  readonly storage: ObjectStorage;
  /** What `-` reads. */
  readonly standardInput?: AsyncIterable<unknown> | undefined;
  /** Rows are not completed by HEAD. */
  readonly isGlance?: boolean | undefined;
}

/**
 * Reads a manifest in chunks. A file that begins as gzip does is unpacked whatever its name.
 *
 * @throws Stop with exit 2 where it cannot be read, unpacked or decoded; as the storage does where that is lost
 */
export async function* readManifestBytes(
  path: string,
  encoding: Encoding,
  tools: ManifestTools,
): AsyncGenerator<Buffer> {
  yield* decode(path, encoding, unpack(path, readRaw(path, tools)));
}

/** `s3://storage/bucket/key` in its parts; `undefined` for anything else. */
export function parseObjectPath(path: string): ObjectAddress | undefined {
  const [, storage, bucket, key] = /^s3:\/\/([^/]+)\/([^/]+)\/(.+)$/s.exec(path) ?? [];
  if (storage === undefined || bucket === undefined || key === undefined) return undefined;
  return { storage, bucket, key };
}

async function* readRaw(path: string, tools: ManifestTools): AsyncGenerator<Buffer> {
  const address = parseObjectPath(path);
  if (address !== undefined) yield* readObject(path, address, tools.storage);
  else if (path === '-') yield* readStream('standard input', tools.standardInput ?? Readable.from([]));
  else yield* readStream(path, createReadStream(path, { highWaterMark: chunkBytes }));
}

async function* readStream(path: string, stream: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) {
      if (Buffer.isBuffer(chunk)) yield chunk;
    }
  } catch (error) {
    const action = 'Check the path and its rights.';
    throw wrongUse(`${path}: the manifest cannot be read: ${describeError(error)}. ${action}`);
  }
}

async function* readObject(
  path: string,
  address: ObjectAddress,
  storage: ObjectStorage,
): AsyncGenerator<Buffer> {
  const facts = await storage.head(address);
  if (facts === undefined) throw wrongUse(`${path}: there is no such object. Correct the path.`);
  const size = facts.sizeBytes ?? Number.POSITIVE_INFINITY;
  for (let start = 0; start < size; ) {
    const bytes = await storage.read(address, start, Math.min(start + rangeBytes, size));
    if (bytes.length === 0) throw wrongUse(`${path}: the object ended before its size. Run again.`);
    yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    start += bytes.length;
  }
}

async function* unpack(path: string, chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const { head, all } = await peek(chunks, 2);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* all;
    return;
  }
  const source = Readable.from(all);
  const unpacked = createGunzip({ chunkSize: chunkBytes });
  source.on('error', (error) => unpacked.destroy(error));
  try {
    for await (const chunk of source.pipe(unpacked)) yield chunk as Buffer;
  } catch (error) {
    if (error instanceof Stop) throw error;
    throw wrongUse(`${path}: the manifest cannot be unpacked: ${describeError(error)}. Pack it again.`);
  } finally {
    source.destroy();
  }
}

async function* decode(
  path: string,
  encoding: Encoding,
  chunks: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  const { head, all } = await peek(chunks, 3);
  const actual = readMark(head) ?? encoding;
  // The reader of records tells the line of what is not UTF-8, and takes its mark away.
  if (actual === 'utf-8') {
    yield* all;
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
      const action = 'Correct "encoding".';
      throw wrongUse(
        `${path}: expected text in ${actual}, found other bytes in or behind line ${line}. ${action}`,
      );
    }
  };
  for await (const chunk of all) yield read(chunk);
  yield read();
}

function readMark(head: Buffer): Encoding | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8';
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : undefined;
}

/** The first bytes, fewer where there are no more, and everything with them. */
async function peek(
  chunks: AsyncGenerator<Buffer>,
  count: number,
): Promise<{ readonly head: Buffer; readonly all: AsyncGenerator<Buffer> }> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < count) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return { head, all: chain(head, chunks) };
}

async function* chain(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}
