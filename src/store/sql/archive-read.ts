/** Reads archived replies back, with all that is needed to read an answer out of them again. */
import { inflateRawSync } from 'node:zlib';
import type { Finding } from '../../domain/finding.ts';
import type { ArchivedAnswer, ArchivedReply } from '../../domain/ledger.ts';
import type { Database } from './database.ts';
import { type ItemRow, unpackItem } from './item-facts.ts';
import { type RunRow, readServices } from './run-row.ts';
import { readStored } from './stored.ts';

interface StoredAnswer {
  readonly id: number;
  readonly task: number;
  readonly service: number;
  readonly finding: string;
  readonly attempt: number;
  readonly call: number;
  readonly job: string | null;
  readonly is_batch: number;
  readonly status: number | null;
  readonly body: Uint8Array | null;
  readonly is_deflated: number | null;
  readonly is_truncated: number | null;
}

interface StoredElement extends Omit<ItemRow, 'position'> {
  readonly id: number;
  readonly ref: string;
  readonly position: number;
  readonly place: Uint8Array;
}

/** Answers of tasks with an id above `afterTask`, by task. */
export async function readArchivedPage(
  db: Database,
  run: RunRow,
  afterTask: number,
  limit: number,
): Promise<readonly ArchivedAnswer[]> {
  const services = readServices(run);
  const rows = await db.all<StoredAnswer>(
    `SELECT n.id, t.id AS task, t.service, n.finding, a.id AS attempt, coalesce(a.call, a.id) AS call, a.job, a.is_batch,
       p.status, p.body, p.is_deflated, p.is_truncated
     FROM tasks AS t JOIN answers AS n ON n.id = t.answer JOIN attempts AS a ON a.id = n.attempt
       LEFT JOIN replies AS p ON p.id = a.reply
     WHERE t.run = ? AND t.id > ? ORDER BY t.id LIMIT ?`,
    [run.seq, afterTask, limit],
  );
  const answers: ArchivedAnswer[] = [];
  for (const row of rows) {
    const elements = await readElements(db, row);
    answers.push({
      id: row.id,
      task: row.task,
      service: services[row.service]?.name ?? '',
      finding: readStored(row.finding) as Finding,
      reply: readReply(row),
      job: row.job ?? undefined,
      isBatch: row.is_batch === 1,
      element: elements.findIndex(({ id }) => id === row.attempt),
      elements: elements.map(({ ref, position, place, name, facts }) => ({
        ref,
        position,
        item: unpackItem({ name, facts, position: place }),
      })),
    });
  }
  return answers;
}

async function readElements(db: Database, row: StoredAnswer): Promise<readonly StoredElement[]> {
  // The ids of one call's attempts follow one another; a batch has at most 100.
  const isBatch = row.is_batch === 1;
  const range = isBatch
    ? 'a.id >= ? AND a.id < CAST(? AS BIGINT) + 1000 AND (a.id = ? OR a.call = ?)'
    : 'a.id = ?';
  const values = isBatch ? [row.call, row.call, row.call, row.call] : [row.attempt];
  return await db.all<StoredElement>(
    `SELECT a.id, a.ref, a.position, i.name, i.facts, i.position AS place
     FROM attempts AS a JOIN tasks AS t ON t.id = a.task JOIN items AS i ON i.id = t.item
     WHERE ${range} ORDER BY a.position LIMIT 1000`,
    values,
  );
}

function readReply({ status, body, is_deflated, is_truncated }: StoredAnswer): ArchivedReply | undefined {
  if (status === null || body === null || is_truncated === 1) return undefined;
  const bytes = is_deflated === 1 ? inflateRawSync(body) : Buffer.from(body);
  return { status, body: bytes.toString('utf8') };
}
