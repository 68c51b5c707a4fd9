/** Values of flags, read from text; what is wrong with one is told with what was expected. */
import { InvalidArgumentError } from 'commander';
import { parseTimeOfDay, type TimeOfDay } from '../domain/clock.ts';
import { parseMoney } from '../domain/money.ts';
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
