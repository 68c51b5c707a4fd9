/**
 * What is spent and reserved, by run, by month of a pipeline and by month of an account: sums that every commit brings up
 * to date, so that a reservation reads a few rows however long the ledger is. The write lock of the transaction makes
 * them exact over all processes.
 */
import type { Cap, CapStand, Spending } from '../../domain/caps.ts';
import type { Nano } from '../../domain/pricing.ts';
import type { Database, WritingDatabase } from './database.ts';
import { after, type Soon } from './soon.ts';
import { readStored } from './stored.ts';

/** Whose usage a sum is of. Runs have no month. */
export interface Scope {
  readonly scope: Cap['scope'];
  readonly name: string;
  readonly month: string;
  readonly isLoopback: boolean;
}

/** Changes of a sum, by SKU. */
export interface Change {
  readonly spentUnits?: number;
  readonly reservedUnits?: number;
  readonly spent?: Nano;
  readonly reserved?: Nano;
  readonly overrun?: number;
}

interface Sum {
  spentUnits: number;
  reservedUnits: number;
  spent: Nano;
  reserved: Nano;
  /** Units that answers proved beyond what their calls had reserved. */
  overrun: number;
  isChanged: boolean;
}

interface Book {
  readonly scope: Scope;
  readonly sums: Map<string, Sum>;
}

interface SumRow {
  readonly sku: string;
  readonly spent_units: number;
  readonly reserved_units: number;
  /** As text: money may pass what a number holds exactly. */
  readonly spent: string;
  readonly reserved: string;
  readonly overrun: number;
}

/**
 * The sums of one transaction: read once, changed in memory, stored just before it commits. They stay as they are until
 * the next one begins, so that whoever asks between the two reads no rows.
 */
export class SpendingBooks {
  readonly #db: Database;
  readonly #books = new Map<string, Book>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Reads what has not been read yet of these, before they are changed or read. */
  open(scopes: readonly Scope[]): Soon<void> {
    const missing = scopes.filter((scope) => !this.#books.has(nameBook(scope)));
    return missing.length === 0 ? undefined : this.#load(missing);
  }

  #load(missing: readonly Scope[]): Soon<void> {
    const found = this.#db.each<SumRow>(
      `SELECT sku, spent_units, reserved_units, CAST(spent AS TEXT) AS spent, CAST(reserved AS TEXT) AS reserved, overrun
       FROM spending WHERE scope = ? AND name = ? AND month = ? AND is_loopback = ?`,
      missing.map(({ scope, name, month, isLoopback }) => [scope, name, month, Number(isLoopback)]),
    );
    return after(found, (rows) => {
      for (const [index, scope] of missing.entries()) {
        const sums = new Map((rows[index] ?? []).map((row) => [row.sku, makeSum(row)]));
        this.#books.set(nameBook(scope), { scope, sums });
      }
    });
  }

  change(scope: Scope, sku: string, change: Change): void {
    const { sums } = this.#find(scope);
    let sum = sums.get(sku);
    if (!sum) {
      sum = { spentUnits: 0, reservedUnits: 0, spent: 0n, reserved: 0n, overrun: 0, isChanged: true };
      sums.set(sku, sum);
    }
    sum.spentUnits += change.spentUnits ?? 0;
    sum.reservedUnits += change.reservedUnits ?? 0;
    sum.spent += change.spent ?? 0n;
    sum.reserved += change.reserved ?? 0n;
    sum.overrun += change.overrun ?? 0;
    sum.isChanged = true;
  }

  /** Units of one SKU, or the money of all. */
  read(scope: Scope, sku?: string): { readonly spent: bigint; readonly reserved: bigint } {
    const { sums } = this.#find(scope);
    if (sku !== undefined) {
      const sum = sums.get(sku);
      return { spent: BigInt(sum?.spentUnits ?? 0), reserved: BigInt(sum?.reservedUnits ?? 0) };
    }
    let spent = 0n;
    let reserved = 0n;
    for (const sum of sums.values()) {
      spent += sum.spent;
      reserved += sum.reserved;
    }
    return { spent, reserved };
  }

  /** By SKU, in the order of their names; those without one are left out. */
  readOverrun(scope: Scope): readonly (readonly [string, number])[] {
    return [...this.#find(scope).sums]
      .filter(([, { overrun }]) => overrun > 0)
      .map(([sku, { overrun }]) => [sku, overrun] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1));
  }

  store(db: WritingDatabase): void {
    for (const { scope, sums } of this.#books.values()) {
      for (const [sku, sum] of sums) {
        if (sum.isChanged) storeSum(db, scope, sku, sum);
        sum.isChanged = false;
      }
    }
  }

  clear(): void {
    this.#books.clear();
  }

  #find(scope: Scope): Book {
    const book = this.#books.get(nameBook(scope));
    if (!book) throw new Error(`the sums of ${nameBook(scope)} were not opened`);
    return book;
  }
}

/** No two of them alike. */
export function nameBook({ scope, name, month, isLoopback }: Scope): string {
  return `${scope} ${month} ${isLoopback} ${name}`;
}

