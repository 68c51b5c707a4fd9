/** Sums that the writes of one transaction change, gathered in memory and stored once, just before it commits. */
import { classifyReason } from '../../domain/fit.ts';
import type { AccountPosition } from '../../domain/ledger.ts';
import type { Nano, Position } from '../../domain/pricing.ts';
import { startPosition } from '../../domain/pricing.ts';
import type { TaskState } from '../../domain/task.ts';
import type { Basis } from '../../domain/usage.ts';
import type { Database, WritingDatabase } from './database.ts';
import { after, type Soon } from './soon.ts';
import { nameBook, type Scope, SpendingBooks } from './spending.ts';
import { readStored } from './stored.ts';

/** Who pays: an account of the real world, or its namesake on a loopback address. */
export interface Payer {
  readonly account: string;
  readonly isLoopback: boolean;
}

/** One row of usage, as `entries` has it. */
export interface Entry extends Payer {
  readonly run: number;
  readonly sku: string;
  /** `YYYY-MM-DD`, on which it was sent. */
  readonly day: string;
  readonly basis: Basis;
  readonly units: number;
  readonly free: number;
  readonly pack: number;
  readonly charge: Nano;
  readonly isComplete: boolean;
  readonly assumptions: readonly string[];
}

interface Count {
  readonly run: number;
  readonly service: number;
  readonly state: TaskState;
  readonly reason: string;
  count: number;
}

interface Total {
  readonly entry: Entry;
  units: number;
  free: number;
  pack: number;
  charge: Nano;
  incomplete: number;
}

interface Assumption {
  readonly entry: Entry;
  readonly text: string;
  tasks: number;
}

/** What an account pays for one SKU. */
export interface SkuPlace {
  readonly payer: Payer;
  readonly sku: string;
}

interface Place extends SkuPlace {
  position: Position;
  isMoved: boolean;
}

export class Tally {
  /** What caps are held against. */
  readonly spending: SpendingBooks;
  readonly #db: Database;
  readonly #counts = new Map<string, Count>();
  readonly #totals = new Map<string, Total>();
  readonly #assumptions = new Map<string, Assumption>();
  readonly #places = new Map<string, Place>();
  readonly #wantedScopes = new Map<string, Scope>();
  readonly #wantedPlaces = new Map<string, SkuPlace>();

  constructor(db: Database) {
    this.#db = db;
    this.spending = new SpendingBooks(db);
  }

  /** `by` tasks more (or fewer, below 0) are in that state; what is an item's own in the reason does not count. */
  count(run: number, service: number, state: TaskState, ownReason: string, by: number): void {
    const reason = classifyReason(ownReason);
    const key = `${run} ${service} ${state} ${reason}`;
    const count = this.#counts.get(key);
    if (count) count.count += by;
    else this.#counts.set(key, { run, service, state, reason, count: by });
  }

  add(entry: Entry): void {
    const { run, account, isLoopback, sku, day, basis } = entry;
    const key = JSON.stringify([run, account, isLoopback, sku, day, basis]);
    let total = this.#totals.get(key);
    if (!total) {
      total = { entry, units: 0, free: 0, pack: 0, charge: 0n, incomplete: 0 };
      this.#totals.set(key, total);
    }
    total.units += entry.units;
    total.free += entry.free;
    total.pack += entry.pack;
    total.charge += entry.charge;
    // What is taken back takes its mark with it.
    if (!entry.isComplete) total.incomplete += entry.units < 0 ? -1 : 1;
    for (const text of entry.assumptions) this.#assume(entry, text);
  }

  /** What will be opened is read by the next `load`. */
  want(scopes: readonly Scope[], places: readonly SkuPlace[]): void {
    for (const scope of scopes) this.#wantedScopes.set(nameBook(scope), scope);
    for (const place of places) this.#wantedPlaces.set(namePlace(place.payer, place.sku), place);
  }

