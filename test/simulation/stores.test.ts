import { expect, test } from 'vitest';
import { FileStore } from './file-store.ts';
import { MemoryStore } from './memory-store.ts';
import type { SimStore } from './sim-store.ts';
import type { Played } from './simulate.ts';
import { Theatre } from './simulate.ts';

const seeds = Array.from({ length: 12 }, (_, index) => 7001 + index);

test('a schedule comes to the same in memory as in a file that each process opens as the program does', async () => {
  expect(await playAll(new MemoryStore())).toEqual(await playAll(new FileStore()));
});

async function playAll(store: SimStore): Promise<unknown[]> {
  const theatre = new Theatre(store);
  try {
    const ends: unknown[] = [];
    for (const seed of seeds) ends.push(describeEnd(await theatre.play(seed)));
    return ends;
  } finally {
    await theatre.close();
  }
}

function describeEnd({ pipelines, vendor, network, booked, lostAtEnds }: Played): unknown {
  const { carried } = vendor;
  const ends = pipelines.map(({ rows, counts, counters, runs }) => ({ rows, counts, counters, runs }));
  return { ends, carried, told: network.told, departures: network.departures, booked, lostAtEnds };
}
