import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Call } from '../../../src/domain/exchange.ts';
import { checkCallback } from '../../../src/vendors/qiniu/auth.ts';
import { fetchVideo } from '../../../src/vendors/qiniu/emulator/media.ts';
import { listFrames, moderate } from '../../../src/vendors/qiniu/emulator/model.ts';
import { emulatedOps, readAsked } from '../../../src/vendors/qiniu/emulator/submission.ts';
import { videoCensor } from '../../../src/vendors/qiniu/video-censor.ts';
import { clipFacts, clipHash, clipUrl, makeReader, openStandIn, receive, settle } from './stand-in.ts';

type StandIn = ReturnType<typeof openStandIn>;
const three = {
  ops: [{ op: 'politician' }, { op: 'pulp' }, { op: 'terror' }],
  vframe: { mode: 0, interval: 5 },
};
const submissionOf = (
  given: { ref?: string; link?: string; options?: unknown; delivery?: 'poll' | 'callback' | 'sync' } = {},
) => ({
  elements: [
    { ref: given.ref ?? 'ref-1', item: { id: 'a', position: new Uint8Array() }, link: given.link ?? clipUrl },
  ],
  options: given.options ?? three,
  model: '',
  delivery: given.delivery ?? 'poll',
  isBatch: false,
  hookUrl: 'http://127.0.0.1:8787/in/abc?x=1',
});
const jobShape = z.looseObject({ id: z.string(), vid: z.string(), status: z.string() });

async function submitJob(stand: StandIn, given?: Parameters<typeof submissionOf>[0]): Promise<string> {
  const submission = submissionOf(given);
  const [outcome] = videoCensor.readSubmission(await stand.send(videoCensor.submit(submission)), submission);
  if (outcome?.is !== 'accepted') throw new Error(`expected a job, found ${JSON.stringify(outcome)}`);
  return outcome.job;
}
const pollOf = (job: string): Call => ({ method: 'GET', path: `/v1/jobs/video/${job}`, headers: {} });
const readJob = async (stand: StandIn, job: string) =>
  jobShape.parse(JSON.parse((await stand.send(pollOf(job))).body));
const readOutcome = async (stand: StandIn, job: string, options: unknown = three) =>
  videoCensor.readJob?.(await stand.send(pollOf(job)), {
    job,
    elements: [{ ref: 'ref-1', position: 0, linkHash: 'h' }],
    options,
    isBatch: false,
  })[0];
