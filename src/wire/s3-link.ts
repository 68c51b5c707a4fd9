/**
 * Presigned links. The SDK's own function builds and takes apart a stack of middleware for each of them; here that is
 * asked once for a bucket, to learn how it is addressed, and each link is signed by the presigner underneath.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import type { ObjectAddress } from '../domain/item.ts';
import type { SignedLink } from '../domain/storage.ts';

/** The longest life of a presigned link. AWS, "Authenticating Requests: Using Query Parameters", read 2026-11-20. */
const longestLinkSeconds = 7 * 24 * 3600;

/** How the objects of a bucket are addressed: what stands in a link before the key. */
interface Place {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  /** Before the key. */
  readonly path: string;
}

/** Signs links of one storage. */
export class LinkSigner {
  readonly #client: S3Client;
  readonly #places = new Map<string, Promise<Place>>();
  #presigner: Promise<S3RequestPresigner> | undefined;

  constructor(client: S3Client) {
    this.#client = client;
  }

  /**
   * A link that lives as long as was asked for, as S3 allows and as the credentials do, whichever is shortest. `nowMs`:
   * milliseconds since 1970.
   */
  async sign(address: ObjectAddress, lifetimeSeconds: number, nowMs: number): Promise<SignedLink> {
    this.#presigner ??= makePresigner(this.#client);
    const [place, presigner, credentials] = await Promise.all([
      this.#findPlace(address.bucket),
      this.#presigner,
      this.#client.config.credentials(),
    ]);
    const signedAt = Math.floor(nowMs / 1000) * 1000;
    const credentialSeconds =
      credentials.expiration === undefined
        ? Number.POSITIVE_INFINITY
        : Math.floor((credentials.expiration.getTime() - signedAt) / 1000);
    const asked = Math.min(lifetimeSeconds, longestLinkSeconds, credentialSeconds);
    const expiresIn = Math.max(1, Math.floor(asked));
    const query: Record<string, string> = {};
    if (address.version !== undefined) query['versionId'] = address.version;
    const request = {
      ...place,
      method: 'GET',
      path: place.path + escapeKey(address.key),
      headers: {},
      query,
    };
    const signed = await presigner.presign(request, { expiresIn, signingDate: new Date(signedAt) });
    const { protocol, hostname, port, path } = request;
    const host = port === undefined ? hostname : `${hostname}:${port}`;
    const url = `${protocol}//${host}${path}?${writeQuery(signed.query ?? {})}`;
    return { url, expiresAt: signedAt + expiresIn * 1000 };
  }

  #findPlace(bucket: string): Promise<Place> {
    const known = this.#places.get(bucket);
    if (known) return known;
    const place = learnPlace(this.#client, bucket);
    this.#places.set(bucket, place);
    // What failed once may be asked again.
    place.catch(() => this.#places.delete(bucket));
    return place;
  }
}

async function makePresigner(client: S3Client): Promise<S3RequestPresigner> {
  const presigning = await import('@aws-sdk/s3-request-presigner');
  return new presigning.S3RequestPresigner({ ...client.config });
}

/** Path style, region and endpoint are the SDK's to apply. */
async function learnPlace(client: S3Client, bucket: string): Promise<Place> {
  const [{ GetObjectCommand }, { getSignedUrl }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/s3-request-presigner'),
  ]);
  const key = 'k';
  const { protocol, hostname, port, pathname } = new URL(
    await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key })),
  );
  return {
    protocol,
    hostname,
    port: port === '' ? undefined : Number(port),
    path: pathname.slice(0, -key.length),
  };
}

/** As the signature has it: every byte but the unreserved ones, and slashes as they are. */
function escapeKey(key: string): string {
  return key.split('/').map(escape).join('/');
}

function writeQuery(query: Readonly<Record<string, unknown>>): string {
  return Object.keys(query)
    .toSorted()
    .map((name) => `${escape(name)}=${escape(String(query[name]))}`)
    .join('&');
}

/** RFC 3986, section 2.3. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
