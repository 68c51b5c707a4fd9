/** Links to media that the page may offer: http(s) only, of public access only, on the public origin only. */
import type { Item } from '../../domain/item.ts';
import { hasSecrets } from '../../domain/link.ts';
import { readKey } from '../table/address.ts';

/** `https://cdn.example` of the base URL; `undefined` where it is no http(s) URL, so that nothing is offered. */
export function readOrigin(publicBaseUrl: string | undefined): string | undefined {
  if (publicBaseUrl === undefined || !URL.canParse(publicBaseUrl)) return undefined;
  const { protocol, origin } = new URL(publicBaseUrl);
  return protocol === 'https:' || protocol === 'http:' ? origin : undefined;
}

/**
 * The public link of an item: its own URL where that lies on the public origin, else its key under the base URL.
 * `undefined` where a browser would not go there exactly (`..` as a part of the key), or the link carries a secret.
 */
export function makeMediaLink(publicBaseUrl: string | undefined, item: Item): string | undefined {
  const origin = readOrigin(publicBaseUrl);
  if (publicBaseUrl === undefined || origin === undefined) return undefined;
  const link = item.url ?? joinKey(publicBaseUrl, readKey(item));
  if (link === undefined || !URL.canParse(link) || hasSecrets(link)) return undefined;
  return new URL(link).origin === origin ? link : undefined;
}

function joinKey(baseUrl: string, key: string | undefined): string | undefined {
  if (key === undefined || /\p{Cs}/u.test(key)) return undefined;
  const parts = key.split('/');
  if (parts.includes('.') || parts.includes('..')) return undefined;
  return `${baseUrl.replace(/\/*$/, '/')}${parts.map(encodeURIComponent).join('/')}`;
}
