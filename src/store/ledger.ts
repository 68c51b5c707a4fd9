/** Opens the ledger of a state folder. */
import { join } from 'node:path';
import type { Clock } from '../domain/clock.ts';
import type { Ledger } from '../domain/ledger.ts';
import { SqlLedger } from './sql/sql-ledger.ts';
import { openAgain, openHeldDatabase } from './sqlite/database.ts';
import { loadDriver } from './sqlite/driver.ts';
import { ThreadWriter } from './sqlite/thread-writer.ts';

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
  const path = join(options.folder, 'ledger.db');
  const now = () => options.clock.now();
  return new SqlLedger({
    db: await openHeldDatabase(path, driver),
    openWriter: async () => openAgain(path, driver),
    now,
    ...(options.isThreaded === true && { openThread: (opening) => ThreadWriter.open(path, opening, now) }),
  });
}
