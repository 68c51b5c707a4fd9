/** Every kind of ledger, for the suites that hold all of them to the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import type { Ledger } from '../../src/domain/ledger.ts';
import type { Database } from '../../src/store/sql/database.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { openPostgresDatabase, openPostgresLedger } from '../../src/store/postgres-ledger.ts';
import { openAgain } from '../../src/store/sqlite/database.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openBuiltLedger } from './built-ledger.ts';
import {
  findMissingForPostgres,
  makeSchema,
  removeSchema,
  startPostgres,
  type TestServer,
} from './postgres.ts';

/** A place for one ledger, which any number of processes may open. */
export interface LedgerPlace {
  /** As `test/store/ledger-worker.ts` takes it, a process of its own: a folder, or where a server is, as JSON. */
  readonly word: string;
  open(clock: Pick<Clock, 'now'>): Promise<Ledger>;
  /** The tables of a ledger that is there; whoever asks closes them. */
  look(): Promise<Database>;
  remove(): Promise<void>;
}

export interface LedgerKind {
  readonly name: string;
  /** Programs that it needs and that are not here. */
  readonly missing: readonly string[];
  /** As another one of the list, but written by a thread. */
  readonly isThreaded?: true;
  /** So many times less is tried of it where much is tried, since each step takes longer. */
  readonly pains: number;
  readonly makePlace: () => Promise<LedgerPlace>;
}

type OpenFile = (options: { readonly folder: string; readonly clock: Pick<Clock, 'now'> }) => Promise<Ledger>;

async function makeFolder(open: OpenFile): Promise<LedgerPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-ledger-'));
  return {
    word: folder,
    open: (clock) => open({ folder, clock }),
    look: async () => openAgain(join(folder, 'ledger.db'), Sqlite),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Called by a suite once, at its beginning: what it starts ends with the suite. */
export function listLedgers(): readonly LedgerKind[] {
  let server: Promise<TestServer> | undefined;
  afterAll(async () => {
    await (await server)?.stop();
  });
  return [
    { name: 'SQLite', missing: [], pains: 1, makePlace: () => makeFolder(openLedger) },
    {
      name: 'SQLite, written by a thread of its own',
      missing: [],
      isThreaded: true,
      pains: 20,
      makePlace: () => makeFolder((options) => openBuiltLedger({ ...options, isThreaded: true })),
    },
    {
      name: 'PostgreSQL',
      missing: findMissingForPostgres(),
      pains: 20,
      makePlace: async () => {
        server ??= startPostgres();
        const access = makeSchema((await server).access);
        return {
          word: JSON.stringify(access),
          open: (clock) => openPostgresLedger({ access, clock: { ...systemClock, now: () => clock.now() } }),
          look: () => openPostgresDatabase({ access, clock: systemClock }),
          remove: () => removeSchema(access),
        };
      },
    },
  ];
}