function storeSum(
  db: WritingDatabase,
  { scope, name, month, isLoopback }: Scope,
  sku: string,
  sum: Sum,
): void {
  db.run(
    `INSERT INTO spending VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (scope, name, month, is_loopback, sku) DO UPDATE SET spent_units = excluded.spent_units, reserved_units = excluded.reserved_units,
         spent = excluded.spent, reserved = excluded.reserved, overrun = excluded.overrun`,
    [
      scope,
      name,
      month,
      Number(isLoopback),
      sku,
      sum.spentUnits,
      sum.reservedUnits,
      sum.spent,
      sum.reserved,
      sum.overrun,
    ],
  );
}

function makeSum(row: SumRow): Sum {
  return {
    spentUnits: row.spent_units,
    reservedUnits: row.reserved_units,
    spent: BigInt(row.spent),
    reserved: BigInt(row.reserved),
    overrun: row.overrun,
    isChanged: false,
  };
}

/** Where a run stands: whose sums its caps are about. */
export interface Standing {
  readonly run: number;
  readonly pipeline: string;
  /** The month that caps by month are shown for. */
  readonly month: string;
  readonly currency: string;
  readonly caps: readonly Cap[];
}

/** The scope of a cap, for usage of that month. */
export function scopeOf(
  { scope, account = '', isLoopback }: Pick<Cap, 'scope' | 'account' | 'isLoopback'>,
  { run, pipeline, month }: Omit<Standing, 'caps' | 'currency'>,
): Scope {
  switch (scope) {
    case 'run':
      return { scope, name: String(run), month: '', isLoopback };
    case 'pipeline':
      return { scope, name: pipeline, month, isLoopback };
    case 'account':
      return { scope, name: account, month, isLoopback };
  }
}

/** Whose sums tell how a run stands. */
export function listStanding(standing: Omit<Standing, 'currency'>): readonly Scope[] {
  return [...listOwn(standing), ...standing.caps.map((cap) => scopeOf(cap, standing))];
}

function listOwn(standing: Omit<Standing, 'caps' | 'currency'>): readonly Scope[] {
  return [false, true].map((isLoopback) => scopeOf({ scope: 'run', isLoopback }, standing));
}

export function readSpending(books: SpendingBooks, standing: Standing): Soon<Spending> {
  return after(books.open(listStanding(standing)), () => makeSpending(books, standing));
}

function makeSpending(books: SpendingBooks, standing: Standing): Spending {
  const own = listOwn(standing);
  const [real, played] = own.map((scope) => books.read(scope));
  return {
    spent: (real?.spent ?? 0n) + (played?.spent ?? 0n),
    reserved: (real?.reserved ?? 0n) + (played?.reserved ?? 0n),
    currency: standing.currency,
    caps: standing.caps.map((cap): CapStand => ({ ...cap, ...books.read(scopeOf(cap, standing), cap.sku) })),
    overrun: sumUnits(own.flatMap((scope) => books.readOverrun(scope))),
  };
}

function sumUnits(counts: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  const units: Record<string, number> = {};
  for (const [sku, count] of counts) units[sku] = (units[sku] ?? 0) + count;
  return units;
}

/** As the ledger keeps it: integers as decimal strings, since JSON knows no large ones. */
export function packSpending(spending: Spending): string {
  return JSON.stringify(spending, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
}

export function unpackSpending(text: string): Spending {
  const { spent, reserved, currency, caps, overrun } = readStored(text) as {
    readonly spent: string;
    readonly reserved: string;
    readonly currency: string;
    readonly caps: readonly (Omit<CapStand, 'limit' | 'spent' | 'reserved'> & {
      readonly limit: string;
      readonly spent: string;
      readonly reserved: string;
    })[];
    readonly overrun: Spending['overrun'];
  };
  return {
    spent: BigInt(spent),
    reserved: BigInt(reserved),
    currency,
    caps: caps.map((cap) => ({
      ...cap,
      limit: BigInt(cap.limit),
      spent: BigInt(cap.spent),
      reserved: BigInt(cap.reserved),
    })),
    overrun,
  };
}

/** The caps of a session as its run's row keeps them, for whoever looks at the run from outside. */
export interface KeptCaps {
  readonly caps: readonly Cap[];
  readonly currency: string;
  /** In which their months begin. */
  readonly timezone: string;
}

export function packCaps({ caps, currency, timezone }: KeptCaps): string {
  return JSON.stringify({ currency, timezone, caps: caps.map((cap) => ({ ...cap, limit: `${cap.limit}` })) });
}

/** A run of a time before there were caps has none. */
export function unpackCaps(text: string | null): KeptCaps {
  if (text === null) return { caps: [], currency: '', timezone: 'UTC' };
  const { caps, ...rest } = readStored(text) as Omit<KeptCaps, 'caps'> & {
    readonly caps: readonly (Omit<Cap, 'limit'> & { readonly limit: string })[];
  };
  return { ...rest, caps: caps.map((cap) => ({ ...cap, limit: BigInt(cap.limit) })) };
}
