/** A hundredth of the schedules over the ledger on PostgreSQL, where a step takes a hundred times as long. */
import { expect, test } from 'vitest';
import { describePostgres } from '../support/postgres-suite.ts';
import { chooseSeeds } from './half.ts';
import { PostgresStore } from './postgres-store.ts';
import { Theatre } from './simulate.ts';
import { describeFaults, playSeeds } from './tour.ts';

const part = 100;

describePostgres('the simulation over PostgreSQL', (server) => {
  test('holds what it holds over a file', async () => {
    const theatre = new Theatre(new PostgresStore(server.access));
    const seeds = chooseSeeds(part);
    const { faults, kills, lost } = await playSeeds(seeds, undefined, 5, undefined, theatre);
    expect({ faults: describeFaults(faults), hasMetTrouble: seeds.length === 1 || kills + lost > 0 }).toEqual(
      {
        faults: '',
        hasMetTrouble: true,
      },
    );
  }, 3_600_000);
});
