/** What a session sends with: one dispatcher after the other, over the same connections, limits and callbacks. */
import type { BenchLedger, DispatchCounters } from '../dispatch/bench.ts';
import { type Callbacks, openCallbacks } from '../dispatch/callback.ts';
import { type DispatchEnd, Dispatcher, type DispatchRequest } from '../dispatch/dispatcher.ts';
import { makeUseFinder } from '../dispatch/former-use.ts';
import { findLongest, makeLinker } from '../dispatch/link.ts';
import type { Http } from '../domain/exchange.ts';
import type { Account } from '../domain/settings.ts';
import type { Task } from '../domain/task.ts';
import { openHttp } from '../wire/http.ts';
import type { MediaWays } from './media.ts';
import { type Outside, serveCallbacks } from './outside.ts';
import { reopenFormer } from './reopen.ts';
import { isRereadable, type Session } from './session.ts';

export interface Sender {
  readonly counters: DispatchCounters;
  /** Elements of jobs that are open at the vendors. */
  readonly openJobs: number;
  /** Carries out what stands in this ledger and what these pages yield. */
  send(
    run: BenchLedger,
    feed: () => AsyncIterable<readonly Task[]>,
    /** Whether what is in the ledger is all that a task needs; as the source is where absent. */
    isWhole?: boolean,
  ): Promise<DispatchEnd>;
  close(): Promise<void>;
}

/** A job of this account has ended, as far as its vendor's callback can be believed. */
export type Hint = (account: Pick<Account, 'name'>, ref: string) => void;

/** Hints that came before there was anybody to take them. */
const mostEarly = 10_000;

export async function openSender(
  outside: Outside,
  session: Session,
  { storage }: MediaWays,
  stop: AbortSignal,
  /** Has vendors call back; on addresses of this process' own where absent. */
  listen?: (hint: Hint) => Promise<Callbacks>,
): Promise<Sender> {
  const { clock } = outside;
  const { pipeline, ledger, opened, flags, output, pace, isAtWork: isAlive } = session;
  const { services, access, deadlines, resendBelow } = pipeline;
  const { log } = session.watch;
  let dispatcher: Dispatcher | undefined;
  const early: Parameters<Hint>[] = [];
  const hint: Hint = (account, ref) => {
    if (dispatcher) dispatcher.hint(account, ref);
    else if (early.length < mostEarly) early.push([account, ref]);
  };
  const run = opened.record.id;
  const callbacks = await (listen?.(hint) ?? openCallbacks({ services, run, serve: serveCallbacks, hint }));
  const http = openHttp({
    connections: Math.max(...services.map(({ account }) => account.limits.concurrency)),
  });
  const { mayCall = () => true } = session;
  const muted = { phase: 'not-sent', cause: 'this process was not heard of by the others' } as const;
  const guarded: Http = {
    send: async (call, limits) => (mayCall() ? await http.send(call, limits) : muted),
  };
  const bench: Omit<DispatchRequest['bench'], 'run'> = {
    clock,
    http: guarded,
    pace,
    link: makeLinker(access, storage, clock, { log, mayTakeMs: findLongest(services, deadlines) }),
    artifacts: output.artifacts,
    log,
    deadlines,
    resendBelow,
    hookUrl: callbacks.hookUrl,
    counters: { asked: 0, answered: 0, failed: 0, held: 0, repeated: 0, overCap: 0, released: 0 },
    stop,
  };
  return {
    counters: bench.counters,
    get openJobs() {
      return dispatcher?.openJobs ?? 0;
    },
    send: (ledgerOfRun, feed, isWhole = isRereadable(session)) => {
      dispatcher = new Dispatcher({
        bench: { ...bench, run: ledgerOfRun },
        services,
        feed,
        findUse: makeUseFinder({
          pipeline,
          ledger,
          reopen: (former) => reopenFormer(outside, session, former),
        }),
        isAlive,
        isRereadable: isWhole,
        graceMs: flags.graceMs,
      });
      for (const [account, ref] of early.splice(0)) dispatcher.hint(account, ref);
      return dispatcher.run();
    },
    close: async () => {
      await Promise.all([callbacks.close(), http.close()]);
    },
  };
}