  async load(): Promise<void> {
    await Promise.all([
      this.spending.open([...this.#wantedScopes.values()]),
      this.#openPlaces([...this.#wantedPlaces.values()]),
    ]);
    this.#wantedScopes.clear();
    this.#wantedPlaces.clear();
  }

  /** Reads how far the account has come with these, before they are asked for or moved. */
  openPositions(payer: Payer, skus: readonly string[]): Soon<void> {
    const missing = skus.filter((sku) => !this.#places.has(namePlace(payer, sku)));
    return missing.length === 0 ? undefined : this.#openPlaces(missing.map((sku) => ({ payer, sku })));
  }

  #openPlaces(places: readonly SkuPlace[]): Soon<void> {
    return after(loadPositions(this.#db, places), (positions) => {
      for (const [index, { payer, sku }] of places.entries()) {
        const position = positions[index] ?? startPosition;
        this.#places.set(namePlace(payer, sku), { payer, sku, position, isMoved: false });
      }
    });
  }

  /** How far the account has come, with all that this transaction has booked. */
  readPosition(payer: Payer, sku: string): Position {
    return this.#findPlace(payer, sku).position;
  }

  movePosition(payer: Payer, sku: string, position: Position): void {
    const place = this.#findPlace(payer, sku);
    place.position = position;
    place.isMoved = true;
  }

  store(db: WritingDatabase): void {
    for (const { run, service, state, reason, count } of this.#counts.values()) {
      if (count === 0) continue;
      db.run(
        `INSERT INTO task_counts VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (run, service, state, reason) DO UPDATE SET count = task_counts.count + excluded.count`,
        [run, service, state, reason, count],
      );
    }
    for (const { entry, units, free, pack, charge, incomplete } of this.#totals.values()) {
      db.run(
        `INSERT INTO totals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (run, account, is_loopback, sku, day, basis) DO UPDATE SET
           units = totals.units + excluded.units, free = totals.free + excluded.free,
           pack = totals.pack + excluded.pack, charge = totals.charge + excluded.charge,
           incomplete = totals.incomplete + excluded.incomplete`,
        [
          entry.run,
          entry.account,
          Number(entry.isLoopback),
          entry.sku,
          entry.day,
          entry.basis,
          units,
          free,
          pack,
          charge,
          incomplete,
        ],
      );
    }
    for (const { entry, text, tasks } of this.#assumptions.values()) {
      db.run(
        `INSERT INTO assumptions VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (run, account, sku, assumption) DO UPDATE SET tasks = assumptions.tasks + excluded.tasks`,
        [entry.run, entry.account, entry.sku, text, tasks],
      );
    }
    for (const { payer, sku, position, isMoved } of this.#places.values()) {
      if (!isMoved) continue;
      db.run(
        'INSERT INTO positions VALUES (?, ?, ?, ?) ON CONFLICT (account, is_loopback, sku) DO UPDATE SET position = excluded.position',
        [payer.account, Number(payer.isLoopback), sku, JSON.stringify(position)],
      );
    }
    this.spending.store(db);
    this.#forget();
  }

  /** Before a transaction: what another process has committed meanwhile is read anew. */
  clear(): void {
    this.#forget();
    this.spending.clear();
  }

  #forget(): void {
    this.#counts.clear();
    this.#totals.clear();
    this.#assumptions.clear();
    this.#places.clear();
  }

  #assume(entry: Entry, text: string): void {
    const key = JSON.stringify([entry.run, entry.account, entry.sku, text]);
    const assumption = this.#assumptions.get(key);
    if (assumption) assumption.tasks += 1;
    else this.#assumptions.set(key, { entry, text, tasks: 1 });
  }

  #findPlace(payer: Payer, sku: string): Place {
    const place = this.#places.get(namePlace(payer, sku));
    if (!place) throw new Error(`the position of ${payer.account} with ${sku} was not opened`);
    return place;
  }
}

function namePlace({ account, isLoopback }: Payer, sku: string): string {
  return JSON.stringify([account, isLoopback, sku]);
}

/** The position as committed; the start where nothing was booked yet. */
export async function loadPosition(db: Database, payer: Payer, sku: string): Promise<Position> {
  return (await loadPositions(db, [{ payer, sku }]))[0] ?? startPosition;
}

function loadPositions(db: Database, places: readonly SkuPlace[]): Soon<readonly Position[]> {
  const found = db.each<{ position: string }>(
    'SELECT position FROM positions WHERE account = ? AND is_loopback = ? AND sku = ?',
    places.map(({ payer, sku }) => [payer.account, Number(payer.isLoopback), sku]),
  );
  return after(found, (rows) =>
    rows.map(([row]) => (row ? (readStored(row.position) as Position) : startPosition)),
  );
}

/** Every position as committed, in the order of the names. */
export async function readPositions(db: Database): Promise<readonly AccountPosition[]> {
  const rows = await db.all<{ account: string; is_loopback: number; sku: string; position: string }>(
    'SELECT account, is_loopback, sku, position FROM positions ORDER BY account, is_loopback, sku',
  );
  return rows.map(({ is_loopback, position, ...row }) => ({
    ...row,
    isLoopback: is_loopback === 1,
    position: readStored(position) as Position,
  }));
}
