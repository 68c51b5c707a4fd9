/** What a run, a pipeline's month and an account's month may not pass, and how far each has come. Pure. */
import type { Nano } from './pricing.ts';
import type { Account } from './settings.ts';
import type { Units } from './usage.ts';

/** `caps:` of a pipeline. */
export interface Caps {
  readonly run?: Nano | undefined;
  /** Of this pipeline, in a calendar month of the price book's zone. */
  readonly month?: Nano | undefined;
  /** Units of a run, by SKU. */
  readonly units?: Units | undefined;
  /** Units of a run, by SKU, that its plan allows. */
  readonly plan?: Units | undefined;
}

/** One bound on money, or on the units of one SKU. */
export interface Cap {
  /** The key under which it is written, such as `caps.run` or `accounts.pai-prod.caps.month`. */
  readonly name: string;
  /** Whose usage counts: that of the run, or that of the pipeline's or the account's month. */
  readonly scope: 'run' | 'pipeline' | 'account';
  /** The account of an account's cap; the others bound all accounts together. */
  readonly account?: string | undefined;
  /** Present where units are bounded instead of money. */
  readonly sku?: string | undefined;
  /** Stand-ins on loopback addresses are counted apart from the real world. */
  readonly isLoopback: boolean;
  /** Nano, or units where `sku` stands. */
  readonly limit: bigint;
}

/** A cap with what counts against it, in the measure of its limit. */
export interface CapStand extends Cap {
  /** Booked, and units of calls that may have been billed. */
  readonly spent: bigint;
  /** Held for calls that are under way. */
  readonly reserved: bigint;
}

/** How much of its money a run has used, and how far its caps have come. */
export interface Spending {
  /** Of the run alone: charges, and the reservations of calls that may have been billed. */
  readonly spent: Nano;
  readonly reserved: Nano;
  /** Of the price book. */
  readonly currency: string;
  readonly caps: readonly CapStand[];
  /** Units by SKU that the run's answers proved beyond what their calls had reserved. */
  readonly overrun: Units;
}

type CappedAccount = Pick<Account, 'name' | 'isLoopback' | 'caps'>;

/** The caps that hold for a pipeline and its accounts, in the order in which they are asked. */
export function listCaps(pipeline: {
  readonly caps?: Caps | undefined;
  readonly services: readonly { readonly account: CappedAccount }[];
}): readonly Cap[] {
  const { run, month, units = {}, plan = {} } = pipeline.caps ?? {};
  const accounts = [...new Map(pipeline.services.map(({ account }) => [account.name, account])).values()];
  const worlds = [false, true].filter((world) => accounts.some(({ isLoopback }) => isLoopback === world));
  const own = worlds.flatMap((isLoopback): Cap[] => {
    const mark = isLoopback && worlds.length > 1 ? ' (stand-ins)' : '';
    const planned = Object.entries(plan).map(
      ([sku, count]): Cap => ({
        name: `plan.${sku}${mark}`,
        scope: 'run',
        isLoopback,
        limit: BigInt(count),
        sku,
      }),
    );
    const make = (key: string, scope: Cap['scope'], limit: bigint | undefined, sku?: string): Cap[] =>
      limit === undefined ? [] : [{ name: `caps.${key}${mark}`, scope, isLoopback, limit, sku }];
    return [
      ...make('run', 'run', run),
      ...Object.entries(units).flatMap(([sku, count]) => make(`units.${sku}`, 'run', BigInt(count), sku)),
      ...make('month', 'pipeline', month),
      ...planned,
    ];
  });
  return [...own, ...accounts.flatMap(listAccountCaps)];
}

function listAccountCaps({ name, caps, isLoopback }: CappedAccount): readonly Cap[] {
  if (caps?.month === undefined) return [];
  const limit = caps.month;
  return [{ name: `accounts.${name}.caps.month`, scope: 'account', account: name, isLoopback, limit }];
}

/** Whether the cap bounds calls of that account. */
export function concerns(
  cap: Cap,
  account: { readonly name: string; readonly isLoopback: boolean },
): boolean {
  return cap.isLoopback === account.isLoopback && (cap.account === undefined || cap.account === account.name);
}

/** More than the cap is used: only an overrun, or a cap that was lowered, brings that about. */
export function isPassed({ spent, reserved, limit }: CapStand): boolean {
  return spent + reserved > limit;
}

/** The cap on money of which the greatest share is used; a cap on units where there is none on money. */
export function findTightest(caps: readonly CapStand[]): CapStand | undefined {
  const money = caps.filter(({ sku }) => sku === undefined);
  const [first, ...rest] = money.length > 0 ? money : caps;
  if (!first) return undefined;
  return rest.reduce((tightest, cap) => (isTighter(cap, tightest) ? cap : tightest), first);
}

/** Compares shares without dividing. */
function isTighter(one: CapStand, other: CapStand): boolean {
  return (one.spent + one.reserved) * other.limit > (other.spent + other.reserved) * one.limit;
}
