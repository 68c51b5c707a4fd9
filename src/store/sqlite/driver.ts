/** Loads the native SQLite driver, or says how to mend it. */
import type Sqlite from 'better-sqlite3';
import { describeError, wrongUse } from '../../domain/problem.ts';

export type Driver = typeof Sqlite;

/**
 * The driver, proved by opening a database in memory: it finds its native part only then.
 *
 * @throws `Stop` with exit 2 where the native part is missing or was built for another Node.
 */
export async function loadDriver(
  importDriver: () => Promise<{ readonly default: Driver }> = () => import('better-sqlite3'),
): Promise<Driver> {
  try {
    const { default: driver } = await importDriver();
    new driver(':memory:').close();
    return driver;
  } catch (error) {
    // Node's own words run over several lines; the first sentence says it.
    const words = describeError(error).replaceAll(/\s+/g, ' ').split('. ', 1)[0] ?? '';
    throw wrongUse(
      `ledger: the SQLite driver cannot be loaded by Node ${process.version}: ${words}. Run: npm rebuild better-sqlite3`,
    );
  }
}
