/** The bytes of a manifest, wherever it lies: unpacked, and in UTF-8 whatever its encoding was. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { describeError, Stop, wrongUse } from '../domain/problem.ts';
import { decodeText, headBytes } from './encoding.ts';
import type { Encoding } from '../domain/settings.ts';
import type { ObjectStorage } from '../domain/storage.ts';
import type { Item, ObjectAddress } from '../domain/item.ts';

const chunkBytes = 256 * 1024;
const rangeBytes = 4 * 1024 * 1024;

export interface ManifestTools {
  readonly storage: ObjectStorage;
  /** What `-` reads. */
  readonly standardInput?: AsyncIterable<unknown> | undefined;
  /** Rows are not completed by HEAD. */
  readonly isGlance?: boolean | undefined;
  /** Items of these ids as the latest run that had them knows them. */
  readonly readEarlier?: ((ids: readonly string[]) => Promise<readonly Item[]>) | undefined;
}

/** What somebody else said of a file in a storage, before it is unpacked. */
export interface Promised {
  readonly sizeBytes?: number | undefined;
  /** In hex. */
  readonly md5?: string | undefined;
}

/**
 * Reads a manifest in chunks. A file that begins as gzip does is unpacked whatever its name. A size that is not as
 * promised is noticed before the first chunk, a wrong checksum behind the last.
 *
 * @throws Stop with exit 2 where it cannot be read, unpacked or decoded; as the storage does where that is lost
 */
export async function* readManifestBytes(
  path: string,
  encoding: Encoding,
  tools: ManifestTools,
  promised: Promised = {},
): AsyncGenerator<Buffer> {
  const raw = readRaw(path, tools, promised);
  const { head, all } = await peek(unpack(path, raw), headBytes);
  yield* decodeText(path, encoding, head, all);
}

/** The same for a file of this machine, or `-` for standard input; `what` it is called in messages. */
export async function* readLocalBytes(
  path: string,
  encoding: Encoding,
  standardInput: AsyncIterable<unknown>,
  what: string,
): AsyncGenerator<Buffer> {
  const stream = path === '-' ? standardInput : createReadStream(path, { highWaterMark: chunkBytes });
  const raw = readStream(path === '-' ? 'standard input' : path, stream, what);
  const { head, all } = await peek(unpack(path, raw, what), headBytes);
  yield* decodeText(path, encoding, head, all, (name) => `--encoding ${name}`);
}

/** `s3://storage/bucket/key` in its parts; `undefined` for anything else. */
export function parseObjectPath(path: string): ObjectAddress | undefined {
  const [, storage, bucket, key] = /^s3:\/\/([^/]+)\/([^/]+)\/(.+)$/s.exec(path) ?? [];
  if (storage === undefined || bucket === undefined || key === undefined) return undefined;
  return { storage, bucket, key };
}

async function* readRaw(path: string, tools: ManifestTools, promised: Promised): AsyncGenerator<Buffer> {
  const address = parseObjectPath(path);
  if (address !== undefined) yield* readObject(path, address, tools.storage, promised);
  else if (path === '-') yield* readStream('standard input', tools.standardInput ?? Readable.from([]));
  else yield* readStream(path, createReadStream(path, { highWaterMark: chunkBytes }));
}

async function* readStream(
  path: string,
  stream: AsyncIterable<unknown>,
  what = 'manifest',
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) {
      if (Buffer.isBuffer(chunk)) yield chunk;
    }
  } catch (error) {
    const action = 'Check the path and its rights.';
    throw wrongUse(`${path}: the ${what} cannot be read: ${describeError(error)}. ${action}`);
  }
}

async function* readObject(
  path: string,
  address: ObjectAddress,
  storage: ObjectStorage,
  promised: Promised,
): AsyncGenerator<Buffer> {
  const facts = await storage.head(address);
  if (facts === undefined) throw wrongUse(`${path}: there is no such object. Correct the path.`);
  const { sizeBytes: size = Number.POSITIVE_INFINITY } = facts;
  if (promised.sizeBytes !== undefined && size !== promised.sizeBytes) {
    throw distrust(path, 'size', String(promised.sizeBytes), String(size));
  }
  const digest = createHash('md5');
  for (let start = 0; start < size; ) {
    const bytes = await storage.read(address, start, Math.min(start + rangeBytes, size));
    if (bytes.length === 0) throw wrongUse(`${path}: the object ended before its size. Run again.`);
    digest.update(bytes);
    yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    start += bytes.length;
  }
  const md5 = digest.digest('hex');
  if (promised.md5 !== undefined && md5 !== promised.md5.toLowerCase()) {
    throw distrust(path, 'MD5', promised.md5, md5);
  }
}

function distrust(path: string, what: string, expected: string, found: string): Stop {
  const action = 'It was changed or damaged: take another inventory; what was read of it counts as listed.';
  return wrongUse(
    `${path}: expected the ${what} that the manifest names, ${expected}, found ${found}. ${action}`,
  );
}

async function* unpack(
  path: string,
  chunks: AsyncGenerator<Buffer>,
  what = 'manifest',
): AsyncGenerator<Buffer> {
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
    throw wrongUse(`${path}: the ${what} cannot be unpacked: ${describeError(error)}. Pack it again.`);
  } finally {
    source.destroy();
  }
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
