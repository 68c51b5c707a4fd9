/** A ledger in a file, which each process opens and closes as the program does. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { SqlLedger } from '../../src/store/sql/sql-ledger.ts';
import { openAgain, openDatabase } from '../../src/store/sqlite/database.ts';
import type { LedgerOpening, OpenLedger, SimStore } from './sim-store.ts';

export class FileStore implements SimStore {
  readonly #root = makeRoot();
  readonly #folder = join(this.#root, 'state');
  readonly #path = join(this.#folder, 'ledger.db');

  constructor() {
    void openDatabase(join(this.#root, 'empty.db'), Sqlite).close();
  }

  async empty(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder);
    // Copied rather than made: the tables of an empty ledger take longer than a session.
    copyFileSync(join(this.#root, 'empty.db'), this.#path);
  }

  async open({ now, readsAhead }: LedgerOpening): Promise<OpenLedger> {
    const db = openDatabase(this.#path, Sqlite);
    const writer = openAgain(this.#path, Sqlite, readsAhead);
    const abandon = async () => {
      await writer.close();
      await db.close();
    };
    return { ledger: new SqlLedger({ db, openWriter: async () => writer, now }), db, abandon };
  }

  async close(): Promise<void> {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Memory that behaves as a disk: the file system of /dev/shm where there is one. */
function makeRoot(): string {
  const shared = statSync('/dev/shm', { throwIfNoEntry: false });
  return mkdtempSync(join(shared?.isDirectory() ? '/dev/shm' : tmpdir(), 'mediasweep-simulation-'));
}
