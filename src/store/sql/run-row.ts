/** A run as the ledger's table has it, and the record that others see. */
import type { CanaryRecord } from '../../domain/canary.ts';
import type { RunRecord, RunState } from '../../domain/ledger.ts';
import type { RunPlan } from '../../domain/plan.ts';
import type { Condition } from '../../domain/policy.ts';
import type { ExitCode } from '../../domain/problem.ts';
import type { Database } from './database.ts';
import { readStored } from './stored.ts';

export interface RunRow {
  readonly seq: number;
  readonly id: string;
  readonly pipeline: string;
  readonly path: string;
  readonly state: RunState;
  readonly hash: string;
  readonly shape_hash: string;
  readonly services: string;
  readonly sku_units: string;
  readonly written: string;
  readonly listing: RunRecord['listing'];
  readonly checkpoint: string | null;
  readonly items: number;
  readonly not_applicable: number;
  readonly unselected: number;
  readonly broken: number;
  readonly started_ms: number;
  readonly ended_ms: number | null;
  readonly exit_code: ExitCode | null;
  readonly why: string | null;
  readonly is_fresh: number;
  readonly asked_fresh: number;
  readonly only_failed: string | null;
  readonly pruned_ms: number | null;
  /** JSON: the caps of the latest session, and how far they had come when the run ended. */
  readonly caps: string | null;
  readonly spending: string | null;
  /** JSON: the plan that it is held to. */
  readonly plan: string | null;
  /** JSON: how far its canary has come. */
  readonly canary: string | null;
}

/** A service of a run, as `services` keeps it. */
export interface RunService {
  readonly name: string;
  readonly account: string;
  readonly vendor: string;
  /** Present where it waits for the answer of another one. */
  readonly when?: Condition | undefined;
}

export function readServices(row: Pick<RunRow, 'services'>): readonly RunService[] {
  return readStored(row.services) as readonly RunService[];
}

export async function findRunRow(db: Database, id: string): Promise<RunRow | undefined> {
  return await db.get<RunRow>('SELECT * FROM runs WHERE id = ?', [id]);
}

export function makeRunRecord(row: RunRow): RunRecord {
  return {
    id: row.id,
    pipeline: row.pipeline,
    state: row.state,
    hash: row.hash,
    shapeHash: row.shape_hash,
    services: readServices(row).map((service) => service.name),
    written: readStored(row.written),
    listing: row.listing,
    counters: {
      items: row.items,
      notApplicable: row.not_applicable,
      unselected: row.unselected,
      broken: row.broken,
    },
    startedAt: formatTime(row.started_ms),
    endedAt: row.ended_ms === null ? undefined : formatTime(row.ended_ms),
    exitCode: row.exit_code ?? undefined,
    why: row.why ?? undefined,
    onlyFailed: row.only_failed ?? undefined,
    ...(row.canary !== null && { canary: readStored(row.canary) as CanaryRecord }),
    ...(row.plan !== null && { plan: readStored(row.plan) as RunPlan }),
    ...(row.pruned_ms !== null && { isPruned: true }),
  };
}

/** The second that was written last, up to its dot: rows that follow one another mostly share it. */
let [lastSecond, lastText] = [Number.NaN, ''];

/** ISO 8601, UTC. */
export function formatTime(atMs: number): string {
  const second = Math.floor(atMs / 1000);
  if (second !== lastSecond) [lastSecond, lastText] = [second, new Date(atMs).toISOString().slice(0, -4)];
  return `${lastText}${String(Math.trunc(atMs - second * 1000)).padStart(3, '0')}Z`;
}
