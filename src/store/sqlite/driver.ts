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
    const lasting = makeLasting(driver);
    new lasting(':memory:').close();
    return lasting;
  } catch (error) {
    // Node's own words run over several lines; the first sentence says it.
    const words = describeError(error).replaceAll(/\s+/g, ' ').split('. ', 1)[0] ?? '';
    throw wrongUse(
      `ledger: the SQLite driver cannot be loaded by Node ${process.version}: ${words}. Run: npm rebuild better-sqlite3`,
    );
  }
}

const made: object[] = [];

/**
 * From Node 24.19 on the process aborts when the garbage collector takes a database or a statement of better-sqlite3 12
 * (`RemoveEnvironmentCleanupHook`, `(env) != nullptr`: WiseLibs/better-sqlite3#1515, read 2026-11-20), and version 13
 * does not run on Node 20. So none is ever given up: a process makes a few databases and some dozens of statements.
 */
function makeLasting(driver: Driver): Driver {
  if (Number.parseInt(process.versions.node, 10) < 24) return driver;
  return class extends driver {
    constructor(...given: ConstructorParameters<Driver>) {
      super(...given);
      made.push(this);
    }

    override prepare<Bind extends unknown[] | {} = unknown[], Result = unknown>(sql: string) {
      const statement = super.prepare<Bind, Result>(sql);
      made.push(statement);
      return statement;
    }

    /** The driver's own makes statements that we never see. */
    override pragma(sql: string, options?: Sqlite.PragmaOptions): unknown {
      const statement = this.prepare(`PRAGMA ${sql}`);
      if (!statement.reader) return statement.run();
      return options?.simple ? statement.pluck().get() : statement.all();
    }
  } as Driver;
}
