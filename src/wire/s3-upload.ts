/** Writes objects whole: small ones by one put, larger ones in parts that become an object when all of them are there. */
import { createHash } from 'node:crypto';
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import type { ObjectAddress } from '../domain/item.ts';
import type { ObjectUpload } from '../domain/storage.ts';
import { locate } from './s3-address.ts';
import { plainEtag } from './s3-key.ts';

/** All parts but the last are of one size, as some stores want it; 10,000 of them, the most that S3 takes, are 78 GiB. */
const partBytes = 8 * 1024 * 1024;
const firstBytes = 64 * 1024;
/** One part over a slow line. */
const requestTimeout = 5 * 60_000;

/** Carries out requests, and says in words what went wrong with them. */
type Use = <T>(act: (client: S3Client) => Promise<T>) => Promise<T>;

export async function putObject(
  client: S3Client,
  address: ObjectAddress,
  bytes: Uint8Array,
  mediaType: string,
): Promise<void> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const input = { ...locate(address), Body: bytes, ContentType: mediaType };
  await client.send(new PutObjectCommand(input), { requestTimeout });
}

/** Begins an upload and gives it up. */
export async function tryWriting(client: S3Client, address: ObjectAddress): Promise<void> {
  const { AbortMultipartUploadCommand, CreateMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(locate(address)));
  await client.send(new AbortMultipartUploadCommand({ ...locate(address), UploadId }));
}

export class PartedUpload implements ObjectUpload {
  readonly #use: Use;
  readonly #address: ObjectAddress;
  readonly #mediaType: string;
  #upload: string | undefined;
  readonly #parts: CompletedPart[] = [];
  /** The part that is being filled; it grows as far as that is needed. */
  #part = Buffer.allocUnsafe(firstBytes);
  #filled = 0;

  constructor(use: Use, address: ObjectAddress, mediaType: string) {
    this.#use = use;
    this.#address = address;
    this.#mediaType = mediaType;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.byteLength; ) {
      if (this.#filled === partBytes) await this.#sendPart();
      const count = Math.min(bytes.byteLength - taken, partBytes - this.#filled);
      this.#makeRoom(this.#filled + count);
      this.#part.set(bytes.subarray(taken, taken + count), this.#filled);
      this.#filled += count;
      taken += count;
    }
  }

  async finish(): Promise<void> {
    const rest = this.#part.subarray(0, this.#filled);
    if (this.#upload === undefined) {
      return await this.#use((client) => putObject(client, this.#address, rest, this.#mediaType));
    }
    await this.#sendPart();
    await this.#use((client) => this.#complete(client));
  }

  async abandon(): Promise<void> {
    const { AbortMultipartUploadCommand } = await import('@aws-sdk/client-s3');
    if (this.#upload === undefined) return;
    const input = { ...locate(this.#address), UploadId: this.#upload };
    await this.#use((client) => client.send(new AbortMultipartUploadCommand(input))).catch(() => undefined);
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#part.byteLength) return;
    const larger = Buffer.allocUnsafe(Math.min(partBytes, Math.max(bytes, this.#part.byteLength * 2)));
    larger.set(this.#part.subarray(0, this.#filled));
    this.#part = larger;
  }

  async #sendPart(): Promise<void> {
    const { CreateMultipartUploadCommand, UploadPartCommand } = await import('@aws-sdk/client-s3');
    const place = locate(this.#address);
    await this.#use(async (client) => {
      this.#upload ??= (
        await client.send(new CreateMultipartUploadCommand({ ...place, ContentType: this.#mediaType }))
      ).UploadId;
      const Body = this.#part.subarray(0, this.#filled);
      const numbered = { UploadId: this.#upload, PartNumber: this.#parts.length + 1 };
      const { ETag } = await client.send(new UploadPartCommand({ ...place, ...numbered, Body }), {
        requestTimeout,
      });
      this.#parts.push({ ETag, PartNumber: numbered.PartNumber });
    });
    this.#filled = 0;
  }

  /** Where the answer to it was lost, and asking again finds no upload, the object tells what became of it. */
  async #complete(client: S3Client): Promise<void> {
    const { CompleteMultipartUploadCommand, HeadObjectCommand } = await import('@aws-sdk/client-s3');
    const place = locate(this.#address);
    const MultipartUpload = { Parts: this.#parts };
    try {
      const input = { ...place, UploadId: this.#upload, MultipartUpload };
      await client.send(new CompleteMultipartUploadCommand(input), { requestTimeout });
    } catch (error) {
      const found = await client.send(new HeadObjectCommand(place)).catch(() => undefined);
      if (plainEtag(found?.ETag) !== this.#makeEtag()) throw error;
    }
  }

  /** Of an object in parts: the MD5 of their MD5s, and how many they are. Other stores than AWS do the same. */
  #makeEtag(): string {
    const digests = this.#parts.map(({ ETag }) => Buffer.from(plainEtag(ETag) ?? '', 'hex'));
    return `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${digests.length}`;
  }
}
