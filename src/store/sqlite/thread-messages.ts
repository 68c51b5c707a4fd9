/**
 * What goes between a run and the thread that writes it. Plain data: it is cloned on its way, but for what comes with every
 * call, which goes as JSON, since that takes a third of the time.
 */
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

/** Messages in their order: JSON texts of lists of those that are plain, and the others as they are. */
export type Packed<Message> = readonly (Message | string)[];

/** What came while a commit was under way, and what time it is: the thread has no clock of its own. */
export interface Requests {
  readonly nowMs: number;
  readonly requests: Packed<ThreadRequest>;
}

export type ThreadReply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: PackedError };

/** What one commit of the thread has made durable. */
export type Replies =
  | { readonly is: 'opened'; readonly opened: Opened; readonly spending: Spending }
  | { readonly is: 'refused'; readonly error: PackedError }
  | { readonly is: 'written'; readonly replies: Packed<ThreadReply>; readonly spending: Spending };

export function pack<Message extends object>(
  messages: readonly Message[],
  isPlain: (message: Message) => boolean,
): Packed<Message> {
  const packed: (Message | string)[] = [];
  let plain: Message[] = [];
  const flush = () => {
    if (plain.length > 0) packed.push(JSON.stringify(plain));
    plain = [];
  };
  for (const message of messages) {
    if (isPlain(message)) plain.push(message);
    else {
      flush();
      packed.push(message);
    }
  }
  flush();
  return packed;
}

export function unpack<Message extends object>(packed: Packed<Message>): readonly Message[] {
  return packed.flatMap((part) => (typeof part === 'string' ? (JSON.parse(part) as Message[]) : part));
}

/** Elements of a batch share one reply, which a text would hold as often as there are elements. */
export function isPlainRequest(request: ThreadRequest): boolean {
  if (request.is !== 'write') return false;
  return request.name === 'intend' || (request.name === 'transition' && request.takes.length === 1);
}

/** What intents were answered with, and that a transition let nothing go: tasks carry bytes. */
export function isPlainReply(reply: ThreadReply): boolean {
  return 'answer' in reply && Array.isArray(reply.answer) && reply.answer.every(isPlainAnswer);
}

function isPlainAnswer(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'is' in answer;
}

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
