/** Values of flags, read from text; what is wrong with one is told with what was expected. */
import { InvalidArgumentError } from 'commander';
import { parseTimeOfDay, type TimeOfDay } from '../domain/clock.ts';
import { parseMoney } from '../domain/money.ts';
import type { PostgresAccess } from '../domain/postgres.ts';
import type { Nano } from '../domain/pricing.ts';
import { parseDuration } from '../domain/quantity.ts';

/** A whole number from 1 up, such as `--limit 100`. */
export function readCount(text: string): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw new InvalidArgumentError('expected a whole number from 1 up.');
  return count;
}

/** An amount such as `100CNY`; the currency may be left out. */
export function readMoney(text: string): { readonly amount: Nano; readonly currency?: string | undefined } {
  const money = parseMoney(text);
  if (!money) throw new InvalidArgumentError('expected an amount such as 100CNY, "100 CNY" or 0.5.');
  return money;
}

/** Milliseconds of `25s` or `500ms`. */
export function readDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('expected a duration such as 25s, 500ms or 2m.');
  return ms;
}

/** How old something may be, such as `7d`, or `off`. */
export function readBackup(text: string): number | 'off' {
  const ms = text === 'off' ? text : parseDuration(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('expected how old the newest backup may be, such as 20h or 7d, or off.');
}

/** A time of day such as `06:00`. */
export function readTimeOfDay(text: string): TimeOfDay {
  const time = parseTimeOfDay(text);
  if (time === undefined) throw new InvalidArgumentError('expected a time of day such as 06:00 or 23:30.');
  return time;
}

/** Host and port of a server of ours; IPv6 addresses in brackets, which are taken off. */
export function readListen(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text);
  const [host, port] = [match?.[1] ?? match?.[2], Number(match?.[3])];
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new InvalidArgumentError('expected a host and a port such as 0.0.0.0:9464.');
}

/** Milliseconds, as a plain whole number or a duration. */
export function readMilliseconds(text: string): number {
  const ms = /^\d{1,12}$/.test(text) ? Number(text) : parseDuration(text);
  if (ms === undefined)
    throw new InvalidArgumentError('expected milliseconds such as 250, or a duration such as 2s.');
  return ms;
}

const usualPort = 5432;
const schemaName = /^[\p{L}_][\p{L}\p{N}_]{0,62}$/u;

/** `postgres://USER@HOST:PORT/DATABASE`, with `?schema=NAME` and `?tls=true`; never with a password. */
export function readPostgres(text: string): PostgresAccess {
  const refuse = (why: string) =>
    new InvalidArgumentError(
      `expected an address such as postgres://mediasweep@db.internal:5432/audit, ${why}.`,
    );
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^postgres(?:ql)?:$/.test(url.protocol)) throw refuse('found something else');
  if (url.password !== '') {
    throw new InvalidArgumentError(
      'expected an address without a password, which every user of this machine could see. Put it into the environment variable PGPASSWORD.',
    );
  }
  const user = decodeURIComponent(url.username);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (user === '' || url.hostname === '' || database === '') {
    throw refuse('found no user, host or database in it');
  }
  const { schema, tls = 'false', ...others } = Object.fromEntries(url.searchParams);
  const [stranger] = Object.keys(others);
  if (stranger !== undefined) throw refuse(`with no parameters but schema and tls; found "${stranger}"`);
  if (tls !== 'true' && tls !== 'false') throw refuse(`tls "true" or "false"; found "${tls}"`);
  if (schema !== undefined && !schemaName.test(schema)) {
    throw refuse('and a schema of at most 63 letters, digits and "_"');
  }
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: url.port === '' ? usualPort : Number(url.port),
    user,
    database,
    ...(tls === 'true' && { tls: true }),
    ...(schema !== undefined && { schema }),
  };
}

/** A chance from 0 to 1, also as `5%`. */
export function readChance(text: string): number {
  const chance = parseShare(text);
  if (!(chance >= 0 && chance <= 1))
    throw new InvalidArgumentError('expected a chance from 0 to 1, such as 0.05 or 5%.');
  return chance;
}

/** Not a number where it is none. */
function parseShare(text: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text);
  return match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : Number.NaN;
}

/** A share above 0 and up to 1, such as `1%` or `0.01`. */
export function readShare(text: string): number {
  const share = parseShare(text);
  if (!(share > 0 && share <= 1))
    throw new InvalidArgumentError('expected a share above 0 and up to 1, such as 1% or 0.01.');
  return share;
}

/** A share from none to all, such as `2%`. */
export function readTolerance(text: string): number {
  const share = parseShare(text);
  if (!(share >= 0 && share <= 1))
    throw new InvalidArgumentError('expected a share from 0 to 1, such as 2% or 0.02.');
  return share;
}

/** A TCP port; 0 takes any free one. */
export function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 65_536;
  if (port > 65_535) throw new InvalidArgumentError('expected a port from 0 to 65535; 0 takes any free one.');
  return port;
}

/** Adds a switch such as `callbacks=twice` or `intervalBounds=[1,60]`: JSON where it is JSON, text otherwise. */
export function collectSwitch(
  text: string,
  before: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const [, name, value = ''] = /^([A-Za-z]\w*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('expected NAME=VALUE, such as callbacks=twice.');
  return { ...before, [name]: readSwitchValue(value) };
}

function readSwitchValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
