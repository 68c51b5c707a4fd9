/** Books usage: one entry per SKU, with its charge at the position that the account has come to. Entries are only added. */
import { chargeUnits, dayOf, priceOf, startPosition } from '../../domain/pricing.ts';
import type { Basis, Usage } from '../../domain/usage.ts';
import { basisOf } from '../../domain/usage.ts';
import type { Reservation, Spender } from './reserve.ts';
import { priceReservation, spend, unpackReservation } from './reserve.ts';
import type { Office, Session } from './session.ts';
import { scopeOf, unpackCaps } from './spending.ts';

/** The attempt that used the units: they belong to its run and to the month in which it was sent. */
export interface Booking extends Spender {
  readonly task: number;
  readonly attempt: number;
  /** What it held of the caps, and has given back. */
  readonly reservation: Reservation | undefined;
}

/** Units that the vendor bills; they move the account's position. All of these need the attempt's books open. */
export function bookUsage(session: Session, booking: Booking, usage: Usage): void {
  for (const [sku, units] of Object.entries(usage.units)) {
    if (units <= 0) continue;
    const charge = chargeUnits(
      priceOf(session.pipeline.prices, sku),
      session.billing.get(booking.account)?.[sku],
      session.tally.readPosition(booking, sku),
      units,
      booking.intendedAtMs,
    );
    session.tally.movePosition(booking, sku, charge.position);
    addEntry(session, booking, usage, {
      sku,
      units,
      basis: basisOf(usage, sku),
      free: charge.freeUnits,
      pack: charge.packUnits,
      charge: charge.amount,
      isComplete: charge.isComplete,
    });
    spend(session, booking, booking.reservation, { sku, units, amount: charge.amount });
  }
}

/**
 * As `bookUsage`, for an attempt that was closed and opened again: what was booked for it then stays, and only what
 * passes that is added.
 */
export async function bookRest(session: Session, booking: Booking, usage: Usage): Promise<void> {
  const booked = await session.db.all<{ sku: string; units: number }>(
    `SELECT sku, sum(units) AS units FROM entries WHERE attempt = ? AND basis <> 'uncertain' GROUP BY sku`,
    [booking.attempt],
  );
  const before = new Map(booked.map(({ sku, units }) => [sku, units]));
  const units = Object.fromEntries(
    Object.entries(usage.units).map(([sku, count]) => [sku, count - (before.get(sku) ?? 0)]),
  );
  bookUsage(session, booking, { ...usage, units });
}

/**
 * Units of a call whose fate is unknown: they stand in the bill's own column, are not charged, and move no position.
 * Against caps they count as spent, at what they had reserved.
 */
export function bookUncertain(session: Session, booking: Booking, usage: Usage): void {
  addUncertain(session, booking, usage, 1);
}

/** Takes back what `bookUncertain` booked, once the fate can be asked for again: another entry, since none is changed. */
export function unbookUncertain(session: Session, booking: Booking, usage: Usage): void {
  addUncertain(session, booking, { ...usage, assumptions: [] }, -1);
}

function addUncertain(session: Session, booking: Booking, usage: Usage, sign: 1 | -1): void {
  for (const [sku, units] of Object.entries(usage.units)) {
    if (units <= 0) continue;
    const price = priceOf(session.pipeline.prices, sku);
    const { isComplete } = chargeUnits(price, undefined, startPosition, units, booking.intendedAtMs);
    addEntry(session, booking, usage, {
      sku,
      units: sign * units,
      basis: 'uncertain',
      free: 0,
      pack: 0,
      charge: 0n,
      isComplete,
    });
    const amount =
      booking.reservation?.skus[sku]?.[1] ?? priceReservation(session, booking, sku, units) ?? 0n;
    const spent = { sku, units: sign * units, amount: BigInt(sign) * amount };
    spend(session, booking, booking.reservation, spent);
  }
}

interface UncertainRow {
  readonly run: number;
  readonly task: number;
  readonly account: string;
  readonly is_loopback: number;
  readonly sku: string;
  readonly month: string;
  readonly units: number;
  readonly is_complete: number;
  readonly pipeline: string;
  readonly caps: string | null;
  readonly intended_ms: number;
  readonly reserved: string | null;
}

/**
 * What stands uncertain for an attempt is taken back in further entries, and counts inside caps no more: whoever settles the
 * call says that it was not billed. Needs no pipeline: what it had reserved says what it counted for.
 */
export async function forgetUncertain({ db, tally, now }: Office, attempt: number): Promise<void> {
  const rows = await db.all<UncertainRow>(
    `SELECT e.run, e.task, e.account, e.is_loopback, e.sku, e.month, sum(e.units) AS units,
       min(e.is_complete) AS is_complete, r.pipeline, r.caps, a.intended_ms, a.reserved
     FROM entries AS e JOIN runs AS r ON r.seq = e.run JOIN attempts AS a ON a.id = e.attempt
     WHERE e.attempt = ? AND e.basis = 'uncertain' 
     GROUP BY e.run, e.task, e.account, e.is_loopback, e.sku, e.month, r.pipeline, r.caps, a.intended_ms, a.reserved
     HAVING sum(e.units) > 0`,
    [attempt],
  );
  for (const row of rows) {
    const { run, task, account, is_loopback, sku, month, units, is_complete, pipeline } = row;
    const back = {
      run,
      account,
      sku,
      basis: 'uncertain',
      units: -units,
      free: 0,
      pack: 0,
      charge: 0n,
    } as const;
    const of = { task, attempt, is_loopback, is_complete, month };
    db.insert('entries', { ...back, ...of, assumptions: null, at_ms: now() });
    const isLoopback = is_loopback === 1;
    const day = dayOf(row.intended_ms, unpackCaps(row.caps).timezone);
    tally.add({ ...back, day, isLoopback, isComplete: is_complete === 1, assumptions: [] });
    const reservation = unpackReservation(row.reserved);
    const spent = -(reservation?.skus[sku]?.[1] ?? 0n);
    const standing = { run, pipeline, month: reservation?.month ?? month };
    const scopes = (['run', 'pipeline', 'account'] as const).map((scope) =>
      scopeOf({ scope, account, isLoopback }, standing),
    );
    await tally.spending.open(scopes);
    for (const scope of scopes) tally.spending.change(scope, sku, { spentUnits: -units, spent });
  }
}

interface Line {
  readonly sku: string;
  readonly units: number;
  readonly basis: Basis;
  readonly free: number;
  readonly pack: number;
  readonly charge: bigint;
  readonly isComplete: boolean;
}

function addEntry(session: Session, booking: Booking, usage: Usage, line: Line): void {
  const { db, tally, pipeline } = session;
  const { run, task, attempt, account, isLoopback, intendedAtMs } = booking;
  const { sku, units, basis, free, pack, charge, isComplete } = line;
  const day = dayOf(intendedAtMs, pipeline.prices.timezone);
  const assumptions = (basis === 'observed' ? undefined : usage.assumptions) ?? [];
  db.insert('entries', {
    run,
    task,
    attempt,
    account,
    is_loopback: Number(isLoopback),
    sku,
    month: day.slice(0, 7),
    basis,
    units,
    free,
    pack,
    charge,
    is_complete: Number(isComplete),
    assumptions: assumptions.length === 0 ? null : JSON.stringify(assumptions),
    at_ms: session.now(),
  });
  tally.add({
    run,
    account,
    isLoopback,
    sku,
    day,
    basis,
    units,
    free,
    pack,
    charge,
    isComplete,
    assumptions,
  });
}
