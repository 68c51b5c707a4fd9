import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { EmulatorFaults, KnownMedia } from '../../../src/domain/emulator.ts';
import { noFaults } from '../../../src/domain/emulator.ts';
import type { ServerAnswer } from '../../../src/domain/exchange.ts';
import { paiEmulator } from '../../../src/vendors/pai/emulator/index.ts';
import { formatTime } from '../../../src/vendors/pai/emulator/job.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const picture = readFileSync(new URL('../../fixtures/pai/picture.jpg', import.meta.url));
const clip = readFileSync(new URL('../../fixtures/pai/clip.mp4', import.meta.url));
const media = new Map<string, Uint8Array>([
  ['http://127.0.0.1:9/picture.jpg?sig=1', picture],
  ['http://127.0.0.1:9/clip.mp4?sig=1', clip],
  ['http://127.0.0.1:9/notes.txt', Buffer.from('no picture')],
]);
const pictureUrl = 'http://127.0.0.1:9/picture.jpg?sig=1';
const clipUrl = 'http://127.0.0.1:9/clip.mp4?sig=1';
const { appId = '', token = '' } = paiEmulator.credentials;

/** Signs as the vendor's page says, apart from our client. */
function authorise(method: string, path: string, body: string, key = token): string {
  const digest = createHash('md5').update(body).digest('hex');
  return createHmac('sha256', key).update(`${method}\n${digest}\n${path}`).digest('hex');
}

function open(faults: Partial<EmulatorFaults> = {}, known: ReadonlyMap<string, KnownMedia> = new Map()) {
  const clock = new VirtualClock();
  const emulator = paiEmulator.open({
    clock,
    credentials: paiEmulator.credentials,
    faults: { ...noFaults, ...faults },
    knownMedia: known,
    callBack: () => Promise.resolve(undefined),
    reader: {
      read: (url, start, end) => {
        const bytes = media.get(url);
        return Promise.resolve(
          bytes
            ? { ok: true, bytes: bytes.subarray(start, end), totalBytes: bytes.length }
            : { ok: false, status: 403, message: 'forbidden' },
        );
      },
    },
  });
  const sendText = async (method: string, path: string, body = '', authorization?: string) => {
    const answer = await clock.drive(
      emulator.handler({
        method,
        path,
        query: '',
        headers: { authorization: authorization ?? `${appId}:${authorise(method, path, body)}` },
        body: new TextEncoder().encode(body),
      }),
    );
    return readAnswer(answer);
  };
  return {
    emulator,
    clock,
    sendText,
    send: (path: string, body: unknown) => sendText('POST', path, JSON.stringify(body)),
  };
}

const envelope = z.object({
  code: z.string(),
  message: z.string(),
  request_id: z.string(),
  data: z.unknown().optional(),
});

function readAnswer(answer: ServerAnswer) {
  if (answer.fault) return { status: 0, code: '', message: answer.fault, request_id: '', data: undefined };
  return { status: answer.status, ...envelope.parse(JSON.parse(String(answer.body))) };
}

type Sent = Awaited<ReturnType<ReturnType<typeof open>['send']>>;
const told = ({ status, code, message }: Sent) => [status, code, message];

const job = z.looseObject({ state: z.number(), message: z.string(), Result: z.string() });
const single = z.object({ job });
const batch = z.object({ jobs: z.array(job) });

