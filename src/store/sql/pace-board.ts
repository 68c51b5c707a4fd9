/** Limits that processes share, as rows of the ledger: one board for each limit, changed in the commits of a run's writes. */
import type { Clock } from '../../domain/clock.ts';
import {
  exchange,
  findSilent,
  forgetFormer,
  type PaceBoard,
  type PaceGrant,
  type PaceOffice,
  type PaceRequest,
} from '../../domain/pace.ts';
import type { Database, WritingDatabase } from './database.ts';
import type { RunWriter } from './run-writes.ts';
import type { Session } from './session.ts';
import { readStored } from './stored.ts';

/** One process comes to the board. */
export interface PaceVisit {
  readonly process: string;
  readonly request: PaceRequest;
  /** By the clock that all processes of the machine share. */
  readonly nowMs: number;
  /** Present once it has taken over: when it began. What an earlier process of its name left on any board is void. */
  readonly sinceMs?: number | undefined;
  readonly dead: readonly string[];
}

export async function exchangePace(
  { db }: Session,
  { process, request, nowMs, sinceMs, dead }: PaceVisit,
): Promise<PaceGrant> {
  if (sinceMs !== undefined) {
    const boards = await db.all<{ name: string; board: string }>('SELECT name, board FROM pace');
    for (const { name, board } of boards) {
      writeBoard(db, name, forgetFormer(JSON.parse(board) as PaceBoard, process, sinceMs));
    }
  }
  const before = await readBoard(db, request.limit);
  const { board, grant } = exchange(before, process, request, nowMs, new Set(dead));
  writeBoard(db, request.limit, board);
  return grant;
}

function writeBoard(db: WritingDatabase, name: string, board: PaceBoard): void {
  db.run('INSERT INTO pace VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET board = excluded.board', [
    name,
    JSON.stringify(board),
  ]);
}

export async function readBoard(db: Database, limit: string): Promise<PaceBoard | undefined> {
  const row = await db.get<{ board: string }>('SELECT board FROM pace WHERE name = ?', [limit]);
  return row && (readStored(row.board) as PaceBoard);
}

/** Whether a process lives is looked up no more often than this. */
const lookEveryMs = 500;

interface Tools {
  /** For reading. */
  readonly db: Database;
  readonly writer: RunWriter;
  /** The name of the pipeline that the process holds. */
  readonly process: string;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly isAlive: (process: string) => Promise<boolean>;
}

export class SqlPaceOffice implements PaceOffice {
  readonly #tools: Tools;
  readonly #sinceMs: number;
  readonly #looks = new Map<string, { readonly atMs: number; readonly isAlive: boolean }>();

  constructor(tools: Tools) {
    this.#tools = tools;
    this.#sinceMs = tools.clock.monotonic();
  }

  async exchange(request: PaceRequest): Promise<PaceGrant> {
    const { db, writer, process, clock } = this.#tools;
    const silent = findSilent(await readBoard(db, request.limit), process, clock.monotonic());
    const dead: string[] = [];
    for (const one of silent) if (!(await this.#look(one))) dead.push(one);
    const sinceMs = request.hasTakenOver === true ? this.#sinceMs : undefined;
    const visit = { process, request, nowMs: clock.monotonic(), sinceMs, dead };
    return await writer.write('exchangePace', visit);
  }

  async #look(process: string): Promise<boolean> {
    const nowMs = this.#tools.clock.monotonic();
    const last = this.#looks.get(process);
    if (last && nowMs - last.atMs < lookEveryMs) return last.isAlive;
    const isAlive = await this.#tools.isAlive(process);
    this.#looks.set(process, { atMs: nowMs, isAlive });
    return isAlive;
  }
}
