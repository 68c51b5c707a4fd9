/** What a vendor sees of its callers: when calls come, from where, how many are in progress and how many jobs are open. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Emulator, EmulatorFaults, EmulatorState } from '../../src/domain/emulator.ts';
import type { Handler } from '../../src/domain/exchange.ts';

export interface VendorCounter {
  readonly handler: Handler;
  readonly state: () => EmulatorState;
  readonly setFaults: (faults: Partial<EmulatorFaults>) => Promise<void>;
  /** When each call began, by this process' monotonic clock, in their order. */
  readonly begunMs: readonly number[];
  /** Most calls in progress at once, and most jobs open. */
  readonly peaks: () => { readonly inFlight: number; readonly openJobs: number };
  /** Calls in progress whose callers have not heard of them yet, by address. */
  readonly inFlightOf: (address: string) => number;
  readonly inFlight: () => number;
  readonly watchPort: (port: number) => void;
  /** Whether calls belong to what is watched, which they do at first. */
  readonly setWatched: (isWatched: boolean) => void;
  readonly close: () => void;
}

export function countAt(emulator: Emulator): VendorCounter {
  const begunMs: number[] = [];
  const byAddress = new Map<string, number>();
  let peaks = { inFlight: 0, openJobs: 0 };
  let inFlight = 0;
  let port = 0;
  let isWatched = true;
  const count = (address: string, change: number) =>
    byAddress.set(address, (byAddress.get(address) ?? 0) + change);
  // Handlers are not told who calls them.
  const notice = (message: unknown) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const { localPort, remoteAddress = '' } = request.socket;
    if (localPort !== port) return;
    count(remoteAddress, 1);
    response.once('close', () => count(remoteAddress, -1));
  };
  subscribe('http.server.request.start', notice);
  return {
    handler: async (request) => {
      if (!isWatched) return await emulator.handler(request);
      begunMs.push(performance.now());
      inFlight += 1;
      peaks = {
        inFlight: Math.max(peaks.inFlight, inFlight),
        // Only one of them takes jobs here, and what it has seen is long.
        openJobs: Math.max(peaks.openJobs, emulator.vendor === 'qiniu' ? emulator.state().openJobs : 0),
      };
      try {
        return await emulator.handler(request);
      } finally {
        inFlight -= 1;
      }
    },
    state: emulator.state,
    setFaults: async (faults) => {
      const body = new TextEncoder().encode(JSON.stringify(faults));
      const call = { method: 'POST', path: '/_emulator/faults', query: '', headers: {}, body };
      const { status } = await emulator.handler(call);
      if (status !== 200) throw new Error(`the faults were answered with ${status}`);
    },
    begunMs,
    peaks: () => peaks,
    inFlightOf: (address) => byAddress.get(address) ?? 0,
    inFlight: () => inFlight,
    watchPort: (listening) => {
      port = listening;
    },
    setWatched: (isMeant) => {
      isWatched = isMeant;
    },
    close: () => unsubscribe('http.server.request.start', notice),
  };
}

/** The largest number of calls that began within any second of the span, and when the last of them came. */
export function findBusiestSecond(
  begunMs: readonly number[],
  isCounted: (atMs: number) => boolean = () => true,
): { readonly calls: number; readonly atMs: number } {
  let busiest = { calls: 0, atMs: 0 };
  let first = 0;
  for (const [index, atMs] of begunMs.entries()) {
    while ((begunMs[first] ?? atMs) <= atMs - 1000) first += 1;
    const calls = index - first + 1;
    if (calls > busiest.calls && isCounted(atMs)) busiest = { calls, atMs };
  }
  return busiest;
}
