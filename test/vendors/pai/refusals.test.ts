import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Reply } from '../../../src/domain/exchange.ts';
import { findService } from '../../../src/domain/service.ts';
import type { Submission } from '../../../src/domain/service.ts';
import { pai } from '../../../src/vendors/pai/index.ts';
import { readJobFailure, readRefusal, readTrouble } from '../../../src/vendors/pai/refusals.ts';

const row = z.object({
  http_status: z.number().optional(),
  state: z.number().optional(),
  code: z.string().optional(),
  message: z.string().nullable(),
});
const table = z
  .object({ image_request: z.array(row), video_request: z.array(row), video_result: z.array(row) })
  .parse(JSON.parse(readFileSync(new URL('../../fixtures/pai/errors.table.json', import.meta.url), 'utf8')));

function makeReply(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Reply {
  return { status, headers, body: JSON.stringify({ request_id: 'r', code, message }) };
}

/** Documented row (status and message, or the model's own words) to what we make of it. */
const reactions: Readonly<Record<string, readonly [string, string, string, string?]>> = {
  '400 image is empty': ['give-up', 'media-missing', 'refused'],
  '400 note found appid': ['halt', 'unknown-app-id', 'refused', 'account'],
  '400 Unmarshal type error': ['give-up', 'bad-request', 'refused'],
  '401 sign error': ['halt', 'bad-signature', 'refused', 'account'],
  '404 model not found': ['halt', 'model-not-found', 'refused', 'service'],
  '422 words of the model': ['give-up', 'model-failed', 'modelFailed'],
  '400 not found appid': ['halt', 'unknown-app-id', 'refused', 'account'],
};
const rows = [...table.image_request, ...table.video_request].map((one) => {
  const words = one.message ?? 'words of the model';
  return {
    ...one,
    status: one.http_status ?? 0,
    words,
    key: `${one.http_status} ${words.replace(/:.*$/s, '')}`,
  };
});

describe('the error table', () => {
  it('has nine rows for requests and two for results', () => {
    expect([rows.length, table.video_result.length]).toEqual([9, 2]);
  });

  it.each(rows)('$key', ({ status, code = '', words, key }) => {
    const [reaction, classed, booking, halts] = reactions[key] ?? [];
    expect(readRefusal(makeReply(status, code, words))).toEqual({
      reaction,
      class: classed,
      booking,
      ...(halts ? { halts } : {}),
      code,
      httpStatus: status,
      message: words,
    });
  });

  it('gives up a job in state 3: a dead link is told from a failure of the model', () => {
    const [dead, model] = table.video_result.map(({ message }) =>
      readJobFailure(message ?? 'words of the model'),
    );
    expect(dead).toEqual({
      reaction: 'give-up',
      class: 'media-unreadable',
      booking: 'failedJob',
      code: '',
      message: 'failed to download video, err=fetch resource failed\tcode = 404',
      isLinkDead: true,
    });
    expect(model).toEqual({
      reaction: 'give-up',
      class: 'model-failed',
      booking: 'failedJob',
      code: '',
      message: 'words of the model',
    });
  });
});

describe('a dead link', () => {
  it.each([
    ['failed to download video, err=fetch resource failed\tcode = 403', true],
    ['failed to download video, err=fetch resource failed\\tcode = 401', true],
    ['failed to download video, err=fetch resource failed code=404', true],
    ['failed to download video, err=fetch resource failed\tcode = 500', undefined],
    ['failed to download video, err=fetch resource failed\tcode = 4040', undefined],
    ['model failed, code = 404', undefined],
  ])('%j: %s', (message, isLinkDead) => {
    expect(readJobFailure(message).isLinkDead).toBe(isLinkDead);
  });
});

describe('messages that the manual lists without a status', () => {
  it.each([
    [
      'Invalid Input - image data error - base64decode error: incorrect base64 format data',
      'media-unreadable',
    ],
    ['Invalid Input-image data error - cannot decode', 'media-unreadable'],
    ['Invalid Input - video data error - load video failed', 'media-unreadable'],
    ['Invalid Input - json format error - json parse runtime exception', 'bad-request'],
  ])('%s', (message, classed) => {
    for (const status of [200, 400, 422]) {
      const refusal = readRefusal(makeReply(status, 'PARAMETER_ERROR', message));
      expect([refusal?.reaction, refusal?.class]).toEqual(['give-up', classed]);
    }
  });

  it('takes the right spelling of SEVER_ERROR too', () => {
    for (const code of ['SEVER_ERROR', 'SERVER_ERROR']) {
      expect(readRefusal(makeReply(200, code, 'x'))?.class).toBe('model-failed');
    }
  });
});

describe('answers that no table has', () => {
  it.each([
    ['429', 429, {}, undefined],
    ['429 with seconds', 429, { 'retry-after': '7' }, 7000],
    ['503 with seconds', 503, { 'retry-after': '2' }, 2000],
    [
      '503 with a date',
      503,
      { 'retry-after': 'Fri, 20 Nov 2026 02:00:30 GMT', date: 'Fri, 20 Nov 2026 02:00:00 GMT' },
      30_000,
    ],
    [
      '503 with a date that is past',
      503,
      { 'retry-after': 'Fri, 20 Nov 2026 02:00:00 GMT', date: 'Fri, 20 Nov 2026 02:00:09 GMT' },
      0,
    ],
    ['429 with nonsense', 429, { 'retry-after': 'soon' }, undefined],
  ])('slow down: %s', (_title, status, headers, retryAfterMs) => {
    const refusal = readRefusal({ status, headers, body: 'busy' });
    expect(refusal).toMatchObject({
      reaction: 'slow-down',
      class: 'throttled',
      booking: 'refused',
      message: 'busy',
    });
    expect(refusal?.retryAfterMs).toBe(retryAfterMs);
  });

  it.each([500, 502, 503, 504, 599])('leave the fate of a submission open: %i', (status) => {
    const reply = makeReply(status, 'SEVER_ERROR', 'upstream died');
    expect(readRefusal(reply)).toBeUndefined();
    expect(readTrouble(reply)).toEqual({
      is: 'unknown',
      cause: `server error ${status}: upstream died`,
      httpStatus: status,
    });
  });

  it.each([
    '',
    '<html>',
    '{"code":"OK","data":{"iqa_res',
    '[]',
    '{"data":{}}',
  ])('leave it open too where a success cannot be read: %j', (body) => {
    expect(readTrouble({ status: 200, headers: {}, body })).toEqual({
      is: 'unknown',
      cause: 'unreadable body on a success status',
      httpStatus: 200,
    });
  });

  it('give up as unexpected-reply with the vendor’s words where a whole refusal is not known', () => {
    expect(readRefusal(makeReply(403, 'ARREARS', 'account overdue'))).toEqual({
      reaction: 'give-up',
      class: 'unexpected-reply',
      booking: 'refused',
      code: 'ARREARS',
      httpStatus: 403,
      message: 'account overdue',
    });
    expect(readRefusal({ status: 418, headers: {}, body: '<h1>teapot</h1>' })?.message).toBe(
      '<h1>teapot</h1>',
    );
  });

  it('stop the account and the service by status alone', () => {
    expect(readRefusal({ status: 401, headers: {}, body: '' })).toMatchObject({
      reaction: 'halt',
      halts: 'account',
    });
    expect(readRefusal({ status: 404, headers: {}, body: '' })).toMatchObject({
      reaction: 'halt',
      halts: 'service',
    });
  });
});

describe('the vendor’s words', () => {
  it('lose the query of links and are bounded', () => {
    const message = `cannot read https://b.example/a.jpg?X-Amz-Signature=abc123 ${'x'.repeat(9000)}`;
    const kept = readRefusal(makeReply(422, 'SEVER_ERROR', message))?.message ?? '';
    expect(kept).toContain('https://b.example/a.jpg');
    expect(kept).not.toContain('abc123');
    expect(kept.length).toBeLessThanOrEqual(1000);
  });
});

describe('a success that does not say what was promised', () => {
  const service = findService([pai], 'pai/image-quality')?.service;
  const jobs = findService([pai], 'pai/video-quality')?.service;
  const submission: Submission = {
    elements: [{ ref: 'r', link: 'https://m.example/a', item: { id: 'a', position: new Uint8Array() } }],
    options: {},
    model: '',
    delivery: 'call',
    isBatch: false,
  };
  const reply = (data: unknown): Reply => ({
    status: 200,
    headers: {},
    body: JSON.stringify({ code: 'OK', data }),
  });

  it('is given up as unexpected-reply and booked as billed by default, never sent again', () => {
    for (const data of [{}, null, [], 'text', { iqa_result: 'good' }]) {
      expect(service?.readSubmission(reply(data), submission)).toEqual([
        {
          is: 'refused',
          refusal: {
            reaction: 'give-up',
            class: 'unexpected-reply',
            booking: 'modelFailed',
            code: 'OK',
            httpStatus: 200,
            message: 'the answer has another shape than the manual shows',
          },
        },
      ]);
    }
  });

  it.each([
    [{}],
    [{ words: [] }],
    [{ tag_result: 'cat' }],
    [{ tag_result: [{ label: 'cat', score: 1 }], image_width: 1 }],
    [{ tag_result: [], classification_result: [{ class: 'cat' }] }],
  ])('is never taken for an answer without labels: %o', (data) => {
    const labels = findService([pai], 'pai/image-labels')?.service;
    const [outcome] = labels?.readSubmission(reply(data), submission) ?? [];
    expect(outcome).toMatchObject({ is: 'refused', refusal: { class: 'unexpected-reply' } });
  });

  it.each([
    [{ tag_result: null }, []],
    [{ tag_result: [] }, []],
    [{ tag_result: [{ label: 'odd' }, { tag: 7, score: 0.5 }] }, [{ op: 'tag', label: '7', score: 0.5 }]],
    [{ embedding_result: '1,2' }, []],
  ])('is an answer where some of it can be read: %o', (data, expected) => {
    const labels = findService([pai], 'pai/image-labels')?.service;
    const [outcome] = labels?.readSubmission(reply(data), submission) ?? [];
    expect(outcome).toMatchObject({ is: 'answered', finding: { labels: expected } });
  });

  it('is of unknown fate where a job has begun under an id that we are not told', () => {
    for (const data of [{}, null, { job_id: -1 }, { job_id: '../1' }, { batch_id: 1 }]) {
      expect(jobs?.readSubmission(reply(data), submission)).toEqual([
        { is: 'unknown', cause: 'a success without a job id', httpStatus: 200 },
      ]);
    }
  });
});

describe('every refusal', () => {
  it('has a class and keeps within its bounds, whatever the reply', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 599 }),
        fc.string(),
        fc.string({ maxLength: 50 }),
        (status, message, code) => {
          const refusal = readRefusal(makeReply(status, code, message));
          if (!refusal) return status >= 500 || (code === 'OK' && status >= 200 && status < 300);
          return (
            refusal.class !== '' &&
            refusal.message.length <= 1000 &&
            (refusal.reaction === 'halt') === (refusal.halts !== undefined)
          );
        },
      ),
    );
  });
});
