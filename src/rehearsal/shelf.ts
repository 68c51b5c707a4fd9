/** Buckets and what lies in them: an index in memory over a vault that keeps the bytes. */
import { createHash } from 'node:crypto';

export interface StoredObject {
  readonly key: string;
  /** The key in UTF-8, which orders listings. */
  readonly order: Buffer;
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly etag: string;
  /** Whole seconds, as HTTP dates have no finer. */
  readonly lastModifiedMs: number;
  readonly contentType: string;
  /** `x-amz-meta-` headers by their whole names. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the vault keeps the bytes. */
  readonly place: string;
}

export type ObjectRecord = Omit<StoredObject, 'order'>;

export interface StoredBucket {
  readonly name: string;
  readonly createdMs: number;
}

/** Keeps bytes and records. What is committed survives; a bucket is always added before its objects. */
export interface Vault {
  load(): Promise<readonly { readonly bucket: StoredBucket; readonly records: readonly ObjectRecord[] }[]>;
  addBucket(bucket: StoredBucket): Promise<void>;
  /** Writes the bytes and then commits the record, which replaces an older one of its key. */
  write(bucket: string, record: ObjectRecord, bytes: Uint8Array): Promise<void>;
  /** Bytes `start` (inclusive) to `end` (exclusive). */
  read(bucket: string, place: string, start: number, end: number): Promise<Uint8Array>;
  /** Takes the record away; absent for a place that a newer record has replaced. */
  forget(bucket: string, place: string, key?: string): Promise<void>;
}

export interface PutFacts {
  readonly contentType?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly lastModifiedMs: number;
  /** Of an object that came in parts; the MD5 of the bytes where absent. */
  readonly etag?: string | undefined;
}

interface Bucket extends StoredBucket {
  readonly objects: Map<string, StoredObject>;
  /** Absent until asked for after a change. */
  sorted?: readonly StoredObject[] | undefined;
}

/** Reads what the vault already holds. */
export async function openShelf(vault: Vault): Promise<Shelf> {
  const shelf = new Shelf(vault);
  await shelf.load();
  return shelf;
}

export class Shelf {
  readonly #vault: Vault;
  readonly #buckets = new Map<string, Bucket>();
  /** Changes happen one after the other, so that index and vault agree on which of two came last. */
  #lastChange: Promise<unknown> = Promise.resolve();
  #places = 0;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  async load(): Promise<void> {
    for (const { bucket, records } of await this.#vault.load()) {
      const objects = new Map(
        records.map((record) => [record.key, { ...record, order: Buffer.from(record.key) }]),
      );
      this.#buckets.set(bucket.name, { ...bucket, objects });
    }
  }

  listBuckets(): readonly StoredBucket[] {
    return [...this.#buckets.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }

  hasBucket(name: string): boolean {
    return this.#buckets.has(name);
  }

  /** Does nothing where it exists. */
  addBucket(name: string, createdMs: number): Promise<void> {
    return this.#change(async () => {
      if (this.#buckets.has(name)) return;
      await this.#vault.addBucket({ name, createdMs });
      this.#buckets.set(name, { name, createdMs, objects: new Map() });
    });
  }

  /** All objects of a bucket in UTF-8 byte order of their keys; none where there is no such bucket. */
  listObjects(bucketName: string): readonly StoredObject[] {
    const bucket = this.#buckets.get(bucketName);
    if (bucket === undefined) return [];
    bucket.sorted ??= [...bucket.objects.values()].toSorted((left, right) =>
      Buffer.compare(left.order, right.order),
    );
    return bucket.sorted;
  }

  find(bucketName: string, key: string): StoredObject | undefined {
    return this.#buckets.get(bucketName)?.objects.get(key);
  }

  /** `allows` is told what lies there at that moment and the new etag; answers `undefined` where it says no. */
  put(
    bucketName: string,
    key: string,
    bytes: Uint8Array,
    facts: PutFacts,
    allows: (present: StoredObject | undefined, etag: string) => boolean = () => true,
  ): Promise<StoredObject | undefined> {
    return this.#change(async () => {
      const bucket = this.#buckets.get(bucketName);
      if (bucket === undefined) throw new Error(`bucket "${bucketName}": not there. Add it first.`);
      const old = bucket.objects.get(key);
      const record = this.#makeRecord(key, bytes, facts);
      if (!allows(old, record.etag)) return undefined;
      const object = { ...record, order: Buffer.from(key) };
      await this.#vault.write(bucketName, record, bytes);
      bucket.objects.set(key, object);
      bucket.sorted = undefined;
      if (old !== undefined) await this.#vault.forget(bucketName, old.place);
      return object;
    });
  }

  #makeRecord(key: string, bytes: Uint8Array, facts: PutFacts): ObjectRecord {
    const etag = facts.etag ?? createHash('md5').update(bytes).digest('hex');
    this.#places += 1;
    return {
      key,
      sizeBytes: bytes.length,
      etag,
      lastModifiedMs: Math.floor(facts.lastModifiedMs / 1000) * 1000,
      contentType: facts.contentType ?? 'binary/octet-stream',
      metadata: facts.metadata ?? {},
      place: `${createHash('sha256').update(key).digest('hex')}-${etag}-${facts.lastModifiedMs}-${this.#places}`,
    };
  }

  read(bucketName: string, object: StoredObject, start: number, end: number): Promise<Uint8Array> {
    return this.#vault.read(bucketName, object.place, start, end);
  }

  /** Does nothing where it is absent. */
  remove(bucketName: string, key: string): Promise<void> {
    return this.#change(async () => {
      const bucket = this.#buckets.get(bucketName);
      const object = bucket?.objects.get(key);
      if (bucket === undefined || object === undefined) return;
      await this.#vault.forget(bucketName, object.place, key);
      bucket.objects.delete(key);
      bucket.sorted = undefined;
    });
  }

  #change<T>(make: () => Promise<T>): Promise<T> {
    const change = this.#lastChange.then(make);
    this.#lastChange = change.catch(() => undefined);
    return change;
  }
}
