/**
 * Reserves money and units before a call may leave, in the commit of its intent, and settles the reservation with what
 * became of the call. Everything counts in three sums, whether or not a cap bounds them today: the run's, the month's of
 * its pipeline and the month's of its account. The month is that of the intent, in the price book's zone.
 */
import { type Cap, concerns } from '../../domain/caps.ts';
import { monthOf, type Nano, reserveAmount } from '../../domain/pricing.ts';
import type { Units } from '../../domain/usage.ts';
import { after, type Soon } from './soon.ts';
import type { Session } from './session.ts';
import { type Change, type Scope, scopeOf } from './spending.ts';
import type { Payer } from './tally.ts';
import { readStored } from './stored.ts';

/** What an attempt holds of the caps, by SKU: units and nano. */
export interface Reservation {
  readonly month: string;
  readonly skus: Readonly<Record<string, readonly [number, Nano]>>;
}

/** A call as far as its money goes. */
export interface Spender extends Payer {
  /** The run's number: its usage stays with it, whoever settles it. */
  readonly run: number;
  /** Of that run. */
  readonly pipeline: string;
  readonly intendedAtMs: number;
}

export type Reserved =
  | { readonly fits: true; readonly reservation: Reservation }
  /** Nothing is reserved; names the cap under which it does not fit, be it only beside what others reserve (`isCrowded`). */
  | { readonly fits: false; readonly cap: string; readonly isCrowded: boolean };

/** Reserves the units of one task, or says why not. */
export function reserve(session: Session, spender: Spender, units: Units): Soon<Reserved> {
  const month = monthOf(spender.intendedAtMs, session.pipeline.prices.timezone);
  return after(openBooks(session, spender, month, Object.keys(units)), () =>
    reserveIn(session, spender, month, units),
  );
}

/** The books stand open. */
function reserveIn(session: Session, spender: Spender, month: string, units: Units): Reserved {
  const skus: Record<string, readonly [number, Nano]> = {};
  let sum = 0n;
  for (const [sku, count] of Object.entries(units)) {
    if (count <= 0) continue;
    const amount = priceReservation(session, spender, sku, count);
    if (amount === undefined) {
      const cap = findBlindCap(session, spender, sku);
      if (cap) return { fits: false, cap: cap.name, isCrowded: false };
    }
    skus[sku] = [count, amount ?? 0n];
    sum += amount ?? 0n;
  }
  const reservation = { month, skus };
  const full = findFullCap(session, spender, reservation, sum);
  if (full) return { fits: false, cap: full.cap.name, isCrowded: full.isCrowded };
  for (const [sku, [reservedUnits, reserved]] of Object.entries(skus)) {
    changeAll(session, spender, month, sku, { reservedUnits, reserved });
  }
  return { fits: true, reservation };
}

/** `undefined` where a unit may have no price. The position of the SKU stands open. */
export function priceReservation(
  { pipeline, billing, tally }: Session,
  spender: Spender,
  sku: string,
  units: number,
): Nano | undefined {
  return reserveAmount(
    pipeline.prices.skus.get(sku),
    billing.get(spender.account)?.[sku],
    tally.readPosition(spender, sku),
    units,
    spender.intendedAtMs,
  );
}

/** A cap on money cannot hold over units without a price, unless a cap on these units does. */
function findBlindCap({ caps }: Session, spender: Spender, sku: string): Cap | undefined {
  const concerned = caps.filter((cap) => concerns(cap, { ...spender, name: spender.account }));
  return concerned.some((cap) => cap.sku === sku)
    ? undefined
    : concerned.find((cap) => cap.sku === undefined);
}

function findFullCap(
  session: Session,
  spender: Spender,
  { month, skus }: Reservation,
  money: Nano,
): { readonly cap: Cap; readonly isCrowded: boolean } | undefined {
  let crowded: Cap | undefined;
  for (const cap of session.caps) {
    if (!concerns(cap, { ...spender, name: spender.account })) continue;
    const need = cap.sku === undefined ? money : BigInt(skus[cap.sku]?.[0] ?? 0);
    // What uses nothing of a cap is not kept back by it.
    if (cap.sku !== undefined && need === 0n) continue;
    const scope = scopeOf(cap, { run: spender.run, pipeline: spender.pipeline, month });
    const { spent, reserved } = session.tally.spending.read(scope, cap.sku);
    if (spent + need > cap.limit) return { cap, isCrowded: false };
    if (spent + reserved + need > cap.limit) crowded ??= cap;
  }
  return crowded && { cap: crowded, isCrowded: true };
}

