/** Opens the ledger of a state folder. */
import { join } from 'node:path';
import type { Clock } from '../domain/clock.ts';
import type { Ledger } from '../domain/ledger.ts';
import { openDatabase } from './sqlite/database.ts';
import { loadDriver } from './sqlite/driver.ts';
import { SqliteLedger } from './sqlite/sqlite-ledger.ts';

/**
 * The ledger in `ledger.db` of the state folder, which is made where it is not there.
 *
 * @throws `Stop` where the driver cannot be loaded, or the file is damaged, cannot be written or is too new.
 */
export async function openLedger(options: {
  readonly folder: string;
  /** Tells when things ended. */
  readonly clock: Pick<Clock, 'now'>;
  /** Runs are written by a thread of their own: for a process that makes calls while it writes. */
  readonly isThreaded?: boolean | undefined;
}): Promise<Ledger> {
  const driver = await loadDriver();
  const db = openDatabase(join(options.folder, 'ledger.db'), driver);
  return new SqliteLedger(db, () => options.clock.now(), options.isThreaded);
}