describe('checks come in the documented order', () => {
  const path = '/api/v1/images';
  const body = JSON.stringify({ action: 'ImageQA', image: pictureUrl });

  it.each([
    ['no authorisation, and no JSON either', '', '{', [400, 'PARAMETER_ERROR', 'note found appid']],
    [
      'another AppId',
      `other:${authorise('POST', path, body)}`,
      body,
      [400, 'PARAMETER_ERROR', 'note found appid'],
    ],
    [
      'another token, and no JSON either',
      `${appId}:${authorise('POST', path, '{', 'x')}`,
      '{',
      [401, 'PARAMETER_ERROR', 'sign error'],
    ],
    [
      'a body with one byte more',
      `${appId}:${authorise('POST', path, body)}`,
      `${body}\n`,
      [401, 'PARAMETER_ERROR', 'sign error'],
    ],
  ])('%s', async (_title, authorization, text, expected) => {
    expect(told(await open().sendText('POST', path, text, authorization))).toEqual(expected);
  });

  it.each([
    ['{', [400, 'PARAMETER_ERROR', 'Invalid Input - json format error - json parse runtime exception']],
    [
      '{"action":"ImageQA","image":1234567890123}',
      [
        400,
        'PARAMETER_ERROR',
        'Unmarshal type error: expected=string, got=number, field=image, offset=41, internal=json: cannot unmarshal number into Go struct field ImageRequest.image of type string',
      ],
    ],
    ['{"action":"Nonsense"}', [400, 'PARAMETER_ERROR', 'image is empty']],
    ['{"action":"ImageQA","image":null}', [400, 'PARAMETER_ERROR', 'image is empty']],
    ['{"action":"Nonsense","image":"x"}', [404, 'PARAMETER_ERROR', 'model not found']],
    ['{"action":"ImageQA","image":"x","model_name":"tagger"}', [404, 'PARAMETER_ERROR', 'model not found']],
    [
      '{"action":"ImageQA","image":"###"}',
      [
        422,
        'SEVER_ERROR',
        'Invalid Input - image data error - base64decode error: base64decode error: incorrect base64 format data',
      ],
    ],
    [
      '{"action":"ImageQA","image":"http://127.0.0.1:9/gone.jpg"}',
      [422, 'SEVER_ERROR', 'Invalid Input - image data error - fetch resource failed\tcode = 403'],
    ],
    [
      '{"action":"ImageQA","image":"http://127.0.0.1:9/notes.txt"}',
      [422, 'SEVER_ERROR', 'Invalid Input - image data error - decode failed'],
    ],
  ])('%s', async (text, expected) => {
    expect(told(await open().sendText('POST', path, text))).toEqual(expected);
  });

  it('says "not found appid" to videos and reads', async () => {
    for (const [method, at] of [
      ['POST', '/api/v1/videos'],
      ['POST', '/api/v1/async_jobs/1'],
      ['GET', '/api/v1/batch_jobs/1'],
    ] as const) {
      expect(told(await open().sendText(method, at, '', 'nobody:00'))).toEqual([
        400,
        'PARAMETER_ERROR',
        'not found appid',
      ]);
    }
  });

  it.each([
    [
      'pretty-printed with escapes, as PHP does',
      '{\n    "action": "ImageQA",\n    "image": "http:\\/\\/127.0.0.1:9\\/picture.jpg?sig=1",\n    "model_name": "",\n    "configure": {}\n}',
    ],
    ['with a line feed after it, as Go does', `${body}\n`],
    [
      'with a null configure',
      JSON.stringify({ action: 'ImageQA', image: pictureUrl, model_name: '', configure: null }),
    ],
  ])('a body is taken %s', async (_title, text) => {
    expect((await open().sendText('POST', path, text)).status).toBe(200);
  });
});

