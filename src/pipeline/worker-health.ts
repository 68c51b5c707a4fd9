/** What a worker tells of itself over HTTP: whether it lives, whether it can take work, and its figures. */
import type { Clock } from '../domain/clock.ts';
import type { Handler, ServerAnswer } from '../domain/exchange.ts';
import type { DispatchCounters } from '../dispatch/bench.ts';
import { renderWorkerMetrics } from '../report/worker-metrics.ts';
import { serve } from '../wire/server.ts';

export interface WorkerState {
  readonly version: string;
  readonly process: string;
  readonly isDraining: () => boolean;
  /** Whether Redis hears of this worker. */
  readonly isHeard: () => boolean;
  /** Throws where the ledger cannot be read; may wait for it. */
  readonly lookAtLedger: () => Promise<unknown>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly shards: { underway: number; done: number; failed: number };
  /** Of the shards that are under way and those that are done. */
  readonly counters: () => DispatchCounters;
}

/** A ledger that takes longer to answer is out of reach: a probe gives up after some seconds itself. */
const patienceMs = 3000;

/** Whoever reaches the port may ask. Slow ones hold a connection for 5 s, and leave room for those that mean it. */
const limits = { maxBodyBytes: 1024, timeoutMs: 5000, maxConnections: 512 };

export async function serveHealth(
  state: WorkerState,
  listen: { readonly host: string; readonly port: number } | undefined,
): Promise<{ readonly close: () => Promise<void> }> {
  if (!listen) return { close: async () => undefined };
  return await serve(answer(state), { ...limits, ...listen, refuse });
}

/** Before a body is read: nobody has reason to send one. */
function refuse(method: string, path: string): number | undefined {
  if (!['/live', '/ready', '/metrics'].includes(path)) return 404;
  return method === 'GET' || method === 'HEAD' ? undefined : 405;
}

/** `/live`: the process answers. `/ready`: it takes shards. `/metrics`: in Prometheus' text format. */
export function answer(given: WorkerState): Handler {
  // However many ask at once, the ledger is asked once.
  let looking: Promise<unknown> | undefined;
  const lookAtLedger = () => {
    looking ??= given.lookAtLedger().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const state: WorkerState = { ...given, lookAtLedger };
  return async ({ method, path }) => {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405 };
    switch (path) {
      case '/live':
        return say(200, 'alive');
      case '/ready': {
        const trouble = await findTrouble(state);
        return trouble === undefined ? say(200, 'ready') : say(503, trouble);
      }
      case '/metrics':
        return say(200, renderWorkerMetrics(await describe(state)));
      default:
        return { status: 404 };
    }
  };
}

async function findTrouble(state: WorkerState): Promise<string | undefined> {
  if (state.isDraining()) return 'draining';
  if (!state.isHeard()) return 'redis does not answer';
  const over = new AbortController();
  try {
    const late = state.clock.sleep(patienceMs, over.signal).then(() => 'the ledger does not answer');
    return await Promise.race([state.lookAtLedger().then(() => undefined), late]);
  } catch {
    return 'the ledger cannot be read';
  } finally {
    over.abort();
  }
}

async function describe(state: WorkerState) {
  const { version, process, shards } = state;
  const isReady = (await findTrouble(state)) === undefined;
  return { version, process, isReady, shards, counters: state.counters() };
}

function say(status: number, text: string): ServerAnswer {
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' };
  return { status, headers, body: `${text}\n` };
}