const post = (stand: StandIn, body: unknown, vid = 'ref-1') =>
  stand.send({
    method: 'POST',
    path: `/v1/video/${vid}`,
    headers: { 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('a job of the stand-in', () => {
  it('goes from WAITING over DOING to FINISHED by the clock, and its answer is read by the service', async () => {
    const stand = openStandIn();
    const job = await submitJob(stand);
    expect(job).toMatch(/^[0-9a-f]{24}$/);
    expect(await readOutcome(stand, job)).toEqual({ is: 'waiting', note: 'WAITING' });
    expect(stand.emulator.state()).toMatchObject({
      openJobs: 1,
      submissions: 1,
      submitted: { 'ref-1': 1 },
      units: {},
    });
    await stand.clock.advance(300);
    expect(await readOutcome(stand, job)).toEqual({ is: 'waiting', note: 'DOING' });
    await stand.clock.advance(700);
    expect(await readOutcome(stand, job)).toMatchObject({
      is: 'answered',
      observed: { 'qiniu/pulp-image': 6, 'qiniu/terror-image': 6 },
    });
    expect(stand.emulator.state()).toMatchObject({
      openJobs: 0,
      units: { 'qiniu/politician-image': 6, 'qiniu/pulp-image': 6, 'qiniu/terror-image': 6 },
    });
  });

  it('takes the detour over RESCHEDULED where asked to', async () => {
    const stand = openStandIn({ switches: { reschedules: true } });
    const job = await submitJob(stand);
    const seen: string[] = [];
    for (let step = 0; step < 5; step += 1) {
      seen.push((await readJob(stand, job)).status);
      await stand.clock.advance(250);
    }
    expect(seen).toEqual(['WAITING', 'DOING', 'RESCHEDULED', 'DOING', 'FINISHED']);
  });

  it('echoes the request, and has the vid, both times in China time, and neither result nor error before its end', async () => {
    const stand = openStandIn();
    const job = await submitJob(stand);
    const echoed: unknown = JSON.parse(videoCensor.submit(submissionOf()).body ?? '');
    expect(await readJob(stand, job)).toEqual({
      id: job,
      vid: 'ref-1',
      request: echoed,
      status: 'WAITING',
      created_at: '2026-11-20T10:00:00',
      updated_at: '2026-11-20T10:00:00',
    });
  });

  it('fetches the media when it starts, not when it is submitted, and fails where it is missing', async () => {
    const stand = openStandIn();
    const job = await submitJob(stand, { link: 'http://127.0.0.1:9000/media/nothing.mp4' });
    await settle();
    expect(stand.reader.urls).toEqual([]);
    await stand.clock.advance(1000);
    expect(stand.reader.urls).toEqual(['http://127.0.0.1:9000/media/nothing.mp4']);
    expect(await readOutcome(stand, job)).toMatchObject({
      is: 'refused',
      refusal: { class: 'media-missing', message: 'cannot find the video', isLinkDead: true },
    });
    expect(stand.emulator.state()).toMatchObject({ units: {}, openJobs: 0, submissions: 1 });
  });

  it('fails with "cannot open the file" for what is no video', async () => {
    const stand = openStandIn();
    const job = await submitJob(stand, { link: 'http://127.0.0.1:9000/media/errors.table.json' });
    await stand.clock.advance(1000);
    expect(await readJob(stand, job)).toMatchObject({ status: 'FAILED', error: 'cannot open the file' });
  });

  it('that nobody knows is 404 with a code and an error', async () => {
    const stand = openStandIn();
    const reply = await stand.send(pollOf('000000000000000000000000'));
    expect([reply.status, JSON.parse(reply.body)]).toEqual([404, { code: 404, error: 'job not found' }]);
    expect(await readOutcome(stand, '000000000000000000000000')).toEqual({
      is: 'gone',
      message: 'job not found',
    });
  });

  it('is made anew, and counted, each time a vid is submitted', async () => {
    const stand = openStandIn();
    const jobs = [await submitJob(stand), await submitJob(stand), await submitJob(stand, { ref: 'ref-2' })];
    expect(new Set(jobs).size).toBe(3);
    expect(stand.emulator.state()).toMatchObject({
      submissions: 3,
      submitted: { 'ref-1': 2, 'ref-2': 1 },
      openJobs: 3,
    });
  });
});

describe('the list by status', () => {
  it('is a bare array without vids, and the search finds the job of a ref in it', async () => {
    const stand = openStandIn();
    const first = await submitJob(stand);
    await stand.clock.advance(1000);
    const second = await submitJob(stand, { ref: 'ref-2' });
    const { search } = videoCensor;
    const lists = await Promise.all((search?.lists ?? []).map((call) => stand.send(call)));
    expect(lists.map((reply) => z.array(z.unknown()).parse(JSON.parse(reply.body)).length)).toEqual([
      1, 0, 0, 0, 1,
    ]);
    const found = lists.flatMap((reply) => search?.readList(reply) ?? []);
    expect(found).toEqual([
      { job: second, createdAtMs: stand.clock.now() },
      { job: first, createdAtMs: stand.clock.now() - 1000 },
    ]);
    expect(lists.map((reply) => reply.body).join()).not.toContain('ref-');
    expect(search?.readRef(await stand.send(pollOf(second)))).toBe('ref-2');
  });

  it('has all jobs without a status', async () => {
    const stand = openStandIn();
    await submitJob(stand);
    const reply = await stand.send({ method: 'GET', path: '/v1/jobs/video', headers: {} });
    expect(z.array(z.unknown()).parse(JSON.parse(reply.body))).toHaveLength(1);
  });
});

describe('a synchronous call', () => {
  it('is answered with the result of its ops after the time of a job', async () => {
    const stand = openStandIn();
    const submission = submissionOf({ delivery: 'sync' });
    const sent = stand.send(videoCensor.submit(submission));
    let isAnswered = false;
    void sent.then(() => {
      isAnswered = true;
    });
    await stand.clock.advance(999);
    expect(isAnswered).toBe(false);
    await stand.clock.advance(1);
    const [outcome] = videoCensor.readSubmission(await sent, submission);
    expect(outcome?.is).toBe('answered');
    expect(stand.emulator.state().units).toEqual({
      'qiniu/politician-image': 6,
      'qiniu/pulp-image': 6,
      'qiniu/terror-image': 6,
    });
    expect(stand.posted).toEqual([]);
  });

  it.each([
    ['nothing.mp4', 424, 'cannot find the video'],
    ['errors.table.json', 400, 'cannot open the file'],
  ])('about %s is %i "%s"', async (file, status, error) => {
    const stand = openStandIn();
    const link = `http://127.0.0.1:9000/${file}`;
    const reply = await stand.send(videoCensor.submit(submissionOf({ delivery: 'sync', link })));
    expect([reply.status, JSON.parse(reply.body)]).toEqual([status, { code: status, error }]);
  });
});

describe('a refused submission', () => {
  const data = { uri: clipUrl };
  const ops = [{ op: 'pulp' }];
  it.each([
    ['not json', 'invalid parameters'],
    [{ ops }, 'invalid parameters'],
    [{ data: { uri: '' }, ops: [] }, 'invalid parameters'],
    [{ data, params: { vframe: { mode: 5 } } }, 'bad op'],
    [{ data, ops: [{ op: 'pulp' }, { op: 'porn' }], params: { vframe: { mode: 5 } } }, 'bad op'],
    [{ data, ops, params: { vframe: { mode: 2, interval: 99 } } }, 'invalid mode, allow mode is [0, 1]'],
    [
      { data, ops, params: { vframe: { mode: 0, interval: 10.5 } } },
      'invalid interval, allow mode is [0, 10]',
    ],
    [{ data, ops, params: { vframe: { mode: 0, interval: -1 } } }, 'invalid interval, allow mode is [0, 10]'],
  ])('%j is 400 "%s", in the order of the checks', async (body, error) => {
    const stand = openStandIn();
    const reply = await post(stand, body);
    expect([reply.status, JSON.parse(reply.body)]).toEqual([400, { code: 400, error }]);
    expect(stand.emulator.state()).toMatchObject({ submissions: 0, submitted: {}, openJobs: 0 });
  });

  it('has its words where the switch says', async () => {
    const bodyOf = async (errorBody: 'error' | 'code and message') => {
      const reply = await post(openStandIn({ switches: { errorBody } }), { data, ops: [] });
      return JSON.parse(reply.body) as unknown;
    };
    expect(await bodyOf('error')).toEqual({ error: 'bad op' });
    expect(await bodyOf('code and message')).toEqual({ code: 400, message: 'bad op' });
  });

  it('depends on the interval bounds of the switch', async () => {
    const body = { data, ops, params: { async: true, vframe: { mode: 0, interval: 60 } } };
    expect((await post(openStandIn({ switches: { intervalBounds: [1, 60] } }), body)).status).toBe(200);
  });

  it.each([
    ['POST', '/v1/video/'],
    ['POST', '/v1/video'],
    ['POST', '/v2/video/x'],
    ['GET', '/v1/video/x'],
    ['GET', '/v1/jobs/video/'],
    ['GET', '/v1/jobs/video/a/b'],
    ['POST', '/v1/jobs/video/x'],
  ] as const)('%s %s is 404', async (method, path) => {
    expect((await openStandIn().send({ method, path, headers: {} })).status).toBe(404);
  });
});

describe('a bad signature', () => {
  it('is 401 "bad token", unless the switch turns the check off', async () => {
    const request = receive('http://127.0.0.1:8080/v1/jobs/video', {
      method: 'GET',
      headers: { Authorization: 'Qiniu emulated-access-key:nonsense' },
    });
    const strict = await openStandIn().emulator.handler(request);
    expect([strict.status, strict.body]).toEqual([401, '{"error":"bad token"}']);
    const { authorization: _, ...headers } = request.headers;
    expect((await openStandIn().emulator.handler({ ...request, headers })).status).toBe(401);
    const lax = openStandIn({ switches: { checksSignatures: false } });
    expect((await lax.emulator.handler(request)).status).toBe(200);
  });
});

describe('a callback', () => {
  const url = 'http://127.0.0.1:8787/in/abc?x=1';
  const run = async (switches: Parameters<typeof openStandIn>[0]) => {
    const stand = openStandIn(switches);
    const job = await submitJob(stand, { delivery: 'callback' });
    expect(stand.posted).toEqual([]);
    await stand.clock.advance(1000);
    return { stand, job };
  };
  const check = (
    posted: { url: string; headers: Readonly<Record<string, string>>; body: string } | undefined,
  ) =>
    posted &&
    checkCallback(receive(posted.url, { method: 'POST', ...posted }), {
      accessKey: 'emulated-access-key',
      secretKey: 'emulated-secret-key',
    });

  it('comes once at the end, unsigned, with the vid as id and the result of the job', async () => {
    const { stand, job } = await run({});
    const [posted, ...more] = stand.posted;
    expect(more).toEqual([]);
    expect([posted?.url, posted?.headers]).toEqual([url, { 'Content-Type': 'application/json' }]);
    const read = z.looseObject({ result: z.unknown() }).parse(await readJob(stand, job));
    expect(JSON.parse(posted?.body ?? '')).toEqual({ id: 'ref-1', result: read.result });
    expect(videoCensor.readCallback?.(posted?.body ?? '')).toBe('ref-1');
    expect(posted?.body).not.toContain(job);
    expect(check(posted)).toBe('unsigned');
  });

  it('can be dropped or doubled', async () => {
    expect((await run({ switches: { callbacks: 'dropped' } })).stand.posted).toHaveLength(0);
    expect((await run({ switches: { callbacks: 'twice' } })).stand.posted).toHaveLength(2);
  });

  it.each(['QBox', 'Qiniu'] as const)('can be signed by the scheme %s', async (callbackScheme) => {
    const { stand } = await run({ switches: { callbackScheme } });
    const [posted] = stand.posted;
    expect(check(posted)).toBe('signed');
    expect(check(posted && { ...posted, url: 'http://127.0.0.1:8787/in/other' })).toBe('forged');
  });

  it('does not come for a failed job', async () => {
    const { stand, job } = await run({ faults: { modelFailure: 1 } });
    expect((await readJob(stand, job)).status).toBe('FAILED');
    expect(stand.posted).toEqual([]);
  });
});

describe('a fault', () => {
  it('of pace answers 573 and 429 in turn and carries nothing out', async () => {
    const stand = openStandIn({ faults: { slowDown: 1 } });
    const submission = submissionOf();
    const replies = [
      await stand.send(videoCensor.submit(submission)),
      await stand.send(videoCensor.submit(submission)),
    ];
    expect(replies.map((reply) => reply.status)).toEqual([573, 429]);
    for (const reply of replies) {
      expect(videoCensor.readSubmission(reply, submission)[0]).toMatchObject({
        refusal: { reaction: 'slow-down' },
      });
    }
    expect(stand.emulator.state()).toMatchObject({ requests: 2, submissions: 0 });
  });

  it('of the server answers 599 and 503 in turn and carries nothing out', async () => {
    const stand = openStandIn({ faults: { serverError: 1 } });
    const submission = submissionOf();
    const replies = [
      await stand.send(videoCensor.submit(submission)),
      await stand.send(videoCensor.submit(submission)),
    ];
    expect(replies.map((reply) => reply.status)).toEqual([599, 503]);
    for (const reply of replies) expect(videoCensor.readSubmission(reply, submission)[0]?.is).toBe('unknown');
    expect(stand.emulator.state().submissions).toBe(0);
  });

  it('that resets before carries nothing out, one that resets after leaves a job behind', async () => {
    const request = async (stand: StandIn) => {
      const call = videoCensor.submit(submissionOf());
      const answer = await stand.emulator.handler(receive('http://127.0.0.1:8080/v1/video/ref-1', call));
      return answer.fault;
    };
    const switches = { checksSignatures: false };
    const before = openStandIn({ faults: { resetBefore: 1 }, switches });
    expect(await request(before)).toBe('reset');
    expect(before.emulator.state()).toMatchObject({ submissions: 0, openJobs: 0 });
    const after = openStandIn({ faults: { resetAfter: 1 }, switches });
    expect(await request(after)).toBe('reset');
    expect(after.emulator.state()).toMatchObject({ submissions: 1, submitted: { 'ref-1': 1 }, openJobs: 1 });
  });

  it('of the model fails the job without billing it, or refuses the synchronous call', async () => {
    const stand = openStandIn({ faults: { modelFailure: 1, jobMs: 0 } });
    const job = await submitJob(stand);
    await settle();
    expect(await readOutcome(stand, job)).toMatchObject({
      refusal: { class: 'media-unreadable', booking: 'failedJob' },
    });
    const reply = await stand.send(videoCensor.submit(submissionOf({ delivery: 'sync' })));
    expect(reply.status).toBe(400);
    expect(stand.emulator.state()).toMatchObject({ units: {}, submissions: 2 });
  });

  it('of delay holds every answer back by the clock', async () => {
    const stand = openStandIn({ faults: { delayMs: 500 } });
    let isAnswered = false;
    const sent = stand.send(pollOf('x')).then(() => {
      isAnswered = true;
    });
    await stand.clock.advance(499);
    expect(isAnswered).toBe(false);
    await stand.clock.advance(1);
    await sent;
    expect(isAnswered).toBe(true);
  });
});

describe('the control endpoints', () => {
  it('show the state and change the faults, without a signature', async () => {
    const stand = openStandIn();
    const changed = await stand.emulator.handler(
      receive('http://127.0.0.1:8080/_emulator/faults', {
        method: 'POST',
        headers: {},
        body: '{"slowDown":1}',
      }),
    );
    expect(changed.status).toBe(200);
    expect((await stand.send(pollOf('x'))).status).toBe(573);
    const state = await stand.emulator.handler(
      receive('http://127.0.0.1:8080/_emulator/state', { method: 'GET', headers: {} }),
    );
    expect(JSON.parse(String(state.body))).toMatchObject({ requests: 1, submissions: 0 });
  });
});

describe('fetched media', () => {
  it('is known by its hash, with the facts of the table', async () => {
    const known = new Map([[clipHash, { ...clipFacts, durationSeconds: 99, keyFramesMs: [0, 50_000] }]]);
    expect(await fetchVideo(makeReader(), clipUrl, known)).toEqual({
      sha256: clipHash,
      durationMs: 99_000,
      keyFramesMs: [0, 50_000],
    });
  });

  // Lengths and key frames by ffprobe.
  it.each([
    ['clip.mp4', 26_400, [0, 4800, 7200, 19_000]],
    ['clip.webm', 7000, [0, 3000]],
  ])('that nobody knows is read from its own index: %s', async (file, durationMs, keyFramesMs) => {
    const video = await fetchVideo(makeReader(), `http://127.0.0.1:9000/${file}`, new Map());
    expect(video).toMatchObject({ durationMs, keyFramesMs });
  });

  it('is read piece by piece to its end, and no further than its bound', async () => {
    const piece = 8 * 1024 * 1024;
    const readerOf = (totalBytes: number) => {
      const starts: number[] = [];
      return {
        starts,
        read: async (_: string, start: number, end: number) => {
          starts.push(start);
          return start >= totalBytes
            ? ({ ok: false, status: 416, message: 'range' } as const)
            : ({ ok: true, bytes: new Uint8Array(Math.min(end, totalBytes) - start) } as const);
        },
      };
    };
    const two = readerOf(2 * piece);
    expect(await fetchVideo(two, clipUrl, new Map())).toEqual({ status: 400, error: 'cannot open the file' });
    expect(two.starts).toEqual([0, piece, 2 * piece]);
    const endless = readerOf(Number.MAX_SAFE_INTEGER);
    expect(await fetchVideo(endless, clipUrl, new Map())).toEqual({
      status: 400,
      error: 'cannot open the file',
    });
    expect(endless.starts).toHaveLength(16);
  });
});

describe('the model', () => {
  const video = { sha256: clipHash, durationMs: 600_000, keyFramesMs: [0, 4800, 7200, 19_000] };
  const ask = (request: unknown) => {
    const asked = readAsked('vid', Buffer.from(JSON.stringify(request)), [0, 10]);
    if ('error' in asked) throw new Error(asked.error);
    return asked;
  };
  const data = { uri: clipUrl };
  const opShape = z.object({
    labels: z.array(z.object({ label: z.string(), score: z.number() })),
    segments: z.array(
      z.object({
        offset_begin: z.number(),
        offset_end: z.number(),
        labels: z.array(z.object({ label: z.string(), score: z.number() })),
        cuts: z.array(z.object({ offset: z.number(), uri: z.string().optional(), result: z.unknown() })),
      }),
    ),
  });
  const look = (request: object, keepsEmpty = false) =>
    z.record(z.string(), opShape).parse(moderate(ask({ data, ...request }), video, keepsEmpty));
  const grid = { vframe: { mode: 0, interval: 5 } };
  const pulp = [{ op: 'pulp' }];

  it.each([
    [{ mode: 0, interval: 5 }, 26_400, [0, 5000, 10_000, 15_000, 20_000, 25_000]],
    [{ mode: 0 }, 10_000, [0, 5000]],
    [{ mode: 0, interval: 0 }, 10_001, [0, 5000, 10_000]],
    [{ mode: 0, interval: 5 }, 0, [0]],
    [{ interval: 5 }, 26_400, [0, 4800, 7200, 19_000]],
    [undefined, 26_400, [0, 4800, 7200, 19_000]],
  ])('cuts with vframe %j a video of %i ms at %j', (vframe, durationMs, frames) => {
    expect(listFrames(ask({ data, ops: pulp, params: { vframe } }), { ...video, durationMs })).toEqual(
      frames,
    );
  });

  it('sees the same whenever it looks, and other things in another file', () => {
    const request = { params: grid, ops: emulatedOps.map((op) => ({ op })) };
    expect(look(request)).toEqual(look(request));
    const other = moderate(ask({ data, ...request }), { ...video, sha256: 'f00d' }, false);
    expect(other).not.toEqual(look(request));
  });

  it('has segments of several frames, with the maxima over frames and over segments', () => {
    const answer = look({ params: grid, ops: emulatedOps.map((op) => ({ op })) });
    expect(Object.keys(answer)).toEqual([...emulatedOps]);
    for (const { labels, segments } of Object.values(answer)) {
      expect(segments.some((segment) => segment.cuts.length > 1)).toBe(true);
      for (const segment of segments) {
        expect(segment.offset_begin).toBe(segment.cuts[0]?.offset);
        expect(segment.offset_end).toBe(segment.cuts.at(-1)?.offset);
      }
      for (const { label, score } of labels) {
        const shown = segments.flatMap((segment) => segment.labels).filter((one) => one.label === label);
        expect(score).toBe(Math.max(...shown.map((one) => one.score)));
      }
    }
  });

  it('shows normal frames as 2 for pulp and 0 for terror, and only invented persons', () => {
    const answer = look({ params: grid, ops: emulatedOps.map((op) => ({ op })) });
    const namesOf = (op: string) => answer[op]?.labels.map((one) => one.label).sort();
    expect(namesOf('pulp')).toContain('2');
    expect(namesOf('terror')).toContain('0');
    expect(namesOf('politician')?.length).toBeGreaterThan(0);
    for (const name of namesOf('politician') ?? []) expect(name).toMatch(/^(Person [A-C]|某[甲乙丙])$/);
  });

  it('has scores of at most 8 significant digits', () => {
    const answer = JSON.stringify(look({ params: grid, ops: emulatedOps.map((op) => ({ op })) }));
    const digits = [...answer.matchAll(/0\.0*(\d+)/g)].map((match) => match[1]?.length ?? 0);
    expect(Math.max(...digits)).toBe(8);
  });

  it('names saved frames only where a bucket was given', () => {
    const uris = (save?: object) =>
      look({ params: { ...grid, save }, ops: pulp })['pulp']?.segments.flatMap((one) =>
        one.cuts.map((cut) => cut.uri),
      );
    expect(uris()?.every((uri) => uri === undefined)).toBe(true);
    expect(uris({ bucket: 'b', prefix: 'p' })?.[0]).toBe('qiniu:///b/p/vid/0');
  });

  it('keeps frames without a finding where the switch says', () => {
    const count = (keepsEmpty: boolean) =>
      look({ params: grid, ops: [{ op: 'politician' }] }, keepsEmpty)['politician']?.segments.flatMap(
        (one) => one.cuts,
      ).length;
    expect(count(true)).toBe(120);
    expect(count(false)).toBeLessThan(120);
  });

  it('filters by label, select and score as documented', () => {
    const scoresOf = (...labels: object[]) => {
      const answer = look({ params: grid, ops: [{ op: 'pulp', params: { labels } }] });
      return answer['pulp']?.segments.flatMap((one) =>
        one.cuts.map((cut) => z.object({ label: z.number(), score: z.number() }).parse(cut.result)),
      );
    };
    const all = scoresOf() ?? [];
    const normal = all.filter((one) => one.label === 2);
    const median = normal.map((one) => one.score).sort((a, b) => a - b)[Math.floor(normal.length / 2)] ?? 0;
    expect(all.length).toBe(120);
    expect(normal.length).toBeLessThan(120);
    expect(scoresOf({ label: '2', score: median })).toEqual(all);
    expect(scoresOf({ label: '2', select: 1 })).toEqual(all.filter((one) => one.label !== 2));
    expect(scoresOf({ label: '2', select: 1, score: median })).toEqual(
      all.filter((one) => one.label !== 2 || one.score >= median),
    );
    expect(scoresOf({ label: '2', select: 2 })).toEqual(normal);
    expect(scoresOf({ label: '2', select: 2, score: median })).toEqual(
      normal.filter((one) => one.score >= median),
    );
    expect(scoresOf({ label: '9', select: 2 })).toEqual([]);
  });
});
