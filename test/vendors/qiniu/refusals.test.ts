import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Outcome } from '../../../src/domain/outcome.ts';
import { qiniu } from '../../../src/vendors/qiniu/index.ts';
import { videoCensor } from '../../../src/vendors/qiniu/video-censor.ts';
import { readFixture, replyWith } from './stand-in.ts';

const row = z.object({ http_status: z.number(), message: z.string() });
const table = z
  .object({ v1_video: z.array(row), v1_video_other_description: z.array(row) })
  .parse(JSON.parse(readFixture('errors.table.json').toString('utf8')));

const options = { ops: [{ op: 'pulp' }] };
const element = {
  ref: 'ref-1',
  item: { id: 'a', position: new Uint8Array() },
  link: 'http://m.example/a.mp4',
};
const submission = { elements: [element], options, model: '', delivery: 'poll', isBatch: false } as const;
const reading = {
  job: 'j',
  elements: [{ ref: 'ref-1', position: 0, linkHash: 'h' }],
  options,
  isBatch: false,
};

const submit = (status: number, body: unknown, headers = {}): Outcome | undefined =>
  videoCensor.readSubmission(replyWith(status, body, headers), submission)[0];
const read = (status: number, body: unknown, headers = {}): Outcome | undefined =>
  videoCensor.readJob?.(replyWith(status, body, headers), reading)[0];
const failed = (error: unknown) => read(200, { id: 'j', vid: 'ref-1', status: 'FAILED', error });

describe('a documented error row', () => {
  const rows = [...table.v1_video, ...table.v1_video_other_description];
  const classes: Readonly<Record<string, string>> = {
    'cannot find the video': 'media-missing',
    'cannot open the file': 'media-unreadable',
  };

  it.each(
    rows.filter((one) => one.http_status < 500),
  )('gives a submission up, books it as refused: $http_status "$message"', ({
    http_status: status,
    message,
  }) => {
    expect(submit(status, { code: status, error: message })).toEqual({
      is: 'refused',
      refusal: {
        reaction: 'give-up',
        class: classes[message] ?? 'bad-request',
        code: String(status),
        httpStatus: status,
        message,
        booking: 'refused',
        ...(message === 'cannot find the video' ? { isLinkDead: true } : {}),
      },
    });
  });

  it.each(
    rows.filter((one) => one.http_status >= 500),
  )('leaves the fate of a submission open: $http_status "$message"', ({ http_status: status, message }) => {
    expect(submit(status, { error: message })).toEqual({
      is: 'unknown',
      cause: `HTTP ${status}: ${message}`,
      httpStatus: status,
    });
  });

  it.each(rows)('ends a job that FAILED with it: "$message"', ({ message }) => {
    const isMemory = message === 'cannot allow memory';
    expect(failed(message)).toMatchObject({
      is: 'refused',
      refusal: {
        reaction: isMemory ? 'try-again' : 'give-up',
        class: isMemory ? 'vendor-memory' : (classes[message] ?? 'job-failed'),
        message,
        booking: 'failedJob',
      },
    });
  });

  it.each(
    rows.filter((one) => one.http_status < 500),
  )('at the read of a job speaks of the job: $http_status "$message"', ({ http_status: status, message }) => {
    expect(read(status, { error: message })).toMatchObject({
      is: 'refused',
      refusal: { reaction: 'give-up', booking: 'failedJob', message },
    });
  });
});

