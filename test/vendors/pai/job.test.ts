import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reply } from '../../../src/domain/exchange.ts';
import { hashLink } from '../../../src/domain/link.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import type { JobElement } from '../../../src/domain/service.ts';
import { readBatch, readSingle } from '../../../src/vendors/pai/job.ts';
import { videoQuality } from '../../../src/vendors/pai/video-quality.ts';

const linkOf = (index: number) => `https://m.example/${index}.mp4?X-Amz-Signature=${index}`;

function makeElements(count: number): JobElement[] {
  return Array.from({ length: count }, (_, position) => ({
    ref: `ref-${position}`,
    position,
    linkHash: hashLink(linkOf(position)),
  }));
}

/** A finished job whose score tells which video it belongs to. */
function makeJob(score: number, object: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    id: score,
    state: 2,
    message: 'success',
    object,
    Result: JSON.stringify({ video_score: score }),
    ...more,
  };
}

const succeed = (data: unknown): Reply => ({
  status: 200,
  headers: {},
  body: JSON.stringify({ code: 'OK', message: 'success', data }),
});

function read(reply: Reply, count: number, elements = makeElements(count)): readonly Outcome[] {
  const reading = { job: 'batch-1', elements, options: {}, isBatch: true };
  return videoQuality.readJob?.(reply, reading) ?? [];
}

function readOne(reply: Reply): Outcome {
  return readSingle(reply, (result) =>
    typeof result === 'object' && result !== null
      ? { labels: [], segments: [], metrics: { ok: 1 } }
      : undefined,
  );
}

const scores = (outcomes: readonly Outcome[]) =>
  outcomes.map((one) => (one.is === 'answered' ? one.finding.metrics['video_score'] : one.is));

describe('elements of a batch', () => {
  it('find their own job by the link, in whatever order the jobs come', () => {
    const shuffled = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 });
    fc.assert(
      fc.property(shuffled, (order) => {
        const jobs = order.map((index) => makeJob(index, linkOf(index)));
        expect(scores(read(succeed({ jobs }), 5))).toEqual([0, 1, 2, 3, 4]);
      }),
    );
  });

  it('wait where they are absent, and never take the job of another', () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2, 3, 4]), (present) => {
        const jobs = present.map((index) => makeJob(index, linkOf(index)));
        const expected = [0, 1, 2, 3, 4].map((index) => (present.includes(index) ? index : 'waiting'));
        expect(scores(read(succeed({ jobs }), 5))).toEqual(expected);
      }),
    );
  });

  it('go by their places where the vendor gives the links back changed', () => {
    const jobs = [0, 1, 2].map((index) => makeJob(index, `https://m.example/${index}.mp4`));
    expect(scores(read(succeed({ jobs }), 3))).toEqual([0, 1, 2]);
  });

  it('have no places in a list that is shorter than the batch', () => {
    const jobs = [makeJob(1, 'https://m.example/changed')];
    expect(scores(read(succeed({ jobs }), 2))).toEqual(['waiting', 'waiting']);
  });

  it('with equal links take one job each, by their places', () => {
    const elements = makeElements(3).map((element) => ({ ...element, linkHash: hashLink(linkOf(0)) }));
    const jobs = [0, 1, 2].map((index) => makeJob(index, linkOf(0)));
    expect(scores(read(succeed({ jobs }), 3, elements))).toEqual([0, 1, 2]);
  });

  it('that are still asked for find their jobs among those already read', () => {
    const jobs = [0, 1, 2, 3].map((index) => makeJob(index, linkOf(index)));
    const left = makeElements(4).filter(({ position }) => position % 2 === 1);
    expect(scores(read(succeed({ jobs }), 2, left))).toEqual([1, 3]);
  });

  it('finish separately: answered, failed and running stand side by side', () => {
    const jobs = [
      makeJob(0, linkOf(0)),
      makeJob(1, linkOf(1), { state: 3, message: 'model inference failed', Result: '' }),
      makeJob(2, linkOf(2), { state: 1, message: 'video downloading', Result: '' }),
      makeJob(3, linkOf(3), { state: 0, message: '', Result: '' }),
    ];
    expect(read(succeed({ jobs }), 4).map(({ is }) => is)).toEqual([
      'answered',
      'refused',
      'waiting',
      'waiting',
    ]);
  });
});

