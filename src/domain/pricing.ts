/** What units cost: price books, this month's position, and the charge of more units. Exact, in integers. */

/** Money in billionths of its currency. Sums never leave integers. */
export type Nano = bigint;

export interface Tier {
  /** Last unit of the month that this tier prices; absent for the last tier. */
  readonly upTo?: number | undefined;
  /** Price of `per` units. */
  readonly price: Nano;
}

export interface SkuPrice {
  readonly sku: string;
  readonly unit: string;
  /** How many units a price is for. */
  readonly per: number;
  /** Graduated over the calendar month; absent where the price is unknown. */
  readonly tiers?: readonly Tier[] | undefined;
  readonly free?: { readonly units: number; readonly per: 'once' | 'month' } | undefined;
  readonly currency: string;
  /** IANA zone in which the vendor's month begins and ends. */
  readonly timezone: string;
  readonly source?: string | undefined;
  readonly readOn?: string | undefined;
}

export interface PriceBook {
  readonly currency: string;
  readonly timezone: string;
  readonly skus: ReadonlyMap<string, SkuPrice>;
}

export interface Pack {
  readonly units: number;
  /** Last day on which it serves, `YYYY-MM-DD` in the price book's zone. */
  readonly expires: string;
  readonly cost: Nano;
}

/** What the ledger cannot know of an account's SKU: `billing:` of the account. */
export interface BillingFacts {
  readonly freeUsed: number;
  /** Units already used outside this ledger, by month `YYYY-MM`. */
  readonly usedThisMonth: Readonly<Record<string, number>>;
  readonly packs: readonly Pack[];
}

/** How far an account has come with one SKU; plain data that the ledger keeps. */
export interface Position {
  /** Units of the free-once quota that this ledger has used. */
  readonly freeOnce: number;
  /** By pack, in the order of `BillingFacts.packs` sorted by expiry: `expires#units` to units used. */
  readonly packs: Readonly<Record<string, number>>;
  /** By month: units that advanced the tiers, and monthly free units used. */
  readonly months: Readonly<Record<string, { readonly tier: number; readonly free: number }>>;
}

export const startPosition: Position = { freeOnce: 0, packs: {}, months: {} };

export interface Charge {
  readonly amount: Nano;
  readonly freeUnits: number;
  readonly packUnits: number;
  /** False where the SKU has no price: the units stand in the report, the total is incomplete. */
  readonly isComplete: boolean;
  readonly position: Position;
}
