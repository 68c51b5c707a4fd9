/** The stand-in for Qiniu's v1 video moderation: same wire, deterministic answers, no knowledge of our client. */
import type { Emulator, EmulatorEntry, EmulatorSwitches, EmulatorTools } from '../../domain/emulator.ts';
import type { ServerAnswer, ServerRequest } from '../../domain/exchange.ts';
import { type SwitchBoard, type Visit, answerJson, openSwitches, wrapEmulator } from '../emulation.ts';
import { makeCallBack } from './emulator/callback.ts';
import { writeJob, writeListedJob, writeRefusal } from './emulator/answers.ts';
import { type JobStore, openJobs } from './emulator/jobs.ts';
import { type FetchedVideo, fetchVideo } from './emulator/media.ts';
import { listFrames, moderate } from './emulator/model.ts';
import { isSigned } from './emulator/signature.ts';
import { type Asked, readAsked } from './emulator/submission.ts';
import { type QiniuSwitches, switches as shape } from './emulator/switches.ts';

export const qiniuEmulator: EmulatorEntry = {
  vendor: 'qiniu',
  credentials: { accessKey: 'emulated-access-key', secretKey: 'emulated-secret-key' },
  switches: shape,
  open: openQiniuEmulator,
};

/** What answering needs. */
interface Desk {
  readonly tools: EmulatorTools;
  readonly board: SwitchBoard<QiniuSwitches>;
  readonly keys: { readonly accessKey: string; readonly secretKey: string };
  readonly jobs: JobStore;
  readonly callBack: (asked: Asked, video: FetchedVideo) => Promise<void>;
  readonly refuse: (status: number, text: string) => ServerAnswer;
}

/** Opens the stand-in, with some of its switches set. */
export function openQiniuEmulator(tools: EmulatorTools, changes: EmulatorSwitches = {}): Emulator {
  const board = openSwitches(shape, changes);
  const { accessKey = '', secretKey = '' } = tools.credentials;
  const keys = { accessKey, secretKey };
  const jobs = openJobs({
    clock: tools.clock,
    reschedules: () => board.read().reschedules,
    fetch: (uri) => fetchVideo(tools.reader, uri, tools.knownMedia),
  });
  const refuse = (status: number, text: string) => writeRefusal(board.read(), status, text);
  const desk: Desk = { tools, board, keys, jobs, callBack: makeCallBack(tools, board.read, keys), refuse };
  return wrapEmulator({
    vendor: 'qiniu',
    tools,
    slowDown: alternate(
      () => refuse(573, 'too many requests'),
      () => refuse(429, 'too many requests'),
    ),
    serverError: alternate(
      () => refuse(599, 'server error'),
      () => refuse(503, 'service unavailable'),
    ),
    answer: async (request, visit) => {
      const answer = await route(desk, request, visit);
      return { ...answer, headers: { ...answer.headers, 'x-reqid': `emulated-${visit.number}` } };
    },
    openJobs: jobs.countOpen,
    switches: board,
  });
}

async function route(desk: Desk, request: ServerRequest, visit: Visit): Promise<ServerAnswer> {
  const switches = desk.board.read();
  if (switches.checksSignatures && !isSigned(request, desk.keys)) {
    return answerJson(401, { error: 'bad token' });
  }
  const { method } = request;
  const [, vid] = /^\/v1\/video\/([^/]+)$/.exec(request.path) ?? [];
  if (method === 'POST' && vid !== undefined) return submit(desk, request, decode(vid), visit);
  if (method === 'GET' && request.path === '/v1/jobs/video') {
    const status = new URLSearchParams(request.query).get('status') ?? undefined;
    return answerJson(200, desk.jobs.list(status).map(writeListedJob));
  }
  const [, id] = /^\/v1\/jobs\/video\/([^/]+)$/.exec(request.path) ?? [];
  const job = method === 'GET' && id !== undefined ? desk.jobs.find(decode(id)) : undefined;
  if (job) return answerJson(200, writeJob(job, switches.keepsEmptyFrames));
  return desk.refuse(404, id === undefined ? 'not found' : 'job not found');
}

async function submit(desk: Desk, request: ServerRequest, vid: string, visit: Visit): Promise<ServerAnswer> {
  const { tools, refuse } = desk;
  const switches = desk.board.read();
  const asked = readAsked(vid, request.body, switches.intervalBounds);
  if ('error' in asked) return refuse(400, asked.error);
  visit.countSubmission([vid]);
  if (asked.isAsync) {
    const job = desk.jobs.submit(asked, {
      jobMs: visit.faults.jobMs,
      fails: visit.modelFails,
      end: async (video) => {
        visit.countUnits(countUnits(asked, video));
        await desk.callBack(asked, video);
      },
    });
    return answerJson(200, { job: job.id });
  }
  const video = await fetchVideo(tools.reader, asked.uri, tools.knownMedia);
  if ('error' in video) return refuse(video.status, video.error);
  await tools.clock.sleep(visit.faults.jobMs);
  if (visit.modelFails) return refuse(400, 'cannot open the file');
  visit.countUnits(countUnits(asked, video));
  return answerJson(200, moderate(asked, video, switches.keepsEmptyFrames));
}

/** Every cut frame is billed as one image, for each op. */
function countUnits(asked: Asked, video: FetchedVideo): Record<string, number> {
  const frames = listFrames(asked, video).length;
  return Object.fromEntries(asked.checks.map(({ op }) => [`qiniu/${op}-image`, frames]));
}

function alternate(first: () => ServerAnswer, second: () => ServerAnswer): () => ServerAnswer {
  let turn = 0;
  return () => {
    turn += 1;
    return turn % 2 === 1 ? first() : second();
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
