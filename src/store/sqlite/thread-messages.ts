/** What goes between a run and the thread that writes it. Plain data: it is cloned on its way. */
import type { Spending } from '../../domain/caps.ts';
import type { LedgerPipeline, RunOpening } from '../../domain/ledger.ts';
import { describeError, type ExitCode, type Problem, Stop } from '../../domain/problem.ts';
import type { Opened } from '../sql/opening.ts';
import type { RunWriteName, RunWrites } from '../sql/run-writes.ts';

/** What the thread is started with. */
export interface ThreadData {
  /** Of the ledger's file. */
  readonly path: string;
}

export type ThreadRequest =
  | { readonly is: 'open'; readonly opening: RunOpening }
  | {
      readonly [Name in RunWriteName]: {
        readonly is: 'write';
        readonly id: number;
        readonly name: Name;
        readonly takes: RunWrites[Name]['takes'];
      };
    }[RunWriteName]
  | { readonly is: 'close' };

/** The requests of one turn of the event loop, and what time it is: the thread has no clock of its own. */
export interface Requests {
  readonly nowMs: number;
  readonly requests: readonly ThreadRequest[];
}

export type ThreadReply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: PackedError };

/** What one commit of the thread has made durable. */
export type Replies =
  | { readonly is: 'opened'; readonly opened: Opened; readonly spending: Spending }
  | { readonly is: 'refused'; readonly error: PackedError }
  | { readonly is: 'written'; readonly replies: readonly ThreadReply[]; readonly spending: Spending };

/** An error as a clone keeps it: the fields of our own are lost otherwise. */
export interface PackedError {
  readonly message: string;
  readonly stack?: string | undefined;
  readonly stop?: { readonly exitCode: ExitCode; readonly problems: readonly Problem[] } | undefined;
}

export function packError(error: unknown): PackedError {
  const message = describeError(error);
  if (error instanceof Stop) return { message, stop: { exitCode: error.exitCode, problems: error.problems } };
  return { message, stack: error instanceof Error ? error.stack : undefined };
}

export function unpackError({ message, stack, stop }: PackedError): Error {
  if (stop) return new Stop(stop.exitCode, message, stop.problems);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** The opening without all that a clone cannot carry: vendors' functions, and secrets that a ledger has no use for. */
export function packOpening(opening: RunOpening): RunOpening {
  return { ...opening, pipeline: pickPipeline(opening.pipeline), billing: new Map(opening.billing) };
}

function pickPipeline(pipeline: LedgerPipeline): LedgerPipeline {
  const { name, path, hash, shapeHash, written, reuse, prices, caps, services } = pipeline;
  const picked = services.map(({ name: service, account, when }) => {
    const { name: accountName, isLoopback, caps: accountCaps, vendor } = account;
    const skus = vendor.skus.map(({ name: sku, unit }) => ({ name: sku, unit }));
    return {
      name: service,
      ...(when && { when }),
      account: { name: accountName, isLoopback, caps: accountCaps, vendor: { name: vendor.name, skus } },
    };
  });
  return { name, path, hash, shapeHash, written, reuse, prices, caps, services: picked };
}
