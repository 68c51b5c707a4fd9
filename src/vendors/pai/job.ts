/**
 * PAI's jobs: state 0 (initialising) -> 1 (running) -> 2 (completed) or 3 (failed). One job is read by a POST without a
 * body, a batch by a GET; a batch has no state of its own and its elements finish separately. Reading is free, so
 * whatever is not clearly an end is read again later.
 */
import { z } from 'zod';
import type { Call, Reply } from '../../domain/exchange.ts';
import type { Finding } from '../../domain/finding.ts';
import { hashLink } from '../../domain/link.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { JobElement } from '../../domain/service.ts';
import { isSuccess, readEnvelope, readJson } from './envelope.ts';
import { keepWords, readJobFailure, readRefusal, refuseUnexpected } from './refusals.ts';

/** Reads a decoded `Result`; `undefined` where it is nothing that the service answers. */
export type ReadResult = (result: unknown) => Finding | undefined;

/** `Result` has a capital R and holds JSON inside a string; Go's client gets away with `result`. */
const job = z.looseObject({
  state: z.union([z.number(), z.string().regex(/^\d$/).transform(Number)]),
  message: z.string().nullish(),
  Result: z.unknown().optional(),
  result: z.unknown().optional(),
  object: z.string().optional().catch(undefined),
});
type Job = z.infer<typeof job>;

const single = z.looseObject({ job });
const batch = z.looseObject({ jobs: z.array(z.unknown()) });

export function pollJob(handle: string, isBatch: boolean): Call {
  const headers = { Accept: 'text/plain' };
  return isBatch
    ? { method: 'GET', path: `/api/v1/batch_jobs/${handle.replace(/^batch-/, '')}`, headers }
    : { method: 'POST', path: `/api/v1/async_jobs/${handle}`, headers };
}

export function readSingle(reply: Reply, read: ReadResult): Outcome {
  const envelope = readEnvelope(reply);
  if (!envelope || !isSuccess(reply, envelope)) return readTroubleOfRead(reply);
  const parsed = single.safeParse(envelope.data);
  return parsed.success
    ? readState(parsed.data.job, read)
    : { is: 'waiting', note: 'the vendor answered without a job' };
}

/** One outcome per element, by the hash of its link, then by its place; an element that is absent waits. */
export function readBatch(
  reply: Reply,
  elements: readonly JobElement[],
  read: ReadResult,
): readonly Outcome[] {
  const envelope = readEnvelope(reply);
  if (!envelope || !isSuccess(reply, envelope)) {
    const outcome = readTroubleOfRead(reply);
    return elements.map(() => outcome);
  }
  const parsed = batch.safeParse(envelope.data);
  const jobs = (parsed.success ? parsed.data.jobs : []).map((one) => job.safeParse(one).data);
  return matchJobs(jobs, elements).map((found) =>
    found ? readState(found, read) : { is: 'waiting', note: 'not in the batch yet' },
  );
}

/**
 * Places speak only where no link does: a job whose link belongs to one element is never another's, and a shorter list
 * than the batch has no places at all. Equal links are told apart by their places.
 */
function matchJobs(
  jobs: readonly (Job | undefined)[],
  elements: readonly JobElement[],
): readonly (Job | undefined)[] {
  const hashes = jobs.map((one) => (one?.object === undefined ? undefined : hashLink(one.object)));
  const claimed = new Set<number>();
  const claim = (index: number): number | undefined => {
    if (index < 0 || claimed.has(index)) return undefined;
    claimed.add(index);
    return index;
  };
  const isFull = elements.every(({ position }) => position < jobs.length);
  const claims: readonly ((element: JobElement) => number | undefined)[] = [
    ({ position, linkHash }) => (hashes[position] === linkHash ? claim(position) : undefined),
    ({ linkHash }) => claim(hashes.findIndex((hash, index) => hash === linkHash && !claimed.has(index))),
    ({ position }) => (isFull ? claim(position) : undefined),
  ];
  const matched = new Map<JobElement, Job | undefined>();
  for (const attempt of claims) {
    for (const element of elements) {
      if (matched.has(element)) continue;
      const index = attempt(element);
      if (index !== undefined) matched.set(element, jobs[index]);
    }
  }
  return elements.map((element) => matched.get(element));
}

function readState(found: Job, read: ReadResult): Outcome {
  const message = found.message ?? '';
  if (found.state === 3) return { is: 'refused', refusal: readJobFailure(message) };
  if (found.state !== 2) return { is: 'waiting', note: keepWords(message) };
  const finding = read(decodeResult(found.Result ?? found.result));
  return finding
    ? { is: 'answered', finding }
    : refuseUnexpected('the finished job has another result than the manual shows', 'failedJob');
}

/** A string of JSON, sometimes with a line feed at its end; an object is taken as it is. */
function decodeResult(result: unknown): unknown {
  return typeof result === 'string' ? readJson(result) : result;
}

/** Only trouble with the account or its pace, and a job that is not known, mean anything on a free read. */
function readTroubleOfRead(reply: Reply): Outcome {
  const words = keepWords(readEnvelope(reply)?.message ?? reply.body);
  const refusal = readRefusal(reply);
  const isAccountHalt = refusal?.reaction === 'halt' && refusal.halts === 'account';
  if (refusal && (isAccountHalt || refusal.reaction === 'slow-down')) return { is: 'refused', refusal };
  if (reply.status === 404 || isUnknownJob(words)) return { is: 'gone', message: words };
  return { is: 'waiting', note: `the read failed with ${reply.status}: ${words}` };
}

/** The text for an unknown job is not documented. */
function isUnknownJob(message: string): boolean {
  return /\b(job|record)\b.{0,20}\b(not found|not exist|no such)|\bnote? found\b.{0,20}\bjob/i.test(message);
}