describe('image answers', () => {
  const ask = async (body: Readonly<Record<string, unknown>>, known = open()) =>
    (await known.send('/api/v1/images', { image: pictureUrl, ...body })).data;

  it('have the picture’s real size and two decimals, and are the same each time', async () => {
    const first = z.looseObject({ iqa_result: z.number() }).parse(await ask({ action: 'ImageQA' }));
    expect(first).toMatchObject({ image_width: 398, image_height: 214 });
    expect(first.iqa_result).toBe(Number(first.iqa_result.toFixed(2)));
    expect(await ask({ action: 'ImageQA' })).toEqual(first);
  });

  it('are the same for the image itself in base64', async () => {
    const inline = await ask({ action: 'ImageQA', image: picture.toString('base64') });
    expect(inline).toEqual(await ask({ action: 'ImageQA' }));
  });

  const labels = z.object({
    tag_result: z.array(z.object({ tag: z.string(), score: z.number() })),
    embedding_result: z.string().optional(),
  });

  it.each([
    [{}, 10, 512],
    [{ tag_top_k: 3, output_embedding: false }, 3, 0],
    [{ tag_top_k: 99 }, 10, 512],
  ])('with configure %o have %i labels in falling order and a vector of %i', async (configure, count, length) => {
    const answer = labels.parse(await ask({ action: 'MultiLabelImageV2', configure }));
    const scores = answer.tag_result.map(({ score }) => score);
    expect(scores).toHaveLength(count);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(answer.embedding_result?.split(',').length ?? 0).toBe(length);
  });

  it('are bare base64 where a picture comes back', async () => {
    for (const model_name of ['body_reshaping', 'watermark_remover']) {
      expect(await ask({ action: 'MultiLabelImageV2', model_name })).toBe(picture.toString('base64'));
    }
  });

  it('name fewer words of a painting above a higher threshold', async () => {
    const count = async (threshold: number) => {
      const data = await ask({ action: 'MultiLabelImageV2', model_name: 'tagger', configure: { threshold } });
      return z
        .object({ caption: z.string(), probs: z.array(z.number()) })
        .parse(data)
        .caption.split(', ')
        .filter(Boolean).length;
    };
    expect(await count(0)).toBeGreaterThan(await count(0.9));
  });

  it('have faces inside the picture whose classes sum to 1', async () => {
    const face = z.object({ bbox: z.array(z.number()), FaceShape: z.record(z.string(), z.number()) });
    const shape = z.object({ attr: z.array(face) });
    // The same picture with other bytes after its end has other faces.
    const variants = Array.from({ length: 8 }, (_, tail) => Buffer.concat([picture, Buffer.from([tail])]));
    const answers = await Promise.all(
      variants.map((bytes) => ask({ action: 'FaceAttrImage', image: bytes.toString('base64') })),
    );
    const attr = answers.flatMap((answer) => shape.parse(answer).attr);
    expect(attr.length).toBeGreaterThan(0);
    for (const { bbox, FaceShape } of attr) {
      const [left = 0, top = 0, right = 0, bottom = 0] = bbox;
      expect(left >= 0 && top >= 0 && right <= 398 && bottom <= 214 && right - left > 100).toBe(true);
      expect(Object.values(FaceShape).reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 2);
    }
  });
});

