/** An attempt as the ledger's table has it. */
import type { Attempt } from '../../domain/ledger.ts';
import type { Usage } from '../../domain/usage.ts';
import { readStored } from './stored.ts';

export interface AttemptRow {
  readonly id: number;
  readonly task: number;
  readonly run_id: string;
  readonly service: string;
  readonly account: string;
  readonly reuse_key: string;
  readonly number: number;
  readonly ref: string;
  readonly call: number | null;
  readonly position: number;
  readonly link_hash: string;
  readonly is_batch: number;
  readonly is_loopback: number;
  readonly job: string | null;
  readonly usage: string;
  readonly resends: number;
  readonly intended_ms: number;
  readonly state: Attempt['state'];
}

/** For a query over `attempts AS a`, `runs AS r`, `keys AS k` and `tasks AS t`. */
export const attemptColumns = `a.id, a.task, r.id AS run_id, a.service, a.account, k.key AS reuse_key, a.number, a.ref,
  a.call, a.position, a.link_hash, a.is_batch, a.is_loopback, a.job, t.usage, t.resends, a.intended_ms, a.state`;

export function makeAttempt(row: AttemptRow): Attempt {
  return {
    id: row.id,
    task: row.task,
    run: row.run_id,
    service: row.service,
    account: row.account,
    reuseKey: row.reuse_key,
    number: row.number,
    ref: row.ref,
    call: row.call ?? row.id,
    position: row.position,
    linkHash: row.link_hash,
    isBatch: row.is_batch === 1,
    isLoopback: row.is_loopback === 1,
    job: row.job ?? undefined,
    usage: readStored(row.usage) as Usage,
    resends: row.resends,
    intendedAtMs: row.intended_ms,
    state: row.state,
  };
}
