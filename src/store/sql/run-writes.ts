/**
 * All that a run writes, as plain data: each write is carried out in a transaction by whoever holds the writing
 * connection, in this thread or in one of its own (`run-thread.ts`).
 */
import type { PlanPage, RunLedger, RunRecord } from '../../domain/ledger.ts';
import type { CanaryRecord } from '../../domain/canary.ts';
import type { Spending } from '../../domain/caps.ts';
import type { PaceGrant } from '../../domain/pace.ts';
import { type BillingFacts, monthOf } from '../../domain/pricing.ts';
import type { Task } from '../../domain/task.ts';
import { noteCanary } from './canary.ts';
import { takeReleased } from './cascade.ts';
import type { Intended, IntendedCall } from './intend.ts';
import { intendCall } from './intend.ts';
import { planPage } from './plan.ts';
import type { ReadyTask } from './plan.ts';
import type { PaceVisit } from './pace-board.ts';
import { exchangePace } from './pace-board.ts';
import { releaseWaiting } from './release.ts';
import { reopenAskable } from './reopen.ts';
import { findRunRow, makeRunRecord } from './run-row.ts';
import { wantBooks } from './reserve.ts';
import type { Session } from './session.ts';
import { after, type Soon } from './soon.ts';
import { listStanding, packSpending, readSpending, type Standing } from './spending.ts';
import type { WrittenTransition } from './transition.ts';
import { applyTransitions } from './transition.ts';

/** The writes of a run by name: what each takes, and what it answers. */
export interface RunWrites {
  plan: {
    readonly takes: PlanPage;
    readonly answers: { readonly ready: readonly ReadyTask[]; readonly record: RunRecord };
  };
  intend: { readonly takes: IntendedCall; readonly answers: readonly Intended[] };
  transition: { readonly takes: readonly WrittenTransition[]; readonly answers: readonly Task[] };
  reopenAskable: { readonly takes: Parameters<RunLedger['reopenAskable']>[0]; readonly answers: number };
  releaseWaiting: {
    readonly takes: undefined;
    readonly answers: { readonly released: number; readonly waiting: number };
  };
  addBilling: {
    readonly takes: { readonly account: string; readonly facts: Readonly<Record<string, BillingFacts>> };
    readonly answers: void;
  };
  noteCanary: { readonly takes: CanaryRecord; readonly answers: RunRecord };
  exchangePace: { readonly takes: PaceVisit; readonly answers: PaceGrant };
  end: { readonly takes: Parameters<RunLedger['end']>[0]; readonly answers: RunRecord };
}

export type RunWriteName = keyof RunWrites;

/** What a run writes through. A promise resolves once the write is durable. */
export interface RunWriter {
  write<Name extends RunWriteName>(
    name: Name,
    takes: RunWrites[Name]['takes'],
  ): Promise<RunWrites[Name]['answers']>;
  /** Money and caps as the last commit of this writer left them. */
  readonly spending: Spending;
  close(): Promise<void>;
}

type Performers = {
  readonly [Name in RunWriteName]: {
    /** About how many rows it writes. */
    readonly weigh: (takes: RunWrites[Name]['takes']) => number;
    /** Tells the read-ahead what it will ask for; absent where it may change any task. */
    readonly foresee?: (session: Session, takes: RunWrites[Name]['takes']) => void;
    /** Runs inside a transaction, perhaps more than once. */
    readonly perform: (session: Session, takes: RunWrites[Name]['takes']) => Soon<RunWrites[Name]['answers']>;
  };
};

const one = () => 1;
const nothing = () => undefined;

export const runWrites: Performers = {
  plan: {
    weigh: (page) => 1 + page.items.reduce((rows, item) => rows + 1 + item.tasks.length, page.broken.length),
    perform: (session, page) =>
      after(planPage(session, page), (ready) => after(readRecord(session), (record) => ({ ready, record }))),
  },
  intend: {
    weigh: ({ tasks }) => tasks.length,
    foresee: (session, { tasks }) => {
      for (const { id } of tasks) session.ahead.wantTask(session, id);
      wantBooks(session);
    },
    perform: intendCall,
  },
  transition: {
    weigh: ({ length }) => length,
    foresee: (session, transitions) => {
      for (const { attempt } of transitions) session.ahead.wantAttempt(attempt);
      wantBooks(session);
    },
    perform: (session, transitions) =>
      after(applyTransitions(session, transitions), () => takeReleased(session)),
  },
  reopenAskable: { weigh: one, perform: reopenAskable },
  releaseWaiting: { weigh: one, perform: releaseWaiting },
  addBilling: {
    weigh: one,
    foresee: nothing,
    perform: ({ billing }, { account, facts }) => {
      if (!billing.has(account)) billing.set(account, facts);
    },
  },
  noteCanary: {
    weigh: one,
    foresee: nothing,
    perform: (session, record) => {
      noteCanary(session, record);
      return readRecord(session);
    },
  },
  exchangePace: { weigh: one, foresee: nothing, perform: exchangePace },
  end: {
    weigh: one,
    perform: async (session, { state, exitCode, why, atMs }) => {
      session.db.run(
        'UPDATE runs SET state = ?, exit_code = ?, why = ?, ended_ms = ?, spending = ? WHERE seq = ?',
        [state, exitCode, why, atMs, packSpending(await tellSpending(session)), session.run],
      );
      return readRecord(session);
    },
  },
};

/** As the transaction that is under way has it. */
export function tellSpending(session: Session): Soon<Spending> {
  return readSpending(session.tally.spending, stand(session));
}

/** Has that read ahead. */
export function wantSpending(session: Session): void {
  session.tally.want(listStanding(stand(session)), []);
}

function stand({ run, pipeline, caps, now }: Session): Standing {
  const { currency, timezone } = pipeline.prices;
  return { run, pipeline: pipeline.name, month: monthOf(now(), timezone), currency, caps };
}

function readRecord({ db, runId }: Session): Soon<RunRecord> {
  return after(findRunRow(db, runId), (row) => {
    if (!row) throw new Error(`run "${runId}" is not in the ledger any more`);
    return makeRunRecord(row);
  });
}