describe('jobs', () => {
  const readJob = async (opened: ReturnType<typeof open>, id: number) =>
    single.parse((await opened.sendText('POST', `/api/v1/async_jobs/${id}`)).data).job;

  it('go from 0 over 1 to 2 by the clock, with the real length and size of the file', async () => {
    const opened = open({ jobMs: 400 });
    const sent = await opened.send('/api/v1/videos', { action: 'VideoQA', video_url: clipUrl });
    expect(sent.data).toEqual({ job_id: 1 });
    const states: number[] = [];
    for (let read = 0; read < 5; read += 1) {
      states.push((await readJob(opened, 1)).state);
      await opened.clock.drive(opened.clock.sleep(110));
    }
    expect(states).toEqual([0, 1, 1, 1, 2]);
    const { Result, ...rest } = await readJob(opened, 1);
    expect(JSON.parse(Result)).toMatchObject({ width: 320, height: 240, avg_fps: 10, duration: 2 });
    expect(rest).toMatchObject({ app_id: appId, id: 1, message: 'success', state: 2 });
    expect(opened.emulator.state().openJobs).toBe(0);
  });

  it('take what is known of a file before what they can see', async () => {
    const known = new Map([
      [createHash('sha256').update(clip).digest('hex'), { width: 1, height: 2, durationSeconds: 9.5 }],
    ]);
    const opened = open({ jobMs: 0 }, known);
    await opened.send('/api/v1/videos', { action: 'ClassifyLabelVideo', video_url: clipUrl });
    const { Result } = await readJob(opened, 1);
    expect(Result.endsWith('}\n')).toBe(true);
    expect(JSON.parse(Result)).toMatchObject({ video_width: 1, video_height: 2, duration: 9.5 });
  });

  it.each([
    ['http://127.0.0.1:9/gone.mp4', 'failed to download video, err=fetch resource failed\tcode = 403'],
    ['http://127.0.0.1:9/notes.txt', 'Invalid Input - video data error - load video failed'],
    ['', 'Invalid Input - video data error - load video failed'],
  ])('of %j are accepted and fail later', async (video_url, message) => {
    const opened = open({ jobMs: 0 });
    expect((await opened.send('/api/v1/videos', { action: 'VideoQA', video_url })).status).toBe(200);
    expect(await readJob(opened, 1)).toMatchObject({ state: 3, message, Result: '' });
  });

  it('of a post without a video have "" for its size and length, and 32 numbers', async () => {
    const opened = open({ jobMs: 0 });
    await opened.send('/api/v1/videos', {
      action: 'MultiModalClassify',
      model_name: 'multi_modal_tag',
      video_url: '',
      text: '晨跑',
      images: [pictureUrl],
      configure: { tag_top_k: 2, output_classification: false },
    });
    const result = z
      .looseObject({ tag_result: z.array(z.unknown()), embedding_result: z.string() })
      .parse(JSON.parse((await readJob(opened, 1)).Result));
    expect(result).toMatchObject({ video_height: '', video_width: '', duration: '' });
    expect(result).not.toHaveProperty('classification_result');
    expect([result.tag_result.length, result.embedding_result.split(',').length]).toEqual([2, 32]);
  });

  it('of a batch finish one after the other, name their links, and are read by GET', async () => {
    const opened = open({ jobMs: 400 });
    const videos = [{ url: clipUrl }, { url: 'http://127.0.0.1:9/gone.mp4', title: 'x' }];
    expect((await opened.send('/api/v1/batch_videos', { action: 'VideoQA', videos })).data).toEqual({
      batch_id: 1,
    });
    await opened.clock.drive(opened.clock.sleep(450));
    const readAll = async () => batch.parse((await opened.sendText('GET', '/api/v1/batch_jobs/1')).data).jobs;
    expect((await readAll()).map(({ state }) => state)).toEqual([2, 1]);
    await opened.clock.drive(opened.clock.sleep(450));
    const jobs = await readAll();
    expect(jobs.map(({ state, object, batch_id }) => [state, object, batch_id])).toEqual([
      [2, clipUrl, 1],
      [3, 'http://127.0.0.1:9/gone.mp4', 1],
    ]);
    expect(JSON.parse(jobs[0]?.Result ?? '')).toMatchObject({ duration: 2.4 });
    expect(opened.emulator.state()).toMatchObject({
      submissions: 1,
      units: { 'pai/advanced': 2 },
      submitted: { 'http://127.0.0.1:9/clip.mp4': 1, 'http://127.0.0.1:9/gone.mp4': 1 },
    });
  });

  it.each([
    ['POST', '/api/v1/async_jobs/7', 'job not found'],
    ['GET', '/api/v1/batch_jobs/7', 'job not found'],
    ['GET', '/api/v1/async_jobs/1', 'page not found'],
    ['POST', '/api/v1/batch_jobs/1', 'page not found'],
    ['POST', '/api/v1/text', 'page not found'],
  ])('%s %s is %s', async (method, path, message) => {
    expect(told(await open().sendText(method, path))).toEqual([404, 'PARAMETER_ERROR', message]);
  });

  it('have no batch form for posts, and no empty batch', async () => {
    const videos = [{ url: clipUrl }];
    const action = 'MultiModalClassify';
    const post = await open().send('/api/v1/batch_videos', { action, model_name: 'multi_modal_tag', videos });
    expect(told(post)).toEqual([404, 'PARAMETER_ERROR', 'model not found']);
    const empty = await open().send('/api/v1/batch_videos', { action: 'VideoQA', videos: [] });
    expect(told(empty)).toEqual([400, 'PARAMETER_ERROR', 'videos is empty']);
  });
});

describe('model failures', () => {
  it('are a 422 for images and state 3 for jobs, and are billed', async () => {
    const opened = open({ modelFailure: 1, jobMs: 0 });
    const image = await opened.send('/api/v1/images', { action: 'ImageQA', image: pictureUrl });
    expect(told(image)).toEqual([422, 'SEVER_ERROR', 'model inference failed']);
    await opened.send('/api/v1/videos', { action: 'VideoQA', video_url: clipUrl });
    const { data } = await opened.sendText('POST', '/api/v1/async_jobs/1');
    expect(single.parse(data).job).toMatchObject({ state: 3, message: 'model inference failed' });
    expect(opened.emulator.state().units).toEqual({ 'pai/basic': 1, 'pai/advanced': 1 });
  });
});

describe('times', () => {
  it.each([
    ['2022-09-07T06:03:33.800Z', '2022-09-07T14:03:33.8+08:00'],
    ['2022-10-12T02:51:30.015Z', '2022-10-12T10:51:30.015+08:00'],
    ['2022-10-12T20:51:30.000Z', '2022-10-13T04:51:30+08:00'],
  ])('%s is %s: trailing zeros of the fraction are cut', (instant, text) => {
    expect(formatTime(Date.parse(instant))).toBe(text);
  });
});
