/** What a session sends with: one dispatcher after the other, over the same connections, limits and callbacks. */
import type { BenchLedger, DispatchCounters } from '../dispatch/bench.ts';
import { openCallbacks } from '../dispatch/callback.ts';
import { type DispatchEnd, Dispatcher, type DispatchRequest } from '../dispatch/dispatcher.ts';
import { makeUseFinder } from '../dispatch/former-use.ts';
import { findLongest, makeLinker } from '../dispatch/link.ts';
import type { Http } from '../domain/exchange.ts';
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
  send(run: BenchLedger, feed: () => AsyncIterable<readonly Task[]>): Promise<DispatchEnd>;
  close(): Promise<void>;
}

export async function openSender(
  outside: Outside,
  session: Session,
  { storage }: MediaWays,
  stop: AbortSignal,
  /** False where another process listens, or none: vendors are asked instead. */
  listens = true,
): Promise<Sender> {
  const { clock } = outside;
  const { pipeline, ledger, opened, flags, output, pace, isAtWork: isAlive } = session;
  const { services, access, deadlines, resendBelow } = pipeline;
  const { log } = session.watch;
  let dispatcher: Dispatcher | undefined;
  const callbacks = await openCallbacks({
    services: listens ? services : [],
    run: opened.record.id,
    serve: serveCallbacks,
    hint: (account, ref) => dispatcher?.hint(account, ref),
  });
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
    hookUrl: (account) => (listens ? callbacks.hookUrl(account) : undefined),
    counters: { asked: 0, answered: 0, failed: 0, held: 0, repeated: 0, overCap: 0, released: 0 },
    stop,
  };
  return {
    counters: bench.counters,
    get openJobs() {
      return dispatcher?.openJobs ?? 0;
    },
    send: (run, feed) => {
      dispatcher = new Dispatcher({
        bench: { ...bench, run },
        services,
        feed,
        findUse: makeUseFinder({
          pipeline,
          ledger,
          reopen: (former) => reopenFormer(outside, session, former),
        }),
        isAlive,
        isRereadable: isRereadable(session),
        graceMs: flags.graceMs,
      });
      return dispatcher.run();
    },
    close: async () => {
      await Promise.all([callbacks.close(), http.close()]);
    },
  };
}
