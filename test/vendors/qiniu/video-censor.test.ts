import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Finding } from '../../../src/domain/finding.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import { canonicalOptions } from '../../../src/domain/reuse.ts';
import type { Delivery } from '../../../src/domain/service.ts';
import { qiniu } from '../../../src/vendors/qiniu/index.ts';
import { videoCensor } from '../../../src/vendors/qiniu/video-censor.ts';
import { account, readFixture, replyWith } from './stand-in.ts';

const element = {
  ref: 'ref-1',
  item: { id: 'a', position: new Uint8Array() },
  link: 'http://m.example/a.mp4',
};
const submissionOf = (options: unknown, delivery: Delivery = 'poll', hookUrl?: string) => ({
  elements: [element],
  options,
  model: '',
  delivery,
  isBatch: false,
  hookUrl,
});
const bodyOf = (options: unknown, delivery?: Delivery, hookUrl?: string): unknown =>
  JSON.parse(videoCensor.submit(submissionOf(options, delivery, hookUrl)).body ?? '');
const read = (body: unknown, options: unknown = { ops: [{ op: 'politician' }] }): Outcome | undefined =>
  videoCensor.readJob?.(replyWith(200, body), {
    job: 'j',
    elements: [{ ref: 'ref-1', position: 0, linkHash: 'h' }],
    options,
    isBatch: false,
  })[0];
const finish = (result: unknown, options?: unknown) => read({ status: 'FINISHED', result }, options);
const findingOf = (outcome: Outcome | undefined): Finding => {
  if (outcome?.is !== 'answered') throw new Error(`expected an answer, found ${JSON.stringify(outcome)}`);
  return outcome.finding;
};
const politician = { ops: [{ op: 'politician' }] };
const pulp = { ops: [{ op: 'pulp' }] };

describe('options', () => {
  const problemsOf = (options: unknown) =>
    videoCensor.options
      .safeParse(options)
      .error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);

  it.each([
    { ops: [{ op: 'terror' }] },
    { ops: [{ op: 'pulp' }, { op: 'terror' }, { op: 'politician' }], vframe: { mode: 0, interval: 60 } },
    {
      ops: [{ op: 'pulp', params: { labels: [{ label: '0', select: 2, score: 0.6 }] } }],
      vframe: { interval: 1 },
    },
    { ops: [{ op: 'pulp' }], save: { bucket: 'frames', prefix: 'night' } },
    videoCensor.exampleOptions,
  ])('%j are allowed', (options) => {
    expect(problemsOf(options)).toBeUndefined();
  });

  it.each([
    [{}, 'ops'],
    [{ ops: [] }, 'ops: expected 1 to 3 ops'],
    [{ ops: [{ op: 'pulp' }, { op: 'pulp' }] }, 'ops: expected each op at most once'],
    [{ ops: [{ op: 'porn' }] }, 'ops.0.op: expected one of politician, pulp, terror'],
    [{ ...pulp, vframe: { interval: 0.5 } }, 'vframe.interval: expected a number of seconds from 1 to 60'],
    [{ ...pulp, vframe: { interval: 61 } }, 'vframe.interval: expected a number of seconds from 1 to 60'],
    [{ ...pulp, vframe: { interval: '5' } }, 'vframe.interval: expected a number of seconds from 1 to 60'],
    [{ ...pulp, vframe: { mode: 2 } }, 'vframe.mode: expected 0'],
    [
      { ops: [{ op: 'pulp', params: { labels: [{ label: 0 }] } }] },
      'ops.0.params.labels.0.label: expected text in quotes',
    ],
    [
      { ops: [{ op: 'pulp', params: { labels: [{ label: '0', select: 3 }] } }] },
      'ops.0.params.labels.0.select: expected 1',
    ],
    [
      { ops: [{ op: 'pulp', params: { labels: [{ label: '0', score: 2 }] } }] },
      'ops.0.params.labels.0.score: expected a number from 0 to 1',
    ],
    [{ ...pulp, save: { prefix: 'x' } }, 'save.bucket'],
    [{ ...pulp, hookURL: 'http://x' }, ': Unrecognized key'],
  ])('%j are refused at %s', (options, problem) => {
    const problems = problemsOf(options) ?? [];
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(problem)).toBe(true);
  });

  it('above an interval of 10 warn that the two tables of the manual disagree', () => {
    expect(videoCensor.warn?.({ ...pulp, vframe: { mode: 0, interval: 11 } })).toEqual([
      expect.stringMatching(
        /^vframe.interval: 11 s is within .* \(1 to 60\), but .* 0 to 10\. Use at most 10/,
      ),
    ]);
    expect(videoCensor.warn?.({ ...pulp, vframe: { mode: 0, interval: 10 } })).toEqual([]);
  });

  it('with an interval but without mode 0 warn that it has no effect, as in the sample of the manual', () => {
    const sample: unknown = JSON.parse(readFixture('politician.request.json').toString('utf8'));
    const given = z.object({ params: z.object({ vframe: z.unknown() }), ops: z.unknown() }).parse(sample);
    const options = videoCensor.options.parse({ ops: given.ops, vframe: given.params.vframe });
    expect(videoCensor.warn?.(options)).toEqual([
      expect.stringMatching(/^vframe.interval: has no effect, because vframe.mode is 1/),
      'ops: the filter of politician on label "0" has no effect without select. Set select to 1 or 2, or leave the filter out.',
    ]);
  });

  it('that say the same in other words are the same to reuse', () => {
    const canonical = (options: unknown) => canonicalOptions(videoCensor.options, options);
    expect(canonical({ ...pulp, vframe: { mode: 1, interval: 5 } })).toBe(canonical(pulp));
    expect(canonical({ ops: [{ op: 'pulp', params: { labels: [] } }], vframe: {} })).toBe(canonical(pulp));
    expect(canonical({ ...pulp, vframe: { mode: 0 } })).not.toBe(canonical(pulp));
  });
});