describe('a status of the platform', () => {
  const halts = [
    [401, 'bad token', 'bad-signature'],
    [403, 'request time too skewed', 'clock-skew'],
    [403, 'the difference between the request time and server time is too large: time skew', 'clock-skew'],
    [403, 'forbidden', 'access-denied'],
    [419, 'account frozen', 'account-frozen'],
  ] as const;

  it.each(halts)('%i "%s" halts the account as %s, at submissions and reads', (status, error, name) => {
    const expected = {
      is: 'refused',
      refusal: { reaction: 'halt', halts: 'account', class: name, httpStatus: status, message: error },
    };
    expect(submit(status, { error })).toMatchObject(expected);
    expect(read(status, { error })).toMatchObject(expected);
    expect(qiniu.readRefusal(replyWith(status, { error }))).toMatchObject(expected.refusal);
  });

  it.each([
    [429, {}, undefined],
    [573, {}, undefined],
    [429, { 'retry-after': '7' }, 7000],
    [503, { 'retry-after': '2' }, 2000],
    [503, { 'retry-after': 'Fri, 20 Nov 2026 02:00:30 GMT', date: 'Fri, 20 Nov 2026 02:00:00 GMT' }, 30_000],
    [503, { 'retry-after': 'soon' }, undefined],
  ])('%i with %j slows down, at submissions and reads', (status, headers, retryAfterMs) => {
    const expected = { is: 'refused', refusal: { reaction: 'slow-down', retryAfterMs } };
    expect(submit(status, { error: 'slow' }, headers)).toMatchObject(expected);
    expect(read(status, { error: 'slow' }, headers)).toMatchObject(expected);
  });

  it.each([500, 502, 503, 504, 579, 599])('%i leaves a submission unknown and a read waiting', (status) => {
    expect(submit(status, '<html>bad gateway</html>')).toEqual({
      is: 'unknown',
      cause: `HTTP ${status}: <html>bad gateway</html>`,
      httpStatus: status,
    });
    expect(read(status, '')).toEqual({ is: 'waiting', note: `HTTP ${status}: HTTP ${status}` });
    expect(qiniu.readRefusal(replyWith(status, ''))).toBeUndefined();
  });

  it.each([302, 404, 405])('%i at a submission stops the service: the address is wrong', (status) => {
    expect(submit(status, 'not here')).toMatchObject({
      is: 'refused',
      refusal: { reaction: 'halt', halts: 'service', class: 'wrong-endpoint', message: 'not here' },
    });
  });

  it.each([404, 612])('%i at the read of a job means that it is gone', (status) => {
    expect(read(status, { code: status, error: 'job not found' })).toEqual({
      is: 'gone',
      message: 'job not found',
    });
  });

  it('631 names a missing bucket, 612 a dead link', () => {
    expect(submit(631, { error: 'no such bucket' })).toMatchObject({
      refusal: { reaction: 'give-up', class: 'bucket-missing' },
    });
    expect(submit(612, { error: 'no such file' })).toMatchObject({
      refusal: { reaction: 'give-up', class: 'media-missing', isLinkDead: true },
    });
  });

  it('that nobody documented gives the task up with the text kept, and lets a read ask again', () => {
    expect(submit(418, 'I am a teapot')).toMatchObject({
      refusal: { reaction: 'give-up', class: 'refused', httpStatus: 418, message: 'I am a teapot' },
    });
    expect(read(418, 'I am a teapot')).toEqual({ is: 'waiting', note: 'HTTP 418: I am a teapot' });
  });
});

describe('the words of the vendor', () => {
  it.each([
    [{ code: 400, error: 'bad op' }, '400', 'bad op'],
    [{ error: 'bad op' }, '', 'bad op'],
    [{ code: 'E1', message: 'bad op' }, 'E1', 'bad op'],
    [{ error: { deep: 1 }, message: 7 }, '', '{"error":{"deep":1},"message":7}'],
    ['plain text', '', 'plain text'],
    ['', '', 'HTTP 400'],
    ['null', '', 'null'],
  ])('are read from %j', (body, code, message) => {
    expect(submit(400, body)).toMatchObject({ refusal: { code, message } });
  });

  it('lose the queries of links and all beyond 500 characters', () => {
    const long = submit(400, {
      error: `cannot fetch http://m.example/a.mp4?e=1&token=secret ${'x'.repeat(900)}`,
    });
    const message = long?.is === 'refused' ? long.refusal.message : '';
    expect(message).toMatch(/^cannot fetch http:\/\/m\.example\/a\.mp4 x+$/);
    expect(message.length).toBeLessThanOrEqual(500);
    expect(failed('cannot fetch http://m.example/a.mp4?e=1&token=secret')).toMatchObject({
      refusal: { message: 'cannot fetch http://m.example/a.mp4' },
    });
  });
});

describe('a job that FAILED', () => {
  it('because the link led nowhere tells that the link may have died', () => {
    expect(failed('cannot find the video')).toMatchObject({ refusal: { isLinkDead: true } });
  });

  it.each([undefined, null, '', { deep: 1 }])('with the error %j is given up all the same', (error) => {
    expect(failed(error)).toMatchObject({
      is: 'refused',
      refusal: { reaction: 'give-up', class: 'job-failed', message: 'FAILED', booking: 'failedJob' },
    });
  });
});

describe('a refusal of the vendor as a whole', () => {
  it('is none for a success', () => {
    expect(qiniu.readRefusal(replyWith(200, []))).toBeUndefined();
  });

  it('is a give-up for an unknown job, never a halt', () => {
    expect(qiniu.readRefusal(replyWith(404, { error: 'job not found' }))).toMatchObject({
      reaction: 'give-up',
      class: 'not-found',
    });
  });
});
