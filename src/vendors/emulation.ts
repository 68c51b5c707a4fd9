/** What every stand-in vendor has in common: drawn faults, counted requests and units, and the `/_emulator/` endpoints. */
import { z } from 'zod';
import { jitter } from '../domain/clock.ts';
import type {
  Emulator,
  EmulatorFaults,
  EmulatorState,
  EmulatorSwitches,
  EmulatorTools,
} from '../domain/emulator.ts';
import type { ServerAnswer, ServerRequest } from '../domain/exchange.ts';
import type { Units } from '../domain/usage.ts';

/** One request at the counter of an emulator, and what has been decided about it. */
export interface Visit {
  /** Ascending from 1 over the emulator's life. */
  readonly number: number;
  /** The faults in force now, e.g. for `jobMs`. */
  readonly faults: EmulatorFaults;
  /** True where the model is to fail on this submission. */
  readonly modelFails: boolean;
  /** Notes that one submission was carried out, and for which references (one per element of a batch). */
  readonly countSubmission: (refs: readonly string[]) => void;
  /** Adds to what has been billed; may be called later too, when a job ends. */
  readonly countUnits: (units: Units) => void;
}

export interface EmulatorWork {
  readonly vendor: string;
  readonly tools: EmulatorTools;
  /** The vendor's answers to a request that is not carried out because of a fault. */
  readonly slowDown: (visit: Visit) => ServerAnswer;
  readonly serverError: (visit: Visit) => ServerAnswer;
  /** Carries a request out. */
  readonly answer: (request: ServerRequest, visit: Visit) => Promise<ServerAnswer>;
  readonly openJobs: () => number;
  /** What the vendor's documents leave open; absent where there is nothing of the kind. */
  readonly switches?: SwitchBoard | undefined;
}

/** Switches that can be changed while the stand-in runs. */
export interface SwitchBoard<Switches extends EmulatorSwitches = EmulatorSwitches> {
  readonly read: () => Switches;
  /** Merges the change into what is in force; a text where the change is of another shape. */
  readonly change: (change: unknown) => string | undefined;
}

/** Opens the switches with their defaults and some of them set. Throws a `ZodError` for other than the shape. */
export function openSwitches<Shape extends z.ZodObject>(
  shape: Shape,
  given: EmulatorSwitches = {},
): SwitchBoard<z.output<Shape>> {
  let switches = shape.parse(given);
  return {
    read: () => switches,
    change: (change) => {
      const isPlain = typeof change === 'object' && change !== null && !Array.isArray(change);
      const parsed = shape.safeParse(isPlain ? { ...switches, ...change } : change);
      if (parsed.success) switches = parsed.data;
      return parsed.success ? undefined : z.prettifyError(parsed.error);
    },
  };
}

const chance = z.number().min(0).max(1);
const faultsShape = z
  .strictObject({
    seed: z.string(),
    slowDown: chance,
    serverError: chance,
    resetBefore: chance,
    resetAfter: chance,
    modelFailure: chance,
    delayMs: z.number().min(0),
    jobMs: z.number().min(0),
  } satisfies Record<keyof EmulatorFaults, z.ZodType>)
  .partial();