describe('a submission', () => {
  it('is byte for byte and signature the published vector', () => {
    const vectors = z
      .object({
        qiniu: z.object({
          request_vectors: z.array(
            z.object({
              id: z.string(),
              body: z.string(),
              authorization: z.string(),
              access_key: z.string(),
              secret_key: z.string(),
            }),
          ),
        }),
      })
      .parse(JSON.parse(readFileSync(new URL('../../fixtures/signatures.json', import.meta.url), 'utf8')));
    const vector = vectors.qiniu.request_vectors.find((one) => one.id === 'qiniu-01-submit-json');
    const call = videoCensor.submit({
      ...submissionOf(
        { ...politician, vframe: { mode: 0, interval: 5 } },
        'callback',
        'http://cb.example.com/hook',
      ),
      elements: [{ ...element, ref: 'test-vid-1', link: 'http://foo.com/foo.mp4' }],
    });
    expect(call.body).toBe(vector?.body);
    const signed = qiniu.sign(
      call,
      {
        ...account,
        endpoint: qiniu.endpoint,
        credentials: { accessKey: vector?.access_key ?? '', secretKey: vector?.secret_key ?? '' },
      },
      0,
    );
    expect(signed.headers).toEqual({
      'Content-Type': 'application/json',
      Authorization: vector?.authorization,
    });
    expect(signed.url).toBe('https://ai.qiniuapi.com/v1/video/test-vid-1');
  });

  it.each([
    ['poll', undefined, { async: true, vframe: { mode: 1 } }],
    [
      'callback',
      'https://hooks.example/x',
      { async: true, vframe: { mode: 1 }, hookURL: 'https://hooks.example/x' },
    ],
    ['sync', 'https://hooks.example/x', { async: false, vframe: { mode: 1 } }],
    ['poll', 'https://hooks.example/x', { async: true, vframe: { mode: 1 } }],
  ] as const)('by %s with hook %s has the params %j', (delivery, hookUrl, params) => {
    expect(bodyOf(pulp, delivery, hookUrl)).toEqual({
      data: { uri: element.link },
      params,
      ops: [{ op: 'pulp' }],
    });
  });

  it('writes the mode always, and the interval only where it counts', () => {
    expect(bodyOf({ ...pulp, vframe: { mode: 0 } })).toMatchObject({
      params: { vframe: { mode: 0, interval: 5 } },
    });
    expect(bodyOf({ ...pulp, vframe: { mode: 1, interval: 30 } })).toMatchObject({
      params: { vframe: { mode: 1 } },
    });
    expect(JSON.stringify(bodyOf({ ...pulp, vframe: { interval: 30 } }))).not.toContain('interval');
  });

  it('carries save and filters as written', () => {
    const labels = [{ label: '某人', select: 2, score: 0.6 }];
    const options = {
      ops: [{ op: 'politician', params: { labels } }],
      save: { bucket: 'frames', prefix: 'p' },
    };
    expect(bodyOf(options)).toMatchObject({
      params: { save: { bucket: 'frames', prefix: 'p' } },
      ops: [{ op: 'politician', params: { labels } }],
    });
  });

  it('keeps a vid that needs no escape as it is, and escapes any other', () => {
    const pathOf = (ref: string) =>
      videoCensor.submit({ ...submissionOf(pulp), elements: [{ ...element, ref }] }).path;
    expect(pathOf('aZ09._~-')).toBe('/v1/video/aZ09._~-');
    expect(pathOf('a/b 视')).toBe('/v1/video/a%2Fb%20%E8%A7%86');
  });

  it('without a link is our own mistake', () => {
    const bare = { ...submissionOf(pulp), elements: [{ ref: 'r', item: element.item }] };
    expect(() => videoCensor.submit(bare)).toThrow(
      'qiniu/video-censor: a submission needs one video with a link',
    );
  });

  it.each([
    ['not json', 'the result has another form'],
    ['', 'the result has another form'],
    ['[]', 'the result has another form'],
    ['{}', 'the result lacks op "pulp"'],
    ['{"job":""}', 'the result has another form'],
    ['{"code":400,"error":"bad op"}', 'the result has another form'],
    ['{"terror":{"labels":[],"segments":[]}}', 'the result lacks op "pulp"'],
  ])('answered 200 with %j has an unknown fate', (body, trouble) => {
    const [outcome] = videoCensor.readSubmission(replyWith(200, body), submissionOf(pulp));
    expect(outcome).toMatchObject({ is: 'unknown', httpStatus: 200 });
    expect(outcome?.is === 'unknown' ? outcome.cause : '').toContain(trouble);
  });

  it('that is answered at once although a job was asked for is answered', () => {
    const reply = replyWith(200, { pulp: { labels: [], segments: [] } });
    expect(videoCensor.readSubmission(reply, submissionOf(pulp))[0]?.is).toBe('answered');
  });
});

