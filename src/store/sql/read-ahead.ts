/**
 * What the writes of one transaction are about to ask for, read in one go before the first of them: a group of sixty
 * transitions costs a shared database three questions. Whatever changes something about a reuse key or a task says so, and
 * is read anew from then on.
 */
import type { RunState } from '../../domain/ledger.ts';
import type { Database } from './database.ts';
import { after, type Soon } from './soon.ts';
import { bindKnown, type Known, knownColumns } from './known.ts';
import type { SessionTerms } from './session.ts';
import type { MovableTask } from './task-row.ts';

/** A task with what is known of its reuse key. */
export type KnownTask = Known & MovableTask & { readonly reuse_key: string };

/** An open attempt with its task. */
export interface OpenRow {
  readonly id: number;
  readonly key: number;
  readonly run: number;
  /** Of the run that sent it. */
  readonly pipeline: string;
  readonly account: string;
  readonly is_loopback: number;
  readonly attempt_state: string;
  readonly intended_ms: number;
  readonly task: number;
  readonly task_run: number;
  readonly service: number;
  readonly state: MovableTask['state'];
  readonly reason: string;
  readonly usage: string;
  readonly reserved: string | null;
  readonly is_marked: number;
  /** When it failed first, for one that was opened again. */
  readonly failed_ms: number | null;
  readonly task_run_state: RunState;
}

export type WaitingTask = MovableTask & { readonly is_fresh: number };

const taskSql = `SELECT ${knownColumns}, t.id, t.run, t.service, t.state, t.reason, k.key AS reuse_key
  FROM tasks AS t JOIN keys AS k ON k.id = t.key WHERE t.id = ?`;

const openSql = `SELECT a.id, a.key, a.run, s.pipeline, a.account, a.is_loopback, a.state AS attempt_state, a.intended_ms, a.reserved,
    t.id AS task, t.run AS task_run, t.service, t.state, t.reason, t.usage,
    k.failed_ms IS NOT NULL OR k.held IS NOT NULL OR k.acknowledged_ms IS NOT NULL AS is_marked,
    a.failed_ms, r.state AS task_run_state
  FROM attempts AS a JOIN tasks AS t ON t.id = a.task JOIN keys AS k ON k.id = a.key
    JOIN runs AS r ON r.seq = t.run JOIN runs AS s ON s.seq = a.run
  WHERE a.id = ?`;

/** Those that wait for the same key as an attempt's. */
const besideSql = `SELECT t.id, t.run, t.service, t.state, t.reason, r.is_fresh
  FROM attempts AS a JOIN tasks AS t ON t.key = a.key JOIN runs AS r ON r.seq = t.run WHERE a.id = ? AND t.state = 'waiting'`;

const waitingSql = `SELECT t.id, t.run, t.service, t.state, t.reason, r.is_fresh
  FROM tasks AS t JOIN runs AS r ON r.seq = t.run WHERE t.key = ? AND t.state = 'waiting'`;

export class ReadAhead {
  readonly #db: Database;
  #wantedTasks: { readonly session: SessionTerms; readonly id: number }[] = [];
  #wantedAttempts: number[] = [];
  /** Whether what is wanted has been read. */
  #isLoaded = true;
  readonly #tasks = new Map<number, { readonly session: SessionTerms; readonly row: KnownTask }>();
  readonly #attempts = new Map<number, OpenRow | undefined>();
  readonly #waiting = new Map<number, readonly WaitingTask[]>();
  readonly #changedKeys = new Set<number>();
  readonly #changedTasks = new Set<number>();

  constructor(db: Database) {
    this.#db = db;
  }

  wantTask(session: SessionTerms, id: number): void {
    this.#wantedTasks.push({ session, id });
    this.#isLoaded = false;
  }

  wantAttempt(id: number): void {
    this.#wantedAttempts.push(id);
    this.#isLoaded = false;
  }

  /** A task as it is for this session. */
  readTask(session: SessionTerms, id: number): Soon<KnownTask> {
    if (!this.#isLoaded) return this.load().then(() => this.readTask(session, id));
    const found = this.#tasks.get(id);
    if (found?.session === session && !this.#isChanged(found.row.key, id)) return found.row;
    return this.#askForTask(session, id);
  }

  #askForTask(session: SessionTerms, id: number): Soon<KnownTask> {
    return after(this.#db.get<KnownTask>(taskSql, [...bindKnown(session), id]), (row) => {
      if (!row) throw new Error(`task ${id} is not in the ledger`);
      return row;
    });
  }

  /** `undefined` where it is closed. */
  readOpen(id: number): Soon<OpenRow | undefined> {
    if (!this.#isLoaded) return this.load().then(() => this.readOpen(id));
    const row = this.#attempts.get(id);
    if (row && !this.#isChanged(row.key, row.task)) return row;
    if (!row && this.#attempts.has(id)) return undefined;
    return after(this.#db.get<OpenRow>(openSql, [id]), keepOpen);
  }

  /** Tasks of any run that wait for the open attempt of this key. */
  readWaiting(key: number): Soon<readonly WaitingTask[]> {
    const tasks = this.#waiting.get(key);
    if (tasks && !this.#changedKeys.has(key) && !tasks.some(({ id }) => this.#changedTasks.has(id)))
      return tasks;
    return this.#db.all<WaitingTask>(waitingSql, [key]);
  }

  forgetKey(key: number): void {
    this.#changedKeys.add(key);
  }

  forgetTask(id: number): void {
    this.#changedTasks.add(id);
  }

  /** Reads what is wanted. */
  async load(): Promise<void> {
    this.#isLoaded = true;
    await Promise.all([this.#loadTasks(this.#wantedTasks), this.#loadAttempts(this.#wantedAttempts)]);
  }

  /** What has been read; what is wanted is read anew when it is asked for. */
  forgetAll(): void {
    this.#isLoaded = this.#wantedTasks.length + this.#wantedAttempts.length === 0;
    this.#tasks.clear();
    this.#attempts.clear();
    this.#waiting.clear();
  }

  /** Before a transaction. */
  clear(): void {
    this.#wantedTasks = [];
    this.#wantedAttempts = [];
    this.#changedKeys.clear();
    this.#changedTasks.clear();
    this.forgetAll();
  }

  #isChanged(key: number, task: number): boolean {
    return this.#changedKeys.has(key) || this.#changedTasks.has(task);
  }

  async #loadTasks(
    wanted: readonly { readonly session: SessionTerms; readonly id: number }[],
  ): Promise<void> {
    const found = await this.#db.each<KnownTask>(
      taskSql,
      wanted.map(({ session, id }) => [...bindKnown(session), id]),
    );
    for (const [index, { session, id }] of wanted.entries()) {
      const row = found[index]?.[0];
      if (row) this.#tasks.set(id, { session, row });
    }
  }

  async #loadAttempts(wanted: readonly number[]): Promise<void> {
    const ids = [...new Set(wanted)].map((id) => [id] as const);
    const [found, waiting] = await Promise.all([
      this.#db.each<OpenRow>(openSql, ids),
      this.#db.each<WaitingTask>(besideSql, ids),
    ]);
    for (const [index, [id]] of ids.entries()) {
      const row = keepOpen(found[index]?.[0]);
      this.#attempts.set(id, row);
      if (row) this.#waiting.set(row.key, waiting[index] ?? []);
    }
  }
}

/** Asked for by its id alone, lest an index of open ones be looked through for it. */
function keepOpen(row: OpenRow | undefined): OpenRow | undefined {
  return row?.attempt_state === 'intent' || row?.attempt_state === 'accepted' ? row : undefined;
}
