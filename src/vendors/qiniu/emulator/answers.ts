/** Bodies of the stand-in's answers: job objects, list entries and errors. */
import type { ServerAnswer } from '../../../domain/exchange.ts';
import { answerJson } from '../../emulation.ts';
import { type EmulatedJob, writeTime } from './jobs.ts';
import { moderate } from './model.ts';
import type { QiniuSwitches } from './switches.ts';

/** A job object; `result` and `error` are absent before the end. */
export function writeJob(job: EmulatedJob, keepsEmptyFrames: boolean): unknown {
  const { vid, request } = job.asked;
  return {
    id: job.id,
    vid,
    request,
    status: job.status,
    ...(job.status === 'FINISHED' && job.video
      ? { result: moderate(job.asked, job.video, keepsEmptyFrames) }
      : {}),
    ...(job.error === '' ? {} : { error: job.error }),
    created_at: writeTime(job.createdAtMs),
    updated_at: writeTime(job.updatedAtMs),
  };
}

/** An entry of the list by status; it carries no vid. */
export function writeListedJob(job: EmulatedJob): unknown {
  return {
    id: job.id,
    status: job.status,
    created_at: writeTime(job.createdAtMs),
    updated_at: writeTime(job.updatedAtMs),
  };
}

/** An error in the body form that the switch names; v1 documents none. */
export function writeRefusal(
  switches: Pick<QiniuSwitches, 'errorBody'>,
  code: number,
  text: string,
): ServerAnswer {
  switch (switches.errorBody) {
    case 'code and error':
      return answerJson(code, { code, error: text });
    case 'error':
      return answerJson(code, { error: text });
    case 'code and message':
      return answerJson(code, { code, message: text });
  }
}