describe('the read of a job', () => {
  it('is a GET without a content type', () => {
    expect(videoCensor.poll?.('5c99f0da8a19ce0007975416', false)).toEqual({
      method: 'GET',
      path: '/v1/jobs/video/5c99f0da8a19ce0007975416',
      headers: {},
    });
  });

  it.each(['WAITING', 'DOING', 'RESCHEDULED', 'PAUSED', ''])('goes on at status "%s"', (status) => {
    expect(read({ status, result: null, error: '' })).toEqual({ is: 'waiting', note: status });
  });

  it('knows the words whatever their case', () => {
    expect(read({ status: 'finished', result: { politician: {} } })?.is).toBe('answered');
    expect(read({ status: 'Failed' })?.is).toBe('refused');
  });

  it.each(['oops', '[]', 'null', '{"status":5}', '{}'])('of %s goes on: the answer is no job', (body) => {
    expect(read(body)).toEqual({ is: 'waiting', note: 'the answer is no job object' });
  });

  it.each([
    [undefined, 'the result has another form'],
    [null, 'the result has another form'],
    [{}, 'the result lacks op "politician"'],
    [{ politician: null }, 'the result has another form'],
    [{ politician: { labels: 'none' } }, 'the result has another form'],
    [{ politician: { labels: [{ label: {}, score: 1 }] } }, 'the result has another form'],
    [
      { politician: { segments: [{ labels: [{ label: 'a', score: 'high' }] }] } },
      'the result has another form',
    ],
  ])('that FINISHED with result %j gives up: it must not pass for a clean one', (result, words) => {
    const outcome = finish(result);
    expect(outcome).toMatchObject({
      is: 'refused',
      refusal: { reaction: 'give-up', class: 'answer-unreadable', booking: 'failedJob' },
    });
    expect(outcome?.is === 'refused' ? outcome.refusal.message : '').toContain(words);
  });

  it('that FINISHED without a result but with an error failed by it', () => {
    expect(read({ status: 'FINISHED', error: 'cannot find the video' })).toMatchObject({
      refusal: { class: 'media-missing', isLinkDead: true },
    });
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 6 }),
        fc.constantFrom(200, 204, 301, 400, 404, 500, 573),
        (json, status) => {
          const reply = replyWith(status, json);
          expect(videoCensor.readSubmission(reply, submissionOf(pulp))).toHaveLength(1);
          expect(read(json)).toBeDefined();
          expect(finish(JSON.parse(json) as unknown, pulp)).toBeDefined();
          videoCensor.search?.readList(reply);
          videoCensor.search?.readRef(reply);
          videoCensor.readCallback?.(json);
          qiniu.readRefusal(reply);
        },
      ),
    );
  });
});

