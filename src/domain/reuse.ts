/** Who an answer belongs to: identities of content, keys under which answers are reused, references of attempts. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Item } from './item.ts';
import { identityUrl } from './link.ts';

/**
 * The identity of an item's content as a short hash, so that no link reaches the ledger by it. Needs the whole URL: an
 * item whose URL was cut has another identity.
 *
 * By `content`: etag and size whatever the name; a URL with its version where they are not both known; an object's
 * address and size else. By `path`: the address or URL with its version. A post is always its text, title and media.
 */
export function contentIdOf(item: Item, by: 'content' | 'path'): string {
  return hashParts(identifyContent(item, by)).slice(0, 22);
}

type Part = string | number | null | readonly string[];

function identifyContent(item: Item, by: 'content' | 'path'): readonly Part[] {
  if (item.kind === 'post') return identifyPost(item);
  const etag = item.etag === undefined ? '' : stripQuotes(item.etag);
  const version = item.object?.version ?? item.version ?? null;
  const address = identifyAddress(item);
  if (by === 'content' && etag !== '' && item.sizeBytes !== undefined) return ['etag', etag, item.sizeBytes];
  if (address && (by === 'path' || item.url === undefined)) {
    return ['object', ...address, version, by === 'path' ? null : (item.sizeBytes ?? null)];
  }
  if (item.url !== undefined) return ['url', identityUrl(item.url), version];
  return ['id', item.id];
}

function identifyPost(item: Item): readonly Part[] {
  return [
    'post',
    item.text ?? null,
    item.title ?? null,
    (item.images ?? []).map(identityUrl),
    item.videoUrl === undefined ? null : identityUrl(item.videoUrl),
  ];
}

function identifyAddress(item: Item): readonly Part[] | undefined {
  if (item.object) return [item.object.storage, item.object.bucket, item.object.key];
  if (item.bucket === undefined || item.key === undefined) return undefined;
  return ['', item.bucket, item.key];
}

function stripQuotes(etag: string): string {
  return etag.trim().replace(/^"(.*)"$/s, '$1');
}

/** What an answer depends on. Delivery, batch and limits never do. */
export interface ReuseParts {
  readonly contentId: string;
  /** Name in the catalogue, not the pipeline's name for it. */
  readonly service: string;
  /** As `canonicalOptions` gives them. */
  readonly options: string;
  readonly model: string;
  /** Where the service sends it. */
  readonly title?: string | undefined;
  /** Keeps answers of one world from another, e.g. those of a stand-in on a loopback address. */
  readonly scope?: string | undefined;
}

/** The key under which an answer is found again: 22 characters of `A-Z a-z 0-9 _ -`. */
export function reuseKeyOf(parts: ReuseParts): string {
  const { contentId, service, options, model, title, scope } = parts;
  return hashParts([contentId, service, options, model, title ?? null, scope ?? null]).slice(0, 22);
}

/** Our own reference of the submission with that number of a key: 32 hex digits, the same whenever it is asked for. */
export function attemptRef(account: string, reuseKey: string, number: number): string {
  return createHash('sha256')
    .update(JSON.stringify([account, reuseKey, number]))
    .digest('hex')
    .slice(0, 32);
}

function hashParts(parts: readonly Part[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** The part of a JSON Schema that says where defaults stand. */
interface Schema {
  readonly [key: string]: unknown;
  readonly $ref?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly const?: unknown;
}

const schemas = new WeakMap<z.ZodType, Schema>();

/**
 * Options as JSON that is the same for all that mean the same: keys sorted, values that equal their documented default
 * left out, at every depth. So a default written out, or an option that a later version adds, changes no reuse key.
 */
export function canonicalOptions(shape: z.ZodType, options: unknown): string {
  let schema = schemas.get(shape);
  if (!schema) {
    schema = z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' }) as Schema;
    schemas.set(shape, schema);
  }
  return JSON.stringify(canonicalise(options ?? {}, schema, schema));
}

function canonicalise(value: unknown, written: Schema | undefined, root: Schema): unknown {
  const schema = chooseSchema(value, written, root);
  if (Array.isArray(value)) return value.map((element) => canonicalise(element, schema?.items, root));
  if (!isRecord(value)) return value;
  const kept: [string, unknown][] = [];
  for (const key of Object.keys(value).sort()) {
    const property = schema?.properties?.[key];
    const canonical = canonicalise(value[key], property, root);
    if (canonical !== undefined && !isDefault(canonical, property, root)) kept.push([key, canonical]);
  }
  return Object.fromEntries(kept);
}

function isDefault(canonical: unknown, written: Schema | undefined, root: Schema): boolean {
  const schema = resolveSchema(written, root);
  const value = written?.default ?? schema?.default;
  if (value === undefined) return false;
  return JSON.stringify(canonical) === JSON.stringify(canonicalise(value, schema, root));
}

/** The branch of a union that a value belongs to: the first whose constants it has and whose required keys it gives. */
function chooseSchema(value: unknown, written: Schema | undefined, root: Schema): Schema | undefined {
  const schema = resolveSchema(written, root);
  const branches = schema?.anyOf ?? schema?.oneOf;
  if (!branches) return schema;
  return branches
    .map((branch) => chooseSchema(value, branch, root))
    .find((branch) => branch !== undefined && fits(value, branch));
}

function fits(value: unknown, schema: Schema): boolean {
  if (Array.isArray(value)) return schema.items !== undefined;
  if (!isRecord(value) || !schema.properties) return false;
  if ((schema.required ?? []).some((key) => value[key] === undefined)) return false;
  return Object.entries(schema.properties).every(
    ([key, property]) => property.const === undefined || value[key] === property.const,
  );
}

function resolveSchema(schema: Schema | undefined, root: Schema): Schema | undefined {
  if (schema?.$ref === undefined) return schema;
  let found: unknown = root;
  for (const step of schema.$ref.split('/').slice(1)) found = isRecord(found) ? found[step] : undefined;
  return isRecord(found) ? (found as Schema) : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
