/**
 * Jobs of the stand-in. WAITING -> DOING -> FINISHED or FAILED by the clock, with a detour over RESCHEDULED if asked
 * for. The media is fetched when a job starts, not when it is submitted, so a link may have died by then.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../../domain/clock.ts';
import type { FetchTrouble, FetchedVideo } from './media.ts';
import type { Asked } from './submission.ts';

export type JobStatus = 'WAITING' | 'DOING' | 'RESCHEDULED' | 'FAILED' | 'FINISHED';

export interface EmulatedJob {
  readonly id: string;
  readonly asked: Asked;
  readonly createdAtMs: number;
  updatedAtMs: number;
  status: JobStatus;
  error: string;
  /** Set once fetched; the result is made of it whenever the job is read. */
  video?: FetchedVideo;
}

/** How one job is to go. */
export interface JobCourse {
  readonly jobMs: number;
  readonly fails: boolean;
  /** Called once, when the job has ended as FINISHED. */
  readonly end: (video: FetchedVideo) => Promise<void>;
}

export interface JobWork {
  readonly clock: Clock;
  readonly reschedules: () => boolean;
  readonly fetch: (uri: string) => Promise<FetchedVideo | FetchTrouble>;
}

export interface JobStore {
  readonly submit: (asked: Asked, course: JobCourse) => EmulatedJob;
  readonly find: (id: string) => EmulatedJob | undefined;
  readonly list: (status: string | undefined) => readonly EmulatedJob[];
  readonly countOpen: () => number;
}

/** Opens an empty store of jobs; each runs by itself once submitted. */
export function openJobs(work: JobWork): JobStore {
  const jobs = new Map<string, EmulatedJob>();
  let open = 0;
  return {
    submit: (asked, course) => {
      const now = work.clock.now();
      const id = createHash('sha256').update(`${jobs.size}/${asked.vid}`).digest('hex').slice(0, 24);
      const job: EmulatedJob = {
        id,
        asked,
        createdAtMs: now,
        updatedAtMs: now,
        status: 'WAITING',
        error: '',
      };
      jobs.set(id, job);
      open += 1;
      void runJob(job, course, work).finally(() => {
        open -= 1;
      });
      return job;
    },
    find: (id) => jobs.get(id),
    list: (status) => [...jobs.values()].filter((job) => status === undefined || job.status === status),
    countOpen: () => open,
  };
}

async function runJob(job: EmulatedJob, course: JobCourse, work: JobWork): Promise<void> {
  const { clock } = work;
  const move = (status: JobStatus, error = '') => {
    job.status = status;
    job.error = error;
    job.updatedAtMs = clock.now();
  };
  const waitUntil = (part: number) =>
    clock.sleep(Math.max(0, job.createdAtMs + course.jobMs * part - clock.now()));

  await waitUntil(0.25);
  move('DOING');
  if (work.reschedules()) {
    await waitUntil(0.5);
    move('RESCHEDULED');
    await waitUntil(0.75);
    move('DOING');
  }
  const fetched = await work.fetch(job.asked.uri);
  await waitUntil(1);
  if ('error' in fetched) return move('FAILED', fetched.error);
  if (course.fails) return move('FAILED', 'cannot open the file');
  job.video = fetched;
  move('FINISHED');
  await course.end(fetched);
}

/** China's time without zone and fraction, the form of the documented example. */
export function writeTime(ms: number): string {
  return new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19);
}
