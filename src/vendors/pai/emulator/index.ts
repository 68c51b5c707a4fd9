/**
 * A stand-in for PAI on loopback. It shares no code with the client: both answer to the vendor's samples and to the
 * signature vectors. Order of checks: AppId, signature, JSON and types, required fields, model, work.
 */
import { jitter } from '../../../domain/clock.ts';
import type { Emulator, EmulatorEntry, EmulatorSwitches, EmulatorTools } from '../../../domain/emulator.ts';
import type { ServerAnswer, ServerRequest } from '../../../domain/exchange.ts';
import type { SwitchBoard, Visit } from '../../emulation.ts';
import { answerJson, openSwitches, wrapEmulator } from '../../emulation.ts';
import { answerImage, answerLabels, answerVideoQuality, imageModels } from './answer.ts';
import type { Ending, JobBook, NewJob } from './job.ts';
import { makeJobBook } from './job.ts';
import { digest, lookAtImage, lookAtVideo } from './media.ts';
import type { Body } from './request.ts';
import { readBody } from './request.ts';
import { isSignedBy, readAuthorization } from './signature.ts';
import { type PaiSwitches, switches as shape } from './switches.ts';

const credentials = { appId: '202209290847310001', token: 'pai-emulator-token' };

export const paiEmulator: EmulatorEntry = { vendor: 'pai', credentials, switches: shape, open: openEmulator };

/** What every answer draws on. */
interface Desk {
  readonly tools: EmulatorTools;
  readonly book: JobBook;
  readonly board: SwitchBoard<PaiSwitches>;
}

const videoModels: ReadonlySet<string> = new Set([
  'MultiModalClassify/multi_modal_tag',
  'VideoQA/',
  'ClassifyLabelVideo/',
]);
const batchModels: ReadonlySet<string> = new Set(['VideoQA/', 'ClassifyLabelVideo/']);

function openEmulator(tools: EmulatorTools, given: EmulatorSwitches = {}): Emulator {
  const board = openSwitches(shape, given);
  const book = makeJobBook(tools.clock, tools.credentials['appId'] ?? '', board.read);
  return wrapEmulator({
    vendor: 'pai',
    tools,
    openJobs: book.countOpen,
    switches: board,
    slowDown: (visit) => fail(visit, 429, 'TOO_MANY_REQUESTS', 'too many requests', { 'retry-after': '1' }),
    serverError: (visit) => fail(visit, 500, 'INTERNAL_ERROR', 'internal error'),
    answer: (request, visit) => answerRequest(request, visit, { tools, book, board }),
  });
}

async function answerRequest(request: ServerRequest, visit: Visit, desk: Desk): Promise<ServerAnswer> {
  const { appId, signature } = readAuthorization(request.headers['authorization']);
  const isImage = request.path === '/api/v1/images';
  if (appId !== desk.tools.credentials['appId']) {
    // Spelt so by the vendor: `note` for images, `not` for videos.
    return fail(visit, 400, 'PARAMETER_ERROR', isImage ? 'note found appid' : 'not found appid');
  }
  if (!isSignedBy(desk.tools.credentials['token'] ?? '', request, signature)) {
    return fail(visit, 401, 'PARAMETER_ERROR', 'sign error');
  }
  const [, route = '', id = ''] = /^(\/api\/v1\/\w+)(?:\/(\d+))?$/.exec(request.path) ?? [];
  switch (`${request.method} ${route}`) {
    case 'POST /api/v1/images':
      return await answerImages(request, visit, desk);
    case 'POST /api/v1/videos':
      return submitVideo(request, visit, desk);
    case 'POST /api/v1/batch_videos':
      return submitBatch(request, visit, desk);
    // A POST without a body for one job, but a GET for a batch.
    case 'POST /api/v1/async_jobs':
      return showJob(visit, 'job', await desk.book.read(Number(id)));
    case 'GET /api/v1/batch_jobs':
      return showJob(visit, 'jobs', await desk.book.readBatch(Number(id)));
    default:
      return fail(visit, 404, 'PARAMETER_ERROR', 'page not found');
  }
}

/** What the body asks for: a model of the vendor's, under its own name or a customer's, and its units a call. */
function readAsked(
  request: ServerRequest,
  struct: 'ImageRequest' | 'VideoRequest' | 'BatchVideoRequest',
  models: ReadonlySet<string>,
  { board }: Desk,
): { readonly body: Body; readonly units: number } | { readonly status: number; readonly message: string } {
  const { customModels, outOfRange } = board.read();
  const read = readBody(request, struct);
  if (typeof read === 'string') return { status: 400, message: read };
  if (struct === 'ImageRequest' && read.image === '') return { status: 400, message: 'image is empty' };
  if (struct === 'BatchVideoRequest' && read.videos.length === 0) {
    return { status: 400, message: 'videos is empty' };
  }
  const custom = Object.hasOwn(customModels, read.model) ? customModels[read.model] : undefined;
  const body = custom ? { ...read, model: custom.like } : read;
  if (!models.has(`${body.action}/${body.model}`)) return { status: 404, message: 'model not found' };
  const odd = outOfRange === 'refuse' ? findOutOfRange(body.configure) : undefined;
  if (odd !== undefined) return { status: 400, message: `${odd} is out of range` };
  return { body, units: custom?.units ?? 1 };
}

function findOutOfRange(configure: Body['configure']): string | undefined {
  const isOdd = (value: unknown) => typeof value !== 'number' || value < 1 || value > 10;
  return Object.entries(configure).find(([key, value]) => key.endsWith('_top_k') && isOdd(value))?.[0];
}

