/** Reads what was spent: sums that commits keep, by day; and entries one by one with their items, for sums by prefix. */
import type {
  CostQuestion,
  ItemUsage,
  JobQuestion,
  JobUsage,
  UsageRow,
  UsageSums,
} from '../../domain/cost.ts';
import { groupBy } from '../../domain/group.ts';
import type { Basis } from '../../domain/usage.ts';
import type { Database, Value } from './database.ts';
import { unpackItem } from './item-facts.ts';

interface Booked {
  readonly pipeline: string;
  readonly account: string;
  readonly is_loopback: number;
  readonly sku: string;
  readonly basis: Basis;
  readonly units: number;
  readonly free: number;
  readonly pack: number;
  /** As text: it may pass what a number holds exactly. */
  readonly charge: string;
  readonly incomplete: number;
}

/** By day, pipeline, account and SKU; as many rows as there are of these, however many tasks there were. */
export async function readUsageRows(db: Database, question: CostQuestion): Promise<readonly UsageRow[]> {
  const { where, values } = choose('substr(t.day, 1, 7)', question);
  const rows = await db.all<Booked & { readonly day: string }>(
    `SELECT t.day, r.pipeline, t.account, t.is_loopback, t.sku, t.basis, sum(t.units) AS units, sum(t.free) AS free,
       sum(t.pack) AS pack, CAST(sum(t.charge) AS TEXT) AS charge, sum(t.incomplete) AS incomplete
     FROM totals AS t JOIN runs AS r ON r.seq = t.run WHERE ${where}
     GROUP BY t.day, r.pipeline, t.account, t.is_loopback, t.sku, t.basis ORDER BY t.day`,
    values,
  );
  const nameOf = ({ day, pipeline, account, is_loopback, sku }: (typeof rows)[number]) =>
    JSON.stringify([day, pipeline, account, is_loopback, sku]);
  return [...groupBy(rows, nameOf).values()].map((group) => {
    const [{ day, pipeline, account, is_loopback, sku }] = group as [(typeof rows)[number]];
    return { day, pipeline, account, isLoopback: is_loopback === 1, sku, ...sumBooked(group) };
  });
}

/** Entries with an id above `afterId`, by id. They are only ever added, so that pages of them are a whole while a run goes on. */
export async function readItemUsage(
  db: Database,
  question: CostQuestion,
  afterId: number,
  limit: number,
): Promise<readonly ItemUsage[]> {
  const { where, values } = choose('e.month', question);
  const rows = await db.all<
    Booked & {
      readonly id: number;
      readonly month: string;
      readonly name: string | null;
      readonly position: Uint8Array | null;
      readonly facts: string | null;
    }
  >(
    `SELECT e.id, e.month, r.pipeline, e.account, e.is_loopback, e.sku, e.basis, e.units, e.free, e.pack,
       CAST(e.charge AS TEXT) AS charge, 1 - e.is_complete AS incomplete, i.name, i.position, i.facts
     FROM entries AS e JOIN runs AS r ON r.seq = e.run LEFT JOIN tasks AS t ON t.id = e.task
       LEFT JOIN items AS i ON i.id = t.item
     WHERE e.id > ? AND ${where} ORDER BY e.id LIMIT ?`,
    [afterId, ...values, limit],
  );
  return rows.map((row) => {
    const { id, month, pipeline, account, is_loopback, sku, name, position, facts } = row;
    const isKnown = name !== null && position !== null && facts !== null;
    return {
      id,
      month,
      pipeline,
      account,
      isLoopback: is_loopback === 1,
      sku,
      ...sumBooked([row]),
      ...(isKnown && { item: unpackItem({ name, position, facts }) }),
    };
  });
}

/** What was booked for these jobs; a batch has several attempts. */
export async function readJobUsage(
  db: Database,
  question: JobQuestion,
  jobs: readonly string[],
): Promise<readonly JobUsage[]> {
  return await readJobs(db, question, 'a.job IN LIST(?)', jobs);
}

/** A page of attempts that became jobs, by their ids. */
export async function listJobUsage(
  db: Database,
  question: JobQuestion,
  afterAttempt: number,
  limit: number,
): Promise<{ readonly rows: readonly JobUsage[]; readonly last?: number | undefined }> {
  const { account, isLoopback } = question;
  const attempts = await db.all<{ id: number }>(
    `SELECT id FROM attempts WHERE id > ? AND account = ? AND is_loopback = ? AND job IS NOT NULL ORDER BY id LIMIT ?`,
    [afterAttempt, account, Number(isLoopback), limit],
  );
  const ids = attempts.map(({ id }) => id);
  const rows = await readJobs(db, question, 'a.id IN LIST(?)', ids);
  return { rows, ...(ids.length === limit && { last: ids.at(-1) }) };
}

async function readJobs(
  db: Database,
  { account, isLoopback, month }: JobQuestion,
  which: string,
  value: readonly (string | number)[],
): Promise<readonly JobUsage[]> {
  const rows = await db.all<Booked & { readonly attempt: number; readonly job: string }>(
    `SELECT a.id AS attempt, a.job, e.sku, e.basis, sum(e.units) AS units, sum(e.free) AS free, sum(e.pack) AS pack,
       CAST(sum(e.charge) AS TEXT) AS charge, sum(1 - e.is_complete) AS incomplete
     FROM attempts AS a JOIN entries AS e ON e.attempt = a.id
     WHERE ${which} AND a.account = ? AND a.is_loopback = ? AND e.month = ?
     GROUP BY a.id, a.job, e.sku, e.basis ORDER BY a.id`,
    [value, account, Number(isLoopback), month],
  );
  return [...groupBy(rows, ({ attempt, sku }) => `${attempt} ${sku}`).values()].map((group) => {
    const [{ attempt, job, sku }] = group as [(typeof rows)[number]];
    return { attempt, job, sku, ...sumBooked(group) };
  });
}

function choose(monthColumn: string, { month, pipeline }: CostQuestion): { where: string; values: Value[] } {
  const conditions = [
    ...(month === undefined ? [] : [[`${monthColumn} = ?`, month] as const]),
    ...(pipeline === undefined ? [] : [['r.pipeline = ?', pipeline] as const]),
  ];
  return {
    where: conditions.length === 0 ? '1 = 1' : conditions.map(([text]) => text).join(' AND '),
    values: conditions.map(([, value]) => value),
  };
}

function sumBooked(rows: readonly Booked[]): UsageSums {
  const sum = (pick: (row: Booked) => number) => rows.reduce((total, row) => total + pick(row), 0);
  const sumOf = (basis: Basis) => sum((row) => (row.basis === basis ? row.units : 0));
  return {
    observed: sumOf('observed'),
    estimated: sumOf('estimated'),
    uncertain: sumOf('uncertain'),
    free: sum((row) => row.free),
    pack: sum((row) => row.pack),
    charge: rows.reduce((total, row) => total + BigInt(row.charge), 0n),
    isComplete: rows.every((row) => row.incomplete === 0),
  };
}
