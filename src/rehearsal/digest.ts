/** Checks the MD5 and the checksums that came with a body. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Refusal, type RefusalCode, refuse } from './refusal.ts';

type Digest = (bytes: Buffer) => Buffer;

/** By the header or trailer that carries it, in base64. */
const digests: ReadonlyMap<string, Digest> = new Map<string, Digest>([
  ['content-md5', (bytes) => createHash('md5').update(bytes).digest()],
  ['x-amz-checksum-sha1', (bytes) => createHash('sha1').update(bytes).digest()],
  ['x-amz-checksum-sha256', (bytes) => createHash('sha256').update(bytes).digest()],
  ['x-amz-checksum-crc32', (bytes) => writeWord(crc32(bytes))],
  ['x-amz-checksum-crc32c', (bytes) => writeWord(sumCastagnoli(bytes))],
]);

/** AWS knows this one too; it is refused here rather than believed. */
const unchecked = 'x-amz-checksum-crc64nvme';

/** `read` finds a header or a trailer by its name. */
export function checkDigests(read: (name: string) => string | undefined, bytes: Buffer): Refusal | undefined {
  if (read(unchecked) !== undefined) return refuse('NotImplemented');
  for (const [name, digest] of digests) {
    const given = read(name);
    const code = given === undefined ? undefined : judge(digest(bytes), Buffer.from(given, 'base64'));
    if (code !== undefined) return refuse(code);
  }
  return undefined;
}

function judge(expected: Buffer, given: Buffer): RefusalCode | undefined {
  if (given.length !== expected.length) return 'InvalidDigest';
  return given.equals(expected) ? undefined : 'BadDigest';
}

function writeWord(sum: number): Buffer {
  const word = Buffer.alloc(4);
  word.writeUInt32BE(sum);
  return word;
}

/** CRC-32C (Castagnoli, RFC 3720), bits reflected. */
const castagnoli = Uint32Array.from({ length: 256 }, (_entry, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  return sum >>> 0;
});

function sumCastagnoli(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (castagnoli[(sum ^ byte) & 0xff] ?? 0);
  return (sum ^ 0xffffffff) >>> 0;
}
