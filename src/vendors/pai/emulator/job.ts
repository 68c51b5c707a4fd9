/** The stand-in's jobs: 0 -> 1 -> 2 or 3 by the clock, one sequence of ids for jobs and one for batches. */
import type { EmulatorTools } from '../../../domain/emulator.ts';
import type { PaiSwitches } from './switches.ts';

/** How a job ends: the decoded `Result`, or the text of a failure. */
export type Ending = { readonly result: unknown } | { readonly failure: string };

export interface NewJob {
  /** The video's URL as submitted; empty for a post without one. */
  readonly object: string;
  readonly action: string;
  /** From submission to end. */
  readonly lengthMs: number;
  /** Never rejects. */
  readonly ending: Promise<Ending>;
}

interface Job extends NewJob {
  readonly id: number;
  readonly batchId?: number | undefined;
  readonly begunMs: number;
}

export interface JobBook {
  readonly add: (job: NewJob) => number;
  readonly addBatch: (jobs: readonly NewJob[]) => number;
  /** The job as it is on the wire, or `undefined` where there is none of that id. */
  readonly read: (id: number) => Promise<unknown>;
  readonly readBatch: (batchId: number) => Promise<readonly unknown[] | undefined>;
  readonly countOpen: () => number;
}

/** Where jobs lie while the program runs. */
export function makeJobBook(
  clock: EmulatorTools['clock'],
  appId: string,
  readSwitches: () => Pick<PaiSwitches, 'resultTail' | 'jobFields' | 'batchOrder'>,
): JobBook {
  const jobs = new Map<number, Job>();
  const batches = new Map<number, readonly Job[]>();

  const add = (job: NewJob, batchId?: number): Job => {
    const added = { ...job, id: jobs.size + 1, batchId, begunMs: clock.now() };
    jobs.set(added.id, added);
    return added;
  };
  const ageOf = (job: Job) => clock.now() - job.begunMs;

  const show = async (job: Job): Promise<unknown> => {
    const isOver = ageOf(job) >= job.lengthMs;
    // `model_id`, `type` and `request_id` are left out: only one finished sample has them.
    const shared = {
      app_id: appId,
      ...(job.batchId === undefined ? {} : { batch_id: job.batchId, object: job.object }),
      create_time: formatTime(job.begunMs),
      id: job.id,
    };
    if (!isOver) {
      const state = ageOf(job) * 4 < job.lengthMs ? 0 : 1;
      return { Result: '', ...shared, message: 'video downloading', state };
    }
    const ending = await job.ending;
    if ('failure' in ending) return { Result: '', ...shared, message: ending.failure, state: 3 };
    // The manual's sample of this action ends its string with a line feed, the others do not.
    const { resultTail, jobFields } = readSwitches();
    const isOneLabelled = job.action === 'ClassifyLabelVideo' && job.batchId === undefined;
    const hasTail = resultTail === 'as sampled' ? isOneLabelled : resultTail === 'always';
    const tail = hasTail ? '\n' : '';
    const hasExtra =
      jobFields === 'as sampled' ? job.action === 'MultiModalClassify' : jobFields === 'always';
    const extra = hasExtra ? { model_id: 0, request_id: '', type: 'Video' } : {};
    const Result = JSON.stringify(ending.result) + tail;
    return { Result, ...shared, ...extra, message: 'success', state: 2 };
  };

  return {
    add: (job) => add(job).id,
    addBatch: (added) => {
      const batchId = batches.size + 1;
      batches.set(
        batchId,
        added.map((job) => add(job, batchId)),
      );
      return batchId;
    },
    read: async (id) => {
      const job = jobs.get(id);
      return job ? await show(job) : undefined;
    },
    readBatch: async (batchId) => {
      const elements = batches.get(batchId);
      const shown = elements && (await Promise.all(elements.map(show)));
      return readSwitches().batchOrder === 'reversed' ? shown?.toReversed() : shown;
    },
    countOpen: () => [...jobs.values()].filter((job) => ageOf(job) < job.lengthMs).length,
  };
}

/** RFC 3339 at +08:00; the trailing zeros of the fraction are cut. */
export function formatTime(ms: number): string {
  const [whole = '', fraction = ''] = new Date(ms + 8 * 3_600_000).toISOString().slice(0, -1).split('.');
  const digits = fraction.replace(/0+$/, '');
  return `${whole}${digits === '' ? '' : `.${digits}`}+08:00`;
}
