/** What the ledger knows of a reuse key, and the end that it gives to a task without a call. */
import type { TaskError } from '../../domain/ledger.ts';
import type { TaskState } from '../../domain/task.ts';
import type { Database } from './database.ts';
import { after, type Soon } from './soon.ts';
import type { Session } from './session.ts';
import { readStored } from './stored.ts';

export interface Known {
  /** The key's id. */
  readonly key: number;
  readonly submissions: number;
  /** Id of the latest answer that counts for this run. */
  readonly answer: number | null;
  /** JSON: error of a failure that is still remembered. */
  readonly failure: string | null;
  /** The attempt that waits for a person. */
  readonly held: number | null;
  /** The open attempt. */
  readonly open: number | null;
}

/** For a query with a table `keys AS k`; takes the values of `bindKnown` first. */
export const knownColumns = `
  k.id AS key, k.submissions, k.held,
  (SELECT n.id FROM answers AS n WHERE n.key = k.id AND (n.run = ? OR n.at_ms >= ?)
   ORDER BY n.id DESC LIMIT 1) AS answer,
  CASE WHEN k.failed_ms >= ? THEN k.failure END AS failure,
  (SELECT a.id FROM attempts AS a WHERE a.key = k.id AND a.state IN ('intent', 'accepted')) AS open`;

/** Whose answers and failures count. */
export type Reach = Pick<Session, 'run' | 'answeredSinceMs' | 'failedSinceMs'>;

export function bindKnown({ run, answeredSinceMs, failedSinceMs }: Reach): [number, number, number] {
  return [run, answeredSinceMs, failedSinceMs];
}

/** For each of these reuse keys, in their order; `undefined` where one was never seen. */
export function findKnown(
  reach: Reach & { readonly db: Database },
  reuseKeys: readonly string[],
): Soon<readonly (Known | undefined)[]> {
  const found = reach.db.each<Known>(
    `SELECT ${knownColumns} FROM keys AS k WHERE k.key = ?`,
    reuseKeys.map((reuseKey) => [...bindKnown(reach), reuseKey]),
  );
  return after(found, (rows) => rows.map(([known]) => known));
}

/** Of a key that was never seen. */
export function addKey({ db }: Pick<Session, 'db'>, reuseKey: string): Known {
  const key = db.insert('keys', { key: reuseKey });
  return { key, submissions: 0, answer: null, failure: null, held: null, open: null };
}

/** An end without a call. */
export interface Settlement {
  readonly state: Extract<TaskState, 'reused' | 'failed' | 'held'>;
  readonly reason: string;
  readonly answer: number | null;
  /** JSON */
  readonly error: string | null;
}

/** An answer comes before all else: it was paid for. */
export function settleKey(db: Database, known: Known): Soon<Settlement | undefined> {
  if (known.answer !== null) return { state: 'reused', reason: '', answer: known.answer, error: null };
  if (known.held !== null) return after(readAttemptError(db, known.held), settleHeld);
  if (known.failure !== null) return settleFailed(known.failure);
  return undefined;
}

export function settleFailed(error: string): Settlement {
  return { state: 'failed', reason: readClass(error), answer: null, error };
}

export function settleHeld(error: string): Settlement {
  return { state: 'held', reason: readClass(error), answer: null, error };
}

/** Of a call that may have reached the vendor and cannot be asked for. */
export function makeUnknownFate(cause: string): string {
  return packError({ class: 'unknown-fate', code: '', message: cause });
}

export function packError({ class: name, code, httpStatus, message }: TaskError): string {
  return JSON.stringify({ class: name, code, httpStatus, message });
}

export function unpackError(error: string): TaskError {
  return readStored(error) as TaskError;
}

function readClass(error: string): string {
  return unpackError(error).class;
}

function readAttemptError(db: Database, attempt: number): Soon<string> {
  const found = db.get<{ error: string | null }>('SELECT error FROM attempts WHERE id = ?', [attempt]);
  return after(found, (row) => row?.error ?? makeUnknownFate('its attempt is not in the ledger any more'));
}
