/**
 * The command killed with SIGKILL at random moments, over and over, until it is done; bills are counted by the vendors'
 * stand-ins. `MEDIASWEEP_KILLS=400` asks for more kills than the handful of a normal run, `MEDIASWEEP_FIRST_SEED` for others.
 */
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openWorld, type OutsideWorld, putVariants } from '../support/outside-world.ts';
import { Chance } from '../simulation/chance.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: pai/image-quality
  - { use: qiniu/video-censor, options: { ops: [{ op: pulp }], vframe: { mode: 0, interval: 1 } } }
`;
const killsOfRound = 6;
const images = 90;
const videos = 30;
/** Of the rehearsal's PAI account: calls at once, and intents that may be ahead of their flight. */
const mostLostAtKill = 8 + 1;

const rounds = Math.max(
  1,
  Math.round(Number(process.env['MEDIASWEEP_KILLS'] ?? killsOfRound) / killsOfRound),
);
const firstSeed = Number(process.env['MEDIASWEEP_FIRST_SEED'] ?? 1);

test.each(
  Array.from({ length: rounds }, (_, index) => firstSeed + index),
)('killed again and again (seed %i), the command loses no answer, submits no video twice, and admits every repeated call', async (seed) => {
  const chance = new Chance(seed);
  const world = await openWorld({
    seed: `kill-loop-${seed}`,
    delayMs: chance.whole(20, 250),
    jobMs: chance.magnitude(100, 3000),
    slowDown: chance.between(0, 0.05),
    serverError: chance.between(0, 0.03),
    resetBefore: chance.between(0, 0.05),
    resetAfter: chance.between(0, 0.05),
  });
  await putVariants(world, images, 'image/jpeg');
  await putVariants(world, videos, 'video/mp4');
  const path = await world.writePipeline('kill-loop', pipeline);

  let kills = 0;
  let inFlight = 0;
  while (kills < killsOfRound && (await killOnce(world, path, chance))) {
    kills += 1;
    const open = await countOpenCalls(world);
    expect(open).toBeLessThanOrEqual(mostLostAtKill);
    inFlight += open;
  }
  const { exitCode, err } = await world.run('run', path);
  expect(err).not.toContain('mistake');
  // 1 where a call was in flight at so many kills that it is held for a person.
  expect([0, 1]).toContain(exitCode);

  const folder = join(world.folder, 'reports', 'kill-loop', 'latest');
  const { counts } = JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8'));
  expect(counts).toMatchObject({ items: images + videos, open: 0, failed: 0 });
  expect(counts.answered + counts.reused + counts.held).toBe(images + videos);

  const qiniu = Object.values(world.emulators['qiniu']?.state().submitted ?? {});
  expect(qiniu.filter((times) => times > 1)).toEqual([]);
  expect(qiniu.length).toBeGreaterThanOrEqual(videos - counts.held);

  const pai = world.emulators['pai']?.state();
  const repeated = Object.values(pai?.submitted ?? {}).reduce((sum, times) => sum + times - 1, 0);
  const books = await readBooks(world);
  expect(repeated).toBeLessThanOrEqual(books.uncertain);
  expect(pai?.units['pai/basic']).toBeLessThanOrEqual(books.known + books.uncertain);
  expect(books.known).toBeGreaterThanOrEqual(images - counts.held);
  expect(books.known).toBeLessThanOrEqual(images);
  // What is uncertain for want of a reply is no more than was in flight or ahead at the kills.
  expect(books.uncertainByKill).toBeLessThanOrEqual(inFlight);
  process.stdout.write(
    `kill loop, seed ${seed}: ${kills} kills, ${inFlight} calls in flight or ahead at them, ` +
      `PAI ${books.uncertain} units uncertain (${books.uncertainByKill} by kills), ${repeated} calls repeated, ` +
      `Qiniu ${qiniu.length} vids, 0 twice, ${counts.held} held, 0 answers lost\n`,
  );
}, 300_000);

/** Kills one session at a random moment of its life. False where it was done before. */
async function killOnce(world: OutsideWorld, path: string, chance: Chance): Promise<boolean> {
  const countRequests = () =>
    Object.values(world.emulators).reduce((sum, emulator) => sum + emulator.state().requests, 0);
  const { process: command, ended } = world.start('run', path);
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  if (chance.isTrue(0.1)) {
    // Some die before they have begun anything.
    await sleep(chance.whole(0, 700));
  } else {
    const enough = countRequests() + chance.magnitude(1, 150);
    // A search for lost submissions is quiet for ten seconds: some die in it, the others do not wait for it.
    const until = performance.now() + chance.whole(2000, 8000);
    while (countRequests() < enough && performance.now() < until && !isOver) await sleep(1);
    await sleep(chance.whole(0, 40));
  }
  command.kill('SIGKILL');
  return (await ended).signal === 'SIGKILL';
}

/** Looks into a copy, so that the next session itself has to mend what the kill left behind. */
async function withLedgerCopy<Value>(
  world: OutsideWorld,
  read: (db: Sqlite.Database) => Value,
): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-kill-loop-'));
  try {
    for (const name of ['ledger.db', 'ledger.db-wal']) {
      const path = join(world.folder, '.mediasweep', name);
      if (existsSync(path)) await copyFile(path, join(folder, name));
    }
    const db = new Sqlite(join(folder, 'ledger.db'));
    try {
      return read(db);
    } finally {
      db.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** PAI calls of which nobody knows, after a kill, whether they arrived. */
async function countOpenCalls(world: OutsideWorld): Promise<number> {
  return await withLedgerCopy(world, (db) => {
    const isMade = db.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'attempts'`).get();
    if (!isMade) return 0;
    const row = db
      .prepare(`SELECT count(*) AS count FROM attempts WHERE state = 'intent' AND account LIKE 'pai%'`)
      .get() as { count: number };
    return row.count;
  });
}

/** What the ledger admits for PAI, over all runs. */
async function readBooks(
  world: OutsideWorld,
): Promise<{ readonly known: number; readonly uncertain: number; readonly uncertainByKill: number }> {
  return await withLedgerCopy(world, (db) => {
    const sum = (where: string) =>
      (
        db
          .prepare(
            `SELECT coalesce(sum(e.units), 0) AS units FROM entries AS e JOIN attempts AS a ON a.id = e.attempt
             WHERE e.sku = 'pai/basic' AND ${where}`,
          )
          .get() as { units: number }
      ).units;
    return {
      known: sum(`e.basis <> 'uncertain'`),
      uncertain: sum(`e.basis = 'uncertain'`),
      uncertainByKill: sum(`e.basis = 'uncertain' AND a.error LIKE '%ended before a reply%'`),
    };
  });
}