describe('an answer', () => {
  it('keeps a reported score that no segment shows beside our maximum', () => {
    const sample: unknown = JSON.parse(readFixture('politician.response.json').toString('utf8'));
    const { labels, segments } = findingOf(finish(sample));
    expect(labels.map((one) => [one.label, one.score, one.reportedScore])).toEqual([
      ['某甲', 0.763143, 0.763143],
      ['某乙', 0.68354243, 0.7174549],
    ]);
    expect(segments.map((one) => [one.label, one.beginMs, one.needsReview])).toEqual([
      ['某甲', 4767, false],
      ['某乙', 4767, true],
    ]);
  });

  it('has labels as text: the integer 0 of a pulp frame is "0"', () => {
    const cuts = [{ offset: 0, result: { label: 0, score: 0.9, review: true } }];
    const { labels } = findingOf(
      finish({ pulp: { labels: [], segments: [{ offset_begin: 0, offset_end: 0, cuts }] } }, pulp),
    );
    expect(labels).toEqual([
      { op: 'pulp', label: '0', score: 0.9, beginMs: 0, endMs: 0, segments: 1, needsReview: true },
    ]);
  });

  it('has times in milliseconds as they come', () => {
    const segments = [{ offset_begin: 4767, offset_end: 9800, labels: [{ label: '1', score: 0.5 }] }];
    const finding = findingOf(finish({ pulp: { segments } }, pulp));
    expect(finding.segments[0]).toMatchObject({ beginMs: 4767, endMs: 9800 });
  });

  it('keeps all eight digits of a score', () => {
    const finding = findingOf(finish({ pulp: { labels: [{ label: '0', score: 0.68354243 }] } }, pulp));
    expect(finding.labels[0]?.reportedScore).toBe(0.68354243);
  });

  it('takes times from the cuts where a segment has none', () => {
    const result = { label: 1, score: 0.5 };
    const segments = [
      {
        cuts: [
          { offset: 7000, result },
          { offset: 2000, result },
        ],
      },
      { labels: [{ label: '0' }] },
    ];
    const finding = findingOf(finish({ pulp: { segments } }, pulp));
    expect(finding.segments.map((one) => [one.label, one.beginMs, one.endMs, one.maxScore])).toEqual([
      ['0', 0, 0, 0],
      ['1', 2000, 7000, 0.5],
    ]);
  });

  it('passes over faces without a name and frames of unknown form', () => {
    const face = (value: unknown) => ({ boundingBox: { score: 1 }, value });
    const cuts = [
      {
        offset: 0,
        result: {
          detections: [face({ name: '', score: 0.1 }), face(null), 5, face({ name: 'Person A', score: 0.8 })],
        },
      },
      { offset: 5000, result: 'whatever' },
      { offset: 10000 },
      { offset: 15000, result: { detections: null } },
    ];
    const finding = findingOf(
      finish({ politician: { segments: [{ offset_begin: 0, offset_end: 15000, cuts }] } }),
    );
    expect(finding.segments).toEqual([
      {
        op: 'politician',
        beginMs: 0,
        endMs: 15000,
        label: 'Person A',
        maxScore: 0.8,
        cuts: 1,
        needsReview: false,
      },
    ]);
  });

  it('passes over entries without a label, and bears a review that is no boolean', () => {
    const labels = [{ label: '', score: 0.9 }, { score: 0.9 }, { label: null }, { label: '1', score: 0.6 }];
    const cuts = [
      { offset: 0, result: { label: 1, score: 0.7, review: 'maybe' } },
      { offset: 5, result: {} },
    ];
    const segments = [{ offset_begin: 0, offset_end: 5, labels, cuts }];
    const finding = findingOf(finish({ pulp: { labels, segments } }, pulp));
    expect(finding.segments.map((one) => [one.label, one.maxScore, one.cuts, one.needsReview])).toEqual([
      ['1', 0.7, 1, false],
    ]);
    expect(finding.labels.map((one) => [one.label, one.score, one.reportedScore])).toEqual([['1', 0.7, 0.6]]);
  });

  it('keeps ops that nobody asked for, without billing them', () => {
    const segments = [
      { offset_begin: 0, offset_end: 0, labels: [{ label: 'x', score: 1 }], cuts: [{ offset: 0 }] },
    ];
    const outcome = finish({ pulp: { segments }, terror_detect: { segments } }, pulp);
    expect(findingOf(outcome).labels.map((one) => one.op)).toEqual(['pulp', 'terror_detect']);
    expect(outcome).toMatchObject({ observed: { 'qiniu/pulp-image': 1 } });
    expect(JSON.stringify(outcome)).not.toContain('terror_detect-image');
  });
});

