/** Links: what identifies one, what of it must not be seen, and how it is recognised in a vendor's answer. */
import { createHash } from 'node:crypto';

/**
 * Names of query parameters that may carry a signature, a token or a credential, of the object stores and delivery
 * networks that we know and of most others. Too many rather than too few: a name taken for one costs a report a query.
 */
const secretName =
  /^x-amz-|token|sign|secret|passw|pwd|credential|auth|key|session|jwt|^(?:sig|md5|hmac|hdnea|hdnts|policy)$/i;

/** Whether a link carries user info, or a signature, token or credential in its query or fragment. Never throws. */
export function hasSecrets(url: string): boolean {
  return cutUserInfo(url) !== url || carriesSecret(splitQuery(cutUserInfo(url))[1]);
}

/**
 * A link that may be seen: without user info, and without query and fragment where they may carry a secret. Text that is
 * no URL is treated alike. Never throws.
 */
export function safeUrl(url: string): string {
  const open = cutUserInfo(url);
  const [base, rest] = splitQuery(open);
  return carriesSecret(rest) ? base : open;
}

const keyIds = ['awsaccesskeyid', 'ossaccesskeyid', 'accesskeyid'];

/**
 * The part of a link that says which media it leads to: without user info and signature parameters, the rest kept as
 * written. Signature parameters are every `X-Amz-*`, and only as sets `Signature`, `Expires` and a key id (with a
 * `security-token` or not), or `e` and `token`: alone, such names may well choose the media.
 */
export function identityUrl(url: string): string {
  const open = cutUserInfo(url);
  const match = /^([^?#]*)\?([^#]*)(.*)$/s.exec(open);
  if (!match) return open;
  const [, base = '', query = '', fragment = ''] = match;
  const pairs = query.split('&');
  const names = new Set(pairs.map(nameOf));
  const cut = new Set<string>();
  if (names.has('signature') && names.has('expires') && keyIds.some((name) => names.has(name))) {
    for (const name of ['signature', 'expires', 'security-token', ...keyIds]) cut.add(name);
  }
  if (names.has('e') && names.has('token')) for (const name of ['e', 'token']) cut.add(name);
  const kept = pairs.filter((pair) => !nameOf(pair).startsWith('x-amz-') && !cut.has(nameOf(pair)));
  if (kept.length === pairs.length) return open;
  const rest = kept.join('&');
  return `${base}${rest === '' ? '' : `?${rest}`}${fragment}`;
}

/**
 * A link in running text, and in JSON with escaped slashes. It ends at white space, double quotes, angle brackets, the
 * punctuation of Chinese text, or a single quote that closes; an escaped double quote is left whole.
 */
const link =
  /\bhttps?:(?:\\?\/){2}(?:\\[^"\s]|'(?![\s,;:.)\]}]|$)|[^\s"'<>\\`，。；：！？）】》、」』“”‘’])+/gi;

/** A link inside another's parameter, up to its query. */
const encodedLink = /(\bhttps?%3a%2f%2f[^\s"'<>\\?&]*?)%3f(?:\\[^"\s]|[^\s"'<>\\])*/gi;

const parameter = /[?&][^\s"'<>?&=\\]*=(?:\\[^"\s]|[^\s"'<>?&\\])*/g;

/**
 * A vendor's or an error's words with the query of every http(s) link cut, user info too; JSON stays JSON. Parameters
 * that look like secrets are also cut where a space broke the link before them.
 */
export function redactLinks(text: string): string {
  return text
    .replace(link, (found) => {
      const at = found.indexOf('?');
      const end = /[.,;:!)\]}]*$/.exec(found)?.[0] ?? '';
      return at < 0 ? safeUrl(found) : `${safeUrl(found.slice(0, at))}${end}`;
    })
    .replace(encodedLink, '$1')
    .replace(parameter, (found) => (carriesSecret(found) ? '' : found));
}

/** By this a vendor's result is told from the others of its batch: the first 16 bytes of SHA-256, in hex. */
export function hashLink(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 32);
}

/** Scheme and slashes, which may be escaped as in JSON. */
const beginning = /^\s*(?:(?:https?|ftp|wss?):(?:\\?\/)*|[a-z][a-z\d+.-]*:(?:\\?\/){2,}|(?:\\?\/){2,})/i;

/**
 * Without `user:password@`. What is left of a strange text may begin with user info again; after a few times all that
 * could be some goes.
 */
function cutUserInfo(url: string): string {
  if (!url.includes('@')) return url;
  let open = url;
  for (let times = 0; times < 4; times += 1) {
    const begin = beginning.exec(open)?.[0];
    if (begin === undefined) return open;
    const rest = open.slice(begin.length);
    const length = measureUserInfo(open, rest);
    if (length === 0) return open;
    open = `${begin}${rest.slice(length)}`;
  }
  return open.slice(open.lastIndexOf('@') + 1);
}

/**
 * How much of `rest`, what follows the slashes, is user info. In text that is no URL that is everything up to the last
 * `@`, since a person may have put any character into a password.
 */
function measureUserInfo(url: string, rest: string): number {
  const authority = /^\\*(?:\\u[\da-f]{4}|[^\\/?#])*/i.exec(rest)?.[0] ?? '';
  const last = rest.lastIndexOf('@');
  if (authority.includes('@') || last < 0) return authority.lastIndexOf('@') + 1;
  return rest.slice(0, last).includes(':') && !URL.canParse(url) ? last + 1 : 0;
}

/** The part before the query or fragment, and the rest with its mark. */
function splitQuery(url: string): readonly [string, string] {
  const at = url.search(/[?#]/);
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)];
}

/** Whether a query or fragment may; looks into links inside a parameter too, so it decodes more than once. */
function carriesSecret(query: string): boolean {
  let rest = query;
  for (let depth = 0; depth < 3 && rest !== ''; depth += 1) {
    if (rest.split(/[?&#;]/).some((pair) => pair.includes('=') && secretName.test(nameOf(pair)))) return true;
    if (/\/\/[^/?#&]*@/.test(rest)) return true;
    rest = decode(rest);
  }
  return false;
}

/** Name of a `name=value` pair, decoded, in lower case. */
function nameOf(pair: string): string {
  return decode(pair.split('=', 1)[0] ?? '')
    .replace(/[\t\n\r]/g, '')
    .toLowerCase();
}

/** Percent-decoding that leaves alone what is not an escape of ASCII, since only ASCII names are looked for. */
function decode(text: string): string {
  return text.replace(/%([0-7][\da-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
