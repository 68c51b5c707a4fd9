/** Opens what an estimate may know: the ledger of a state folder if there is one, and never a new one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Foresight } from '../domain/foresight.ts';
import type { Pipeline } from '../domain/settings.ts';
import { openEmptyDatabase, openHeldDatabase, openScratchDatabase } from './sqlite/database.ts';
import { loadDriver } from './sqlite/driver.ts';
import { openPostgresDatabase, type PostgresOpening } from './postgres-ledger.ts';
import { makeForesight, seenSchema } from './sql/foresight.ts';

/** @throws `Stop` where the driver cannot be loaded, or the ledger is damaged, out of reach or too new */
export async function openForesight(options: {
  readonly folder: string;
  /** Present where the ledger is on PostgreSQL. */
  readonly postgres?: PostgresOpening | undefined;
  readonly pipeline: Pipeline;
  readonly nowMs: number;
  /** Of the run that is to follow: it begins anew, or goes on with one however old. */
  readonly startNew?: boolean | undefined;
  readonly resumeAnyAge?: boolean | undefined;
}): Promise<Foresight> {
  const { folder, postgres, ...scope } = options;
  const driver = await loadDriver();
  const path = join(folder, 'ledger.db');
  const canKeep = postgres !== undefined || existsSync(path);
  const db = postgres
    ? await openPostgresDatabase(postgres)
    : canKeep
      ? await openHeldDatabase(path, driver)
      : openEmptyDatabase(driver);
  try {
    const scratch = openScratchDatabase(driver, seenSchema);
    return await makeForesight({ ...scope, db, scratch, canKeep });
  } catch (error) {
    await db.close();
    throw error;
  }
}
