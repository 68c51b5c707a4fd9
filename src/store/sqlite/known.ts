/** What the ledger knows of a reuse key, and the end that it gives to a task without a call. */
import type { TaskError } from '../../domain/ledger.ts';
import type { TaskState } from '../../domain/task.ts';
import type { Database } from './database.ts';
import type { Session } from './session.ts';

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

/** `undefined` where the key was never seen. */
export function findKnown(session: Reach & Pick<Session, 'db'>, reuseKey: string): Known | undefined {
  return session.db.get<Known>(`SELECT ${knownColumns} FROM keys AS k WHERE k.key = ?`, [
    ...bindKnown(session),
    reuseKey,
  ]);
}

/** As `findKnown`, but makes the key known. */
export function internKey(session: Session, reuseKey: string): Known {
  const known = findKnown(session, reuseKey);
  if (known) return known;
  const key = session.db.insert('keys', { key: reuseKey });
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
export function settleKey(db: Database, known: Known): Settlement | undefined {
  if (known.answer !== null) return { state: 'reused', reason: '', answer: known.answer, error: null };
  if (known.held !== null) return settleHeld(readAttemptError(db, known.held));
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
  return JSON.parse(error) as TaskError;
}

function readClass(error: string): string {
  return unpackError(error).class;
}

function readAttemptError(db: Database, attempt: number): string {
  const row = db.get<{ error: string | null }>('SELECT error FROM attempts WHERE id = ?', [attempt]);
  return row?.error ?? makeUnknownFate('its attempt is not in the ledger any more');
}
