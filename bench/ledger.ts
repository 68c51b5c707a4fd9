/**
 * Task transitions per second, durable and in groups, against raw SQL in a database of the same settings: the raw side
 * writes one intent and one answer a task into two tables, and keeps no counts, sums, positions or archive.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { PlanPage } from '../src/domain/ledger.ts';
import type { Task } from '../src/domain/task.ts';
import { openLedger } from '../src/store/ledger.ts';
import { systemClock } from '../src/wire/clock.ts';
import { answerAll, openBenchPipeline } from './filled-ledger.ts';
import { type Comparison, compare } from './measure.ts';
import { makeProject } from './project.ts';

const group = 100;

export async function benchLedger(tasks: number, pairs: number): Promise<readonly Comparison[]> {
  const project = await makeProject({ count: 1, port: 9 });
  try {
    return [
      await compare(
        `${tasks} tasks through a durable intent and a durable answer, in groups of ${group}`,
        'transitions/s',
        'two rows a task in raw SQL',
        pairs,
        () => measureOurs(project.folder, tasks),
        () => measureRaw(tasks),
      ),
    ];
  } finally {
    await project.remove();
  }
}

async function measureOurs(folder: string, count: number): Promise<number> {
  const state = await mkdtemp(join(tmpdir(), 'mediasweep-bench-'));
  const pipeline = await openBenchPipeline(folder);
  const ledger = await openLedger({ folder: state, clock: systemClock });
  try {
    const run = await ledger.openRun({ pipeline, nowMs: Date.now(), billing: new Map() });
    const tasks: Task[] = [];
    for (let from = 0; from < count; from += 500) tasks.push(...(await run.plan(makePage(from, 500))));
    const begin = performance.now();
    await answerAll(pipeline, run, tasks);
    return (2 * count) / ((performance.now() - begin) / 1000);
  } finally {
    await ledger.close();
    await rm(state, { recursive: true });
  }
}

/** Items with one task each. */
export function makePage(from: number, size: number, prefix = ''): PlanPage {
  const usage = { units: { 'pai/basic': 1 }, basis: 'observed' } as const;
  const items = Array.from({ length: size }, (_, index) => {
    const id = `images/${prefix}${String(from + index).padStart(8, '0')}.jpg`;
    return {
      item: {
        id,
        position: Buffer.from(id),
        kind: 'image' as const,
        etag: `etag-${from + index}`,
        sizeBytes: 1000,
      },
      tasks: [{ service: 'pai/image-quality', account: 'bench', reuseKey: `key-${id}`, usage }],
      notApplicable: 0,
    };
  });
  return { items, unselected: 0, broken: [], isLast: false };
}

async function measureRaw(count: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-bench-'));
  const db = new Sqlite(join(folder, 'raw.db'));
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.exec(
      'CREATE TABLE tasks (id INTEGER PRIMARY KEY, state TEXT, intended_ms INTEGER); CREATE TABLE answers (id INTEGER PRIMARY KEY, task INTEGER, finding TEXT, body TEXT)',
    );
    const intend = db.prepare(`INSERT INTO tasks VALUES (?, 'intent', ?)`);
    const store = db.prepare('INSERT INTO answers VALUES (?, ?, ?, ?)');
    const end = db.prepare(`UPDATE tasks SET state = 'answered' WHERE id = ?`);
    const intendAll = db.transaction((from: number) => {
      for (let id = from; id < from + group; id += 1) intend.run(id, Date.now());
    });
    const endAll = db.transaction((from: number) => {
      for (let id = from; id < from + group; id += 1) {
        store.run(id, id, '{"labels":[],"metrics":{"iqa_result":66.88}}', 'x'.repeat(150));
        end.run(id);
      }
    });
    const begin = performance.now();
    for (let from = 1; from <= count; from += group) {
      intendAll.immediate(from);
      endAll.immediate(from);
    }
    return (2 * count) / ((performance.now() - begin) / 1000);
  } finally {
    db.close();
    await rm(folder, { recursive: true });
  }
}