/** Holds again what an attempt held before: it may have been billed, so that no cap is asked. Its books stand open. */
export function hold(session: Session, spender: Spender, reservation: Reservation | undefined): void {
  if (!reservation) return;
  for (const [sku, [reservedUnits, reserved]] of Object.entries(reservation.skus)) {
    changeAll(session, spender, reservation.month, sku, { reservedUnits, reserved });
  }
}

/** Gives back what an attempt held. Its books stand open. */
export function release(session: Session, spender: Spender, reservation: Reservation | undefined): void {
  if (!reservation) return;
  for (const [sku, [units, amount]] of Object.entries(reservation.skus)) {
    changeAll(session, spender, reservation.month, sku, { reservedUnits: -units, reserved: -amount });
  }
}

/** Counts usage as spent; what passes the units that its call had reserved is an overrun of its run. Its books stand open. */
export function spend(
  session: Session,
  spender: Spender,
  reservation: Reservation | undefined,
  usage: { readonly sku: string; readonly units: number; readonly amount: Nano },
): void {
  const { sku, units: spentUnits, amount: spent } = usage;
  const month = reservation?.month ?? monthOf(spender.intendedAtMs, session.pipeline.prices.timezone);
  const overrun = reservation ? Math.max(0, spentUnits - (reservation.skus[sku]?.[0] ?? 0)) : 0;
  changeAll(session, spender, month, sku, { spentUnits, spent, overrun });
}

/** What a session's calls are most likely counted in, to be read ahead: of this month. */
export function wantBooks({ run, pipeline, tally, now }: Session): void {
  const intendedAtMs = now();
  const month = monthOf(intendedAtMs, pipeline.prices.timezone);
  for (const { account } of pipeline.services) {
    const { name, isLoopback, vendor } = account;
    const spender = { run, pipeline: pipeline.name, account: name, isLoopback, intendedAtMs };
    const payer = { account: name, isLoopback };
    tally.want(
      listScopes(spender, month),
      vendor.skus.map(({ name: sku }) => ({ payer, sku })),
    );
  }
}

/** Opens what reserving, spending and giving back in that month is counted in, and the positions that set prices. */
function openBooks(session: Session, spender: Spender, month: string, skus: readonly string[]): Soon<void> {
  const books = session.tally.spending.open(listScopes(spender, month));
  const positions = session.tally.openPositions(spender, skus);
  // Both are listened to from the beginning: with a lost server both fail.
  return books && positions ? Promise.all([books, positions]).then(() => undefined) : (books ?? positions);
}

/** The same for an attempt, which spends and gives back in the month of its reservation. */
export function openBooksOf(
  session: Session,
  spender: Spender,
  reservation: Reservation | undefined,
  skus: readonly string[],
): Soon<void> {
  const month = reservation?.month ?? monthOf(spender.intendedAtMs, session.pipeline.prices.timezone);
  return openBooks(session, spender, month, skus);
}

function changeAll(session: Session, spender: Spender, month: string, sku: string, change: Change): void {
  for (const scope of listScopes(spender, month)) session.tally.spending.change(scope, sku, change);
}

function listScopes(spender: Spender, month: string): readonly Scope[] {
  const { run, pipeline, account, isLoopback } = spender;
  const standing = { run, pipeline, month };
  return (['run', 'pipeline', 'account'] as const).map((scope) =>
    scopeOf({ scope, account, isLoopback }, standing),
  );
}

export function packReservation({ month, skus }: Reservation): string {
  const plain = Object.entries(skus).map(([sku, [units, amount]]) => [sku, [units, `${amount}`]] as const);
  return JSON.stringify({ month, skus: Object.fromEntries(plain) });
}

/** Absent for an attempt of a time before there were reservations. */
export function unpackReservation(text: string | null): Reservation | undefined {
  if (text === null) return undefined;
  const { month, skus } = readStored(text) as {
    readonly month: string;
    readonly skus: Readonly<Record<string, readonly [number, string]>>;
  };
  const exact = Object.entries(skus).map(
    ([sku, [units, amount]]) => [sku, [units, BigInt(amount)] as const] as const,
  );
  return { month, skus: Object.fromEntries(exact) };
}
