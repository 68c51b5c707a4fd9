/** Shapes of single values: durations, sizes, money, addresses, dates. They read text into what the program works with. */
import { z } from 'zod';
import { parseMoney, parseNano } from '../../domain/money.ts';
import { type Comparison, parseComparison } from '../../domain/policy.ts';
import type { Nano } from '../../domain/pricing.ts';
import { type Encoding, encodings } from '../../domain/settings.ts';
import { parseDuration, parseSize } from '../../domain/quantity.ts';

/** A text that is read by `parse`; where that gives nothing, `expected` says what should stand there. */
export function parsedText<Value>(expected: string, parse: (text: string) => Value | undefined) {
  return z.string({ error: `expected ${expected}` }).transform((text, context): Value => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: `expected ${expected}`, input: text });
    return z.NEVER;
  });
}

/** The same for values that people also write as plain numbers. */
function parsedTextOrNumber<Value>(expected: string, parse: (text: string) => Value | undefined) {
  return z
    .union([z.string(), z.number()], { error: `expected ${expected}` })
    .transform((written, context): Value => {
      const value = parse(String(written));
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: `expected ${expected}`, input: written });
      return z.NEVER;
    });
}

/** Milliseconds. Limits are milliseconds, both inclusive; `range` names them in words. */
export function durationShape(limits: { leastMs?: number; mostMs?: number; range?: string } = {}) {
  const { leastMs = 1, mostMs = Number.MAX_SAFE_INTEGER, range = '' } = limits;
  const expected = `a duration${range} with its unit (ms, s, m, h, d, w), such as "30m"`;
  return parsedText(expected, (text) => {
    const ms = parseDuration(text);
    return ms !== undefined && ms >= leastMs && ms <= mostMs ? ms : undefined;
  });
}

/** Milliseconds, or `none` for no bound. */
export const durationOrNoneShape = parsedText<number | 'none'>(
  'a duration with its unit (ms, s, m, h, d, w), such as "8h", or "none"',
  (text) => {
    if (text === 'none') return text;
    const ms = parseDuration(text);
    return ms !== undefined && ms >= 1 ? ms : undefined;
  },
);

/** Bytes. */
export const sizeShape = parsedTextOrNumber(
  'a size such as "1KB", "100MB" or "2 GiB", or a whole number of bytes',
  parseSize,
);

export interface Money {
  readonly amount: Nano;
  readonly currency?: string | undefined;
}

/** An amount with or without its currency. */
export const moneyShape = parsedTextOrNumber<Money>(
  'an amount of money with at most nine decimals, such as "500 CNY" or "0.10"',
  parseMoney,
);

/** A price as an exact decimal. */
export const priceShape = parsedTextOrNumber(
  'a price as a decimal in quotes with at most nine decimals, such as "0.155"',
  parseNano,
);

/** Without a trailing slash. No user, query or fragment, so that nothing secret stands in it. */
export const addressShape = parsedText(
  'an http or https address without user name, query or fragment, such as "https://ai.example.com"',
  readAddress,
);

/** The same, ending in a slash, for keys to be put behind it. */
export const baseUrlShape = parsedText(
  'an http or https address without user name, query or fragment, such as "https://cdn.example/media/"',
  (text) => {
    const address = readAddress(text);
    return address === undefined ? undefined : `${address}/`;
  },
);

function readAddress(text: string): string | undefined {
  if (!/^https?:\/\/[^/?#\s]/i.test(text) || /[?#\s\\]/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return undefined;
  return `${url.protocol}//${url.host}${url.pathname}`.replace(/\/+$/, '');
}

export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** Host and port of a server of ours; IPv6 addresses in brackets, which are taken off. */
export const listenShape = parsedText<Listen>(
  'a host and a port from 1 to 65535, such as "127.0.0.1:8787"',
  (text) => {
    const match = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text);
    const port = Number(match?.[3]);
    const host = match?.[1] ?? match?.[2];
    return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined;
  },
);

/** An IANA time zone that this Node knows. */
export const zoneShape = parsedText('a time zone of the IANA list, such as "Asia/Shanghai"', (text) => {
  try {
    // Throws for a zone that does not exist. Offsets such as +08:00 are no zones, though newer Nodes take them.
    new Intl.DateTimeFormat('en', { timeZone: text }).format(0);
    return /^[A-Za-z]/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
});

/** `YYYY-MM-DD`, a day of the calendar. */
export const dayShape = parsedText('a day such as "2026-11-20"', (text) => (isDay(text) ? text : undefined));

/** ISO 8601 instant in UTC; a day alone is its first moment in UTC. */
export const instantShape = parsedText(
  'a day such as "2026-01-01" (its beginning in UTC) or an instant with its zone such as "2026-01-01T00:00:00+08:00"',
  (text) => {
    const match = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.exec(text);
    if (!match || !isDay(match[1] ?? '')) return undefined;
    const ms = Date.parse(text);
    return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
  },
);

function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** A comparison with a number from 0 to 1. */
export const scoreShape = parsedText<Comparison>(
  'a comparison with a score from 0 to 1, such as ">= 0.6" (operators: < <= > >= == !=)',
  (text) => {
    const comparison = parseComparison(text);
    const value = comparison?.value;
    return typeof value === 'number' && value >= 0 && value <= 1 ? comparison : undefined;
  },
);

/** A comparison with a number, or with a text where it is == or !=. */
export const comparisonShape = parsedText<Comparison>(
  'a comparison such as "< 40" or "== male" (operators: < <= > >= == !=; texts only with == and !=)',
  parseComparison,
);

/** An encoding by any of its common names. */
export const encodingShape = parsedText<Encoding>(
  'an encoding: "utf-8", "gb18030", "utf-16le" or "utf-16be"',
  (text) => encodingNames.get(text.toLowerCase()),
);

const encodingNames: ReadonlyMap<string, Encoding> = new Map([
  ...encodings.map((name) => [name, name] as const),
  // GB18030 reads what is written in either of its forerunners; a mark tells which UTF-16 it is.
  ...(['gbk', 'gb2312'] as const).map((name) => [name, 'gb18030'] as const),
  ['utf8', 'utf-8'],
  ['utf-16', 'utf-16le'],
]);

/** A share above none, up to all. */
export const shareShape = parsedTextOrNumber('a share above 0 and up to 1, such as "1%" or 0.01', parseShare);

export function parseShare(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*(%?)$/.exec(text);
  const share = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : 0;
  return share > 0 && share <= 1 ? share : undefined;
}

/** Where a manifest lies in a bucket. */
export const objectPathShape = parsedText(
  's3://storage/bucket/key, with a storage of config/storages.yaml',
  (text) => (isObjectPath(text) ? text : undefined),
);

/** A local path, a place in a bucket, or `-`. */
export const manifestPathShape = parsedText(
  'a path, s3://storage/bucket/key, or "-" for standard input',
  (text) => (text !== '' && (isObjectPath(text) || !/^[a-z][a-z\d+.-]*:\/\//i.test(text)) ? text : undefined),
);

function isObjectPath(text: string): boolean {
  return /^s3:\/\/[^/]+\/[^/]+\/./s.test(text);
}

/** A text that is not empty. */
export const wordShape = z.string().min(1);

/** One text or a list of them. */
export const wordsShape = z
  .union([wordShape, z.array(wordShape).min(1)], {
    error: 'expected a text that is not empty, or a list of at least one',
  })
  .transform((written) => (typeof written === 'string' ? [written] : written));

export const countShape = z.int().min(1);
