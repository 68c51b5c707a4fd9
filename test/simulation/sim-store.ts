/** Where the ledger of a schedule lies, and how the processes of it open that: the database is a parameter of the world. */
import type { Database } from '../../src/store/sql/database.ts';
import type { SqlLedger } from '../../src/store/sql/sql-ledger.ts';

export interface LedgerOpening {
  readonly now: () => number;
  /** Reads ahead, as it would over a network. */
  readonly readsAhead: boolean;
}

/** The ledger as one process has opened it. */
export interface OpenLedger {
  readonly ledger: SqlLedger;
  /** Sees what is committed. */
  readonly db: Database;
  /** The process is gone: what it had not committed never happened. */
  readonly abandon: () => Promise<void>;
}

export interface SimStore {
  /** Before a schedule: the ledger knows of nothing. Whatever an earlier schedule had open is closed. */
  empty(): Promise<void>;
  open(opening: LedgerOpening): Promise<OpenLedger>;
  close(): Promise<void>;
}
