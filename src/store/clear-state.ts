/** Empties a state folder that holds nothing worth keeping: the rehearsal's. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireRunLock, type LockHolder } from './run-lock.ts';
import { explainFileError } from './trouble.ts';

/**
 * Removes the ledger of the folder and its backups, under the pipeline's lock. Throws a `Stop` with exit 6 where a run is alive there, and
 * with exit 2 where the files cannot be removed.
 */
export async function clearState(folder: string, pipeline: string, holder: LockHolder): Promise<void> {
  const release = await acquireRunLock(folder, pipeline, holder);
  try {
    for (const name of ['ledger.db.seal', 'ledger.db', 'ledger.db-wal', 'ledger.db-shm']) {
      const path = join(folder, name);
      await rm(path, { force: true }).catch((error: unknown) => {
        throw explainFileError('ledger', path, error);
      });
    }
    const backups = join(folder, 'backups');
    await rm(backups, { recursive: true, force: true }).catch((error: unknown) => {
      throw explainFileError('backups', backups, error);
    });
  } finally {
    release();
  }
}
