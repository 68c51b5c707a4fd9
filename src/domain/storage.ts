/** The storage half of the outside: what we ask of an S3-compatible store. */
import type { ObjectAddress } from './item.ts';
import type { Stop } from './problem.ts';

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag?: string | undefined;
  /** ISO 8601, UTC. */
  readonly lastModified?: string | undefined;
}

export interface ListRequest {
  readonly storage: string;
  readonly bucket: string;
  readonly prefix: string;
  /** List keys after this one, exclusive. Ignored by servers once a token is given. */
  readonly startAfter?: string | undefined;
  readonly token?: string | undefined;
  readonly maxKeys?: number | undefined;
}

export interface ListPage {
  readonly objects: readonly ListedObject[];
  /** Present where more pages follow. */
  readonly nextToken?: string | undefined;
  readonly isTruncated: boolean;
}

export interface ObjectFacts {
  readonly sizeBytes?: number | undefined;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  readonly contentType?: string | undefined;
}

export interface SignedLink {
  readonly url: string;
  /** Milliseconds since 1970; absent where the link does not expire. */
  readonly expiresAt?: number | undefined;
}

/** What a storage tells beside its answer. */
export interface StorageFacts {
  /** What was listed; empty where an object was looked at. */
  readonly page: ListPage;
  /** The server's clock when it answered, in milliseconds since 1970; absent where it told none. */
  readonly serverTimeMs?: number | undefined;
  /** When the credentials end; absent where they do not, or nobody knows. */
  readonly credentialEndsAtMs?: number | undefined;
  /** True for credentials of a session, which end some time. */
  readonly isSession: boolean;
}

/** How a bucket is addressed, where that is not as the storage's settings say. */
export interface Addressing {
  readonly region?: string | undefined;
  readonly pathStyle?: boolean | undefined;
}

/** A request that a storage did not carry out, and what it said about where the bucket is. */
export interface StorageRefusal {
  readonly stop: Stop;
  /** `lost` is worth no other try; `keys` and `clock` are wrong however the bucket is addressed. */
  readonly about: 'keys' | 'clock' | 'lost' | 'other';
  /** The region that the server named. */
  readonly region?: string | undefined;
  /** The endpoint that the server named. */
  readonly endpoint?: string | undefined;
  /** The server's clock when it refused. */
  readonly serverTimeMs?: number | undefined;
}

/** Looks at a storage by one listing, or by the head of an object. Trouble with the storage is a value. */
export interface StorageExaminer {
  examine(
    request: ListRequest | ObjectAddress,
    addressing?: Addressing,
  ): Promise<StorageFacts | StorageRefusal>;
}

/** Why no link can be made to an item's media; a fault of this one item. */
export interface LinkTrouble {
  readonly trouble: string;
}

/** All storages of a pipeline behind one door. Implemented in `wire/s3`. Errors are thrown as `Stop`s that say where. */
export interface ObjectStorage {
  list(request: ListRequest): Promise<ListPage>;
  /** `undefined` where the object does not exist. */
  head(address: ObjectAddress): Promise<ObjectFacts | undefined>;
  /** Bytes `start` (inclusive) to `end` (exclusive), fewer at the end of the object. */
  read(address: ObjectAddress, start: number, end: number): Promise<Uint8Array>;
  /** A link that anyone may GET, signed now, for `lifetimeSeconds` or until the credential ends, if that is sooner. */
  sign(address: ObjectAddress, lifetimeSeconds: number): Promise<SignedLink>;
  close(): void;
}

/** An object on its way. It appears with all of its bytes, or what lay there before stays. */
export interface ObjectUpload {
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves once the object is there. */
  finish(): Promise<void>;
  /** Gives up, and takes away what was sent so far. Never rejects. */
  abandon(): Promise<void>;
}

/** Writes objects. Implemented in `wire/s3`. Errors are thrown as `Stop`s that say where. */
export interface ObjectWriter {
  /** Throws where objects may not be written there: begins an upload and gives it up, which leaves nothing. */
  tryWriting(address: ObjectAddress): Promise<void>;
  put(address: ObjectAddress, bytes: Uint8Array, mediaType: string): Promise<void>;
  /** At flat memory, whatever the object's size. */
  upload(address: ObjectAddress, mediaType: string): ObjectUpload;
}