describe('observed units', () => {
  const segmentAt = (...offsets: number[]) => ({
    offset_begin: 0,
    offset_end: 0,
    cuts: offsets.map((offset) => ({ offset, result: { label: 1, score: 0.5 } })),
  });
  const two = { ops: [{ op: 'pulp' }, { op: 'terror' }] };
  const observedOf = (result: unknown, options: unknown) => {
    const outcome = finish(result, options);
    return outcome?.is === 'answered' ? outcome.observed : 'no answer';
  };

  it('are the distinct cut offsets of each op', () => {
    const result = {
      pulp: { segments: [segmentAt(0, 5000), segmentAt(5000, 10000)] },
      terror: { segments: [segmentAt(0)] },
    };
    expect(observedOf(result, two)).toEqual({ 'qiniu/pulp-image': 3, 'qiniu/terror-image': 1 });
  });

  it('are none where a filter leaves frames out, but are where it leaves out nothing', () => {
    const filtered = (filter: object) => ({
      ops: [{ op: 'pulp', params: { labels: [{ label: '1', ...filter }] } }, { op: 'terror' }],
    });
    const result = { pulp: { segments: [segmentAt(0)] }, terror: { segments: [segmentAt(0)] } };
    expect(observedOf(result, filtered({ select: 2 }))).toBeUndefined();
    expect(observedOf(result, filtered({}))).toEqual({ 'qiniu/pulp-image': 1, 'qiniu/terror-image': 1 });
  });

  it('are none of an op that shows no frame: it proves nothing', () => {
    expect(observedOf({ pulp: { segments: [segmentAt(0)] }, terror: {} }, two)).toEqual({
      'qiniu/pulp-image': 1,
    });
    expect(observedOf({ pulp: {}, terror: {} }, two)).toBeUndefined();
  });
});