describe('a job', () => {
  const job = (fields: Readonly<Record<string, unknown>>) =>
    succeed({ job: { id: 5, message: 'success', ...fields } });

  it.each([
    ['Result as JSON in a string', { state: 2, Result: '{"a":1}' }],
    ['white space after it', { state: 2, Result: '{"a":1}\n \t' }],
    ['result without a capital', { state: 2, result: '{"a":1}' }],
    ['an object instead of a string', { state: 2, Result: { a: 1 } }],
    ['state as text', { state: '2', Result: '{"a":1}' }],
    [
      'masked and odd neighbours',
      { state: 2, id: '113****', app_id: 12, batch_id: null, Result: '{}', object: 7 },
    ],
  ])('is read with %s', (_title, fields) => {
    expect(readOne(job(fields)).is).toBe('answered');
  });

  it.each([
    [{ state: 0, Result: '' }],
    [{ state: 1, Result: '' }],
    [{ state: 4, Result: '' }],
    [{ Result: '{}' }],
  ])('waits while it is not at an end: %o', (fields) => {
    expect(readOne(job(fields)).is).toBe('waiting');
  });

  it('keeps the vendor’s word of where it is', () => {
    expect(readOne(job({ state: 1, message: 'video downloading' }))).toEqual({
      is: 'waiting',
      note: 'video downloading',
    });
  });

  it.each(['', 'not json', '7'])('that has finished without a result we know is given up: %j', (Result) => {
    expect(readOne(job({ state: 2, Result }))).toMatchObject({
      is: 'refused',
      refusal: { reaction: 'give-up', class: 'unexpected-reply', booking: 'failedJob' },
    });
  });

  it('is told from one of a long app_id, whose digits do not matter to us', () => {
    const body =
      '{"code":"OK","data":{"job":{"Result":"{\\"app_id\\": 12345678901234567890}","app_id":"202209070402410001","id":9007199254740993,"state":2}}}';
    expect(readOne({ status: 200, headers: {}, body }).is).toBe('answered');
  });
});

describe('a read that fails', () => {
  const fail = (status: number, message: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
    status,
    headers,
    body: JSON.stringify({ code: 'PARAMETER_ERROR', message }),
  });

  it.each([
    [fail(500, 'oops')],
    [fail(503, 'oops')],
    [fail(504, 'oops')],
    [fail(400, 'odd')],
    [fail(422, 'odd')],
    [{ status: 200, headers: {}, body: '<html>' }],
    [succeed(null)],
    [succeed({ job: null })],
  ])('is repeated, since it is free: %o', (reply) => {
    expect(readOne(reply).is).toBe('waiting');
    expect(readBatch(reply, makeElements(2), () => undefined).map(({ is }) => is)).toEqual([
      'waiting',
      'waiting',
    ]);
  });

  it.each([
    [fail(404, 'job not found')],
    [fail(404, '')],
    [fail(400, 'job 5 does not exist')],
    [fail(400, 'not found job')],
  ])('means that the job is gone where the vendor does not know it: %o', (reply) => {
    expect(readOne(reply).is).toBe('gone');
  });

  it('halts the account on a bad signature or AppId, and slows down when asked to', () => {
    const refusals = [
      fail(401, 'sign error'),
      fail(400, 'not found appid'),
      fail(429, 'busy'),
      fail(503, 'busy', { 'retry-after': '3' }),
    ].map((reply) => {
      const outcome = readOne(reply);
      return outcome.is === 'refused' ? outcome.refusal.reaction : outcome.is;
    });
    expect(refusals).toEqual(['halt', 'halt', 'slow-down', 'slow-down']);
  });
});
