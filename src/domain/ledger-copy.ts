/** A ledger on its way to another database. */

export interface CopyProgress {
  readonly table: string;
  /** Rows that were sent so far, of all tables. */
  readonly rows: number;
}

export interface CopiedLedger {
  readonly from: string;
  /** Without a password. */
  readonly to: string;
  readonly rows: number;
  readonly tables: readonly { readonly table: string; readonly rows: number }[];
}