describe('the search for jobs', () => {
  const { search } = videoCensor;

  it('lists all five statuses, in the order in which a job passes through them', () => {
    expect(search?.lists).toEqual(
      ['WAITING', 'RESCHEDULED', 'DOING', 'FAILED', 'FINISHED'].map((status) => ({
        method: 'GET',
        path: '/v1/jobs/video',
        query: `status=${status}`,
        headers: {},
      })),
    );
  });

  it('reads a bare array, times in any form', () => {
    const timeOf = (created_at: unknown) =>
      search?.readList(replyWith(200, [{ id: 'a', status: 'DOING', created_at }]));
    const at = Date.UTC(2019, 5, 1, 7, 3, 4);
    for (const [written, createdAtMs] of [
      ['2019-06-01T15:03:04', at],
      ['2019-06-01 15:03:04', at],
      ['2019-06-01T15:03:04.123456789', at + 123],
      ['2019-06-01T07:03:04Z', at],
      ['2019-06-01T07:03:04.5z', at + 500],
      ['2019-06-01T15:03:04+08:00', at],
      ['2019-06-01T15:03:04 +0800', at],
      ['2019-13-01T15:03:04', undefined],
      ['yesterday', undefined],
      [1559372584, undefined],
      [undefined, undefined],
    ] as const) {
      expect(timeOf(written)).toEqual([{ job: 'a', createdAtMs }]);
    }
  });

  it('takes empty lists, written as null too', () => {
    expect(search?.readList(replyWith(200, []))).toEqual([]);
    expect(search?.readList(replyWith(200, 'null'))).toEqual([]);
  });

  it.each([
    [200, { items: [] }],
    [200, [{ status: 'DOING' }]],
    [200, '[{"id":"a"},'],
    [200, ''],
    [500, []],
    [404, []],
  ])('does not take %i %j for a complete list', (status, body) => {
    expect(search?.readList(replyWith(status, body))).toBeUndefined();
  });

  it('reads the vid from the job, where id is the id of the job', () => {
    expect(search?.readRef(replyWith(200, { id: 'job-1', vid: 'ref-1' }))).toBe('ref-1');
    expect(search?.readRef(replyWith(200, { id: 'job-1' }))).toBeUndefined();
    expect(search?.readRef(replyWith(500, { vid: 'ref-1' }))).toBeUndefined();
  });
});

describe('a callback', () => {
  it('names the vid as its id', () => {
    expect(videoCensor.readCallback?.('{"id":"ref-1","result":{}}')).toBe('ref-1');
  });

  it.each([
    '',
    'x',
    '[]',
    '{"id":5}',
    '{"id":""}',
    '{"vid":"ref-1"}',
    `{"id":"${'x'.repeat(201)}"}`,
  ])('of %s names nothing', (body) => {
    expect(videoCensor.readCallback?.(body)).toBeUndefined();
  });
});

describe('the catalogue entry', () => {
  it('has one SKU and one top column per op, with the normal labels of each and what digits mean', () => {
    const options = { ops: [{ op: 'terror' }, { op: 'pulp' }, { op: 'politician' }] };
    expect(videoCensor.skus(options)).toEqual([
      'qiniu/terror-image',
      'qiniu/pulp-image',
      'qiniu/politician-image',
    ]);
    expect(videoCensor.columns(options)).toEqual({
      metrics: [],
      tops: [
        {
          op: 'terror',
          normal: ['0'],
          meanings: { 0: { en: 'normal', zh: '正常' }, 1: { en: 'terror', zh: '暴恐' } },
        },
        {
          op: 'pulp',
          normal: ['2'],
          meanings: {
            0: { en: 'pornographic', zh: '色情' },
            1: { en: 'sexy', zh: '性感' },
            2: { en: 'normal', zh: '正常' },
          },
        },
        { op: 'politician', normal: [] },
      ],
    });
    const skus = qiniu.skus.map((sku) => sku.name);
    for (const sku of videoCensor.skus(options)) expect(skus).toContain(sku);
  });

  it('takes an access key and a secret key, both strict', () => {
    expect(qiniu.credentials.safeParse({ accessKey: 'a', secretKey: 'b' }).success).toBe(true);
    for (const wrong of [
      { accessKey: 'a' },
      { accessKey: '', secretKey: 'b' },
      { accessKey: 'a', secretKey: 'b', token: 'c' },
    ]) {
      expect(qiniu.credentials.safeParse(wrong).success).toBe(false);
    }
  });
});