/** Gives a vendor's answers their faults, their delay and their counters. */
export function wrapEmulator(work: EmulatorWork): Emulator {
  let faults = work.tools.faults;
  const counters = makeCounters(() => work.tools.clock.monotonic(), work.openJobs);

  const serve = async (request: ServerRequest, number: number): Promise<ServerAnswer> => {
    const inForce = faults;
    const isDrawn = (fault: 'slowDown' | 'serverError' | 'resetBefore' | 'resetAfter' | 'modelFailure') =>
      inForce[fault] > jitter(`${inForce.seed}/${fault}/${number}`);
    const visit: Visit = {
      number,
      faults: inForce,
      modelFails: isDrawn('modelFailure'),
      countSubmission: counters.countSubmission,
      countUnits: counters.countUnits,
    };
    if (isDrawn('resetBefore')) return { status: 500, fault: 'reset' };
    if (isDrawn('slowDown')) return work.slowDown(visit);
    if (isDrawn('serverError')) return work.serverError(visit);
    const answer = await work.answer(request, visit);
    return isDrawn('resetAfter') ? { ...answer, fault: 'reset' } : answer;
  };

  return {
    vendor: work.vendor,
    state: counters.state,
    handler: async (request) => {
      if (request.path.startsWith('/_emulator/')) {
        const merge = (change: Partial<EmulatorFaults>) => {
          faults = { ...faults, ...change };
          return faults;
        };
        return answerControl(request, { state: counters.state, merge, switches: work.switches });
      }
      const number = counters.begin();
      try {
        const answer = await serve(request, number);
        // Waited for here and not in the server, so that a delayed request counts as being in progress.
        if (faults.delayMs > 0) await work.tools.clock.sleep(faults.delayMs);
        return answer;
      } finally {
        counters.end();
      }
    },
  };
}

interface Controls {
  readonly state: () => EmulatorState;
  readonly merge: (change: Partial<EmulatorFaults>) => EmulatorFaults;
  readonly switches: SwitchBoard | undefined;
}

function answerControl(request: ServerRequest, { state, merge, switches }: Controls): ServerAnswer {
  if (request.method === 'GET' && request.path === '/_emulator/state') return answerJson(200, state());
  if (request.method === 'POST' && request.path === '/_emulator/faults') {
    const parsed = faultsShape.safeParse(readJson(new TextDecoder().decode(request.body)));
    if (!parsed.success) return answerJson(400, { error: z.prettifyError(parsed.error) });
    const change = Object.entries(parsed.data).filter(([, value]) => value !== undefined);
    return answerJson(200, merge(Object.fromEntries(change)));
  }
  if (request.path === '/_emulator/switches' && switches) {
    const error =
      request.method === 'POST'
        ? switches.change(readJson(new TextDecoder().decode(request.body)))
        : undefined;
    return error === undefined ? answerJson(200, switches.read()) : answerJson(400, { error });
  }
  return answerJson(404, {
    error: 'expected GET /_emulator/state, POST /_emulator/faults, GET or POST /_emulator/switches',
  });
}

/** A JSON answer with its content type. */
export function answerJson(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): ServerAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** Parses JSON; `undefined` where it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function makeCounters(monotonic: () => number, openJobs: () => number) {
  let requests = 0;
  let submissions = 0;
  let inProgress = 0;
  let peakConcurrency = 0;
  let peakPerSecond = 0;
  const submitted = new Map<string, number>();
  const units = new Map<string, number>();
  let begun: number[] = [];
  let oldest = 0;

  const countBegin = () => {
    const now = monotonic();
    begun.push(now);
    while ((begun[oldest] ?? now) <= now - 1000) oldest += 1;
    peakPerSecond = Math.max(peakPerSecond, begun.length - oldest);
    if (oldest > 10_000) {
      begun = begun.slice(oldest);
      oldest = 0;
    }
  };

  return {
    begin: (): number => {
      requests += 1;
      inProgress += 1;
      peakConcurrency = Math.max(peakConcurrency, inProgress);
      countBegin();
      return requests;
    },
    end: () => {
      inProgress -= 1;
    },
    countSubmission: (refs: readonly string[]) => {
      submissions += 1;
      for (const ref of refs) submitted.set(ref, (submitted.get(ref) ?? 0) + 1);
    },
    countUnits: (used: Units) => {
      for (const [sku, count] of Object.entries(used)) units.set(sku, (units.get(sku) ?? 0) + count);
    },
    state: (): EmulatorState => ({
      requests,
      submissions,
      submitted: Object.fromEntries(submitted),
      units: Object.fromEntries(units),
      openJobs: openJobs(),
      peakConcurrency,
      peakPerSecond,
    }),
  };
}