async function answerImages(request: ServerRequest, visit: Visit, desk: Desk): Promise<ServerAnswer> {
  const asked = readAsked(request, 'ImageRequest', imageModels, desk);
  if ('message' in asked) return fail(visit, asked.status, 'PARAMETER_ERROR', asked.message);
  const { body, units } = asked;
  // A call that reaches the model is metered, whatever comes of it.
  visit.countSubmission([refOf(body.image)]);
  visit.countUnits({ 'pai/basic': units });
  if (visit.modelFails) return fail(visit, 422, 'SEVER_ERROR', 'model inference failed');
  const seen = await lookAtImage(body.image, desk.tools);
  if (!seen.ok) return fail(visit, 422, 'SEVER_ERROR', seen.message);
  return succeed(visit, answerImage(body.action, body.model, seen.media, body.configure));
}

function submitVideo(request: ServerRequest, visit: Visit, desk: Desk): ServerAnswer {
  const asked = readAsked(request, 'VideoRequest', videoModels, desk);
  if ('message' in asked) return fail(visit, asked.status, 'PARAMETER_ERROR', asked.message);
  const { body, units } = asked;
  const media = body.videoUrl || body.images[0] || `text:${digest(body.text)}`;
  visit.countSubmission([refOf(media)]);
  visit.countUnits({ 'pai/advanced': units });
  return succeed(visit, { job_id: desk.book.add(makeJob(body, body.videoUrl, visit, 0, 1, desk, false)) });
}

function submitBatch(request: ServerRequest, visit: Visit, desk: Desk): ServerAnswer {
  const asked = readAsked(request, 'BatchVideoRequest', batchModels, desk);
  if ('message' in asked) return fail(visit, asked.status, 'PARAMETER_ERROR', asked.message);
  const { body, units } = asked;
  visit.countSubmission(body.videos.map(({ url }) => refOf(url)));
  visit.countUnits({ 'pai/advanced': units * body.videos.length });
  const jobs = body.videos.map(({ url }, index) =>
    makeJob(body, url, visit, index, body.videos.length, desk, true),
  );
  return succeed(visit, { batch_id: desk.book.addBatch(jobs) });
}

/** The work begins now; the elements of a batch finish one after the other. */
function makeJob(
  body: Body,
  url: string,
  { faults, number }: Visit,
  index: number,
  count: number,
  { tools, board }: Desk,
  isBatch: boolean,
): NewJob {
  const fails = faults.modelFailure > jitter(`${faults.seed}/modelFailure/${number}/${index}`);
  return {
    object: url,
    action: body.action,
    lengthMs: faults.jobMs * (1 + index / count),
    ending: fails
      ? Promise.resolve({ failure: 'model inference failed' })
      : endJob(body, url, isBatch, tools, board.read()).catch((error: unknown) => ({
          failure: String(error),
        })),
  };
}

async function endJob(
  body: Body,
  url: string,
  isBatch: boolean,
  tools: EmulatorTools,
  { duration, embeddings }: PaiSwitches,
): Promise<Ending> {
  const isPost = body.action === 'MultiModalClassify';
  if (url === '' && !isPost) return { failure: 'Invalid Input - video data error - load video failed' };
  const seen = url === '' ? undefined : await lookAtVideo(url, tools);
  if (seen && !seen.ok) return { failure: seen.message };
  const images = await Promise.all(body.images.map((image) => lookAtImage(image, tools)));
  const bad = images.find((image) => !image.ok);
  if (bad && !bad.ok) return { failure: bad.message };
  const video = seen?.media;
  if (body.action === 'VideoQA' && video) {
    const isWhole = duration === 'as sampled' ? !isBatch : duration === 'int';
    return { result: answerVideoQuality(video, isWhole) };
  }
  const hashes = images.map((image) => (image.ok ? image.media.sha256 : ''));
  const seed = isPost
    ? digest([body.text, video?.sha256 ?? '', ...hashes].join('\n'))
    : (video?.sha256 ?? '');
  // Lengths as in the samples: 32 for posts, 64 for one video, 22 in batches.
  const sampled = isBatch ? 22 : 64;
  const dimensions = isPost ? 32 : embeddings === 'as sampled' ? sampled : embeddings;
  const isWhole = duration === 'int';
  return { result: answerLabels({ sha256: seed }, video, body.configure, { dimensions, isWhole }) };
}

/** What the vendor answers to an unknown id is not documented. */
function showJob(visit: Visit, name: 'job' | 'jobs', found: unknown): ServerAnswer {
  if (found === undefined) return fail(visit, 404, 'PARAMETER_ERROR', 'job not found');
  return succeed(visit, { [name]: found });
}

function succeed(visit: Visit, data: unknown): ServerAnswer {
  return answerJson(200, { code: 'OK', data, message: 'success', request_id: makeRequestId(visit) });
}

function fail(
  visit: Visit,
  status: number,
  code: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): ServerAnswer {
  return answerJson(status, { code, message, request_id: makeRequestId(visit) }, headers);
}

/** Looks like a UUID and follows from the visit's number, so that a run can be replayed. */
function makeRequestId({ number, faults }: Visit): string {
  const hex = digest(`${faults.seed}/${number}`);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** The name under which a submission is counted: the link without its query, or the digest of an inline image. */
function refOf(media: string): string {
  return /^https?:/i.test(media)
    ? (media.split('?')[0] ?? '')
    : media.startsWith('text:')
      ? media
      : `sha256:${digest(media)}`;
}
